import type { Position } from '../log/record.ts';
import type {
  KeyAdded,
  LogOpened,
  Role,
  Slot,
  TrustChange,
  TrustedKey,
} from '../markers/marker.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import { takesName } from '../name-pattern.ts';

/** A key as the log has named it so far. */
export type KeyState = TrustedKey & {
  readonly addedAt: Position;
  /** From this position on it signs nothing more. */
  readonly retiredAt: Position | null;
  readonly compromised: { readonly at: Position; readonly since: Position } | null;
};

/** Who may sign what, as of a position: the fold of the trust records before it. */
export type Trust = {
  readonly logId: string;
  readonly keys: ReadonlyMap<string, KeyState>;
  /** Trust records accepted so far: `marker:principal` to the digest of their value. */
  readonly markers: ReadonlyMap<string, string>;
  /** Where the log was sealed, or null while it is open. */
  readonly sealed: Seal | null;
};

/** An operator ended the log here: nothing after this position counts, a change of trust neither. */
export type Seal = {
  readonly at: Position;
  /** Where the log went on, in the operator's words. */
  readonly note: string | null;
};

export type TrustProblem = {
  readonly code: 'log-already-open' | 'wrong-log' | 'key-exists' | 'key-unknown' | 'key-ended';
  readonly message: string;
};

/** Record 0 gives the log its id and its first trust administrator. `digest`: SHA-256 (hex) of its value. */
export const openTrust = (opened: LogOpened, digest: string): Trust => ({
  logId: opened.log,
  keys: new Map([[opened.key.id, keyState(opened, 0)]]),
  markers: new Map([[trustIdentity(opened, opened.key.principal), digest]]),
  sealed: null,
});

/** What names a trust record: its marker id and who signed it. */
export const trustIdentity = (change: TrustChange, principal: string): string =>
  `${change.marker}:${principal}`;

/** A trust record that was signed by a trust administrator takes effect from the next position on. */
export const evolveTrust = (
  trust: Trust,
  change: TrustChange,
  position: Position,
): Result<Trust, TrustProblem> => {
  if (change.kind !== 'log-opened' && change.log !== trust.logId)
    return refuse('wrong-log', 'the record names another log id');
  switch (change.kind) {
    case 'log-opened':
      return refuse('log-already-open', 'only record 0 opens a log');
    case 'key-added': {
      const known = knownKey(trust, change.key);
      return known === undefined
        ? ok(withKey(trust, keyState(change, position)))
        : refuse('key-exists', `the key ${known.id} is already known; a key is never added twice`);
    }
    case 'key-retired': {
      const key = trust.keys.get(change.keyId);
      if (key === undefined) return refuse('key-unknown', `no key ${change.keyId} is known`);
      return key.retiredAt === null
        ? ok(withKey(trust, { ...key, retiredAt: position }))
        : refuse('key-ended', `the key ${change.keyId} is retired since position ${key.retiredAt}`);
    }
    case 'key-compromised': {
      const key = trust.keys.get(change.keyId);
      if (key === undefined) return refuse('key-unknown', `no key ${change.keyId} is known`);
      const since = Math.min(change.since, key.compromised?.since ?? change.since);
      const at = key.compromised?.at ?? position;
      return ok(withKey(trust, { ...key, compromised: { at, since } }));
    }
  }
};

export type KeyProblem = {
  readonly code: 'key-retired' | 'key-compromised';
  readonly message: string;
};

/** Whether the key may sign now, in this role. */
export const keyProblem = (key: KeyState): KeyProblem | undefined => {
  if (key.compromised !== null)
    return {
      code: 'key-compromised',
      message: `the key ${key.id} was found compromised (position ${key.compromised.at})`,
    };
  if (key.retiredAt !== null)
    return {
      code: 'key-retired',
      message: `the key ${key.id} was retired (position ${key.retiredAt})`,
    };
  return undefined;
};

/** A key as a topic beside the log sees it. */
export type DatedKey = KeyState & {
  /** Append time of the record that retired it, milliseconds since 1970. Left out: not retired, or nobody knows. */
  readonly retiredAtMs?: number;
};

/**
 * What a retired key signed beside the log counts for so much longer. It covers what the clocks of two partitions may
 * differ, and the time until a process that still signs with the key hears of its end.
 */
export const retirementGraceMs = 60_000;

/**
 * Whether the key may have signed a record of a topic beside the log that was appended at `appendedAtMs` by that
 * topic's clock. Two topics have no common positions, so the times of both appends are compared: whoever reads the
 * record, and however late, judges alike. What a compromised key signed counts never.
 */
export const keyProblemAt = (key: DatedKey, appendedAtMs: number): KeyProblem | undefined => {
  const ended = keyProblem(key);
  const { retiredAtMs } = key;
  if (ended?.code !== 'key-retired' || retiredAtMs === undefined) return ended;
  return appendedAtMs <= retiredAtMs + retirementGraceMs ? undefined : ended;
};

export const hasRole = (key: TrustedKey, role: Role): boolean => key.roles.includes(role);

/** Places of a scope. */
type Scope = Pick<TrustedKey, 'environments' | 'components'>;

/** Whether the key's scope covers the kind. */
export const coversKind = (key: Pick<TrustedKey, 'kinds'>, kind: string): boolean =>
  covers(key.kinds, kind);

/** Whether the key's scope covers the place. Deny by default: an empty list covers nothing. */
export const coversSlot = (key: Scope, slot: Slot): boolean =>
  covers(key.environments, slot.environment) && covers(key.components, slot.component);

/** Everything, and so also what has no place. */
export const coversEverywhere = (key: Scope): boolean =>
  key.environments.includes('*') && key.components.includes('*');

/** Whether the key may speak for all components of the environments of a pattern: a name, or its beginning and `*`. */
export const coversEnvironments = (key: TrustedKey, pattern: string): boolean =>
  covers(key.environments, pattern) && key.components.includes('*');

const covers = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => takesName(pattern, name));

/**
 * The key by its bytes, whatever name it had: a record's key id is not signed, so one public key under two
 * principals could be read as either, and a key that was ended must not come back under another name.
 */
const knownKey = (trust: Trust, added: TrustedKey): KeyState | undefined =>
  trust.keys.get(added.id) ??
  [...trust.keys.values()].find(({ publicKey }) => sameBytes(publicKey, added.publicKey));

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const keyState = (change: LogOpened | KeyAdded, position: Position): KeyState => ({
  ...change.key,
  addedAt: position,
  retiredAt: null,
  compromised: null,
});

const withKey = (trust: Trust, key: KeyState): Trust => ({
  ...trust,
  keys: new Map([...trust.keys, [key.id, key]]),
});

const refuse = (code: TrustProblem['code'], message: string): Result<never, TrustProblem> =>
  fail({ code, message });
