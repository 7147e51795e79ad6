import type { Position } from '../../core/log/record.ts';
import type { KeyAdded, KeyCompromised, KeyRetired } from '../../core/markers/marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import { signMarker } from '../../core/markers/wire.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { KeyState, Trust } from '../../core/trust/trust.ts';
import { coversKind, evolveTrust, hasRole, keyProblem } from '../../core/trust/trust.ts';
import type { Line } from '../../core/views.ts';
import type { Signer } from '../../ports/signer.ts';
import type { Given } from '../terminal/arguments.ts';
import { append } from '../release/deliver.ts';
import { envelopeOf, toMarker } from '../release/marker-fields.ts';
import { positionAt } from '../reading/position-at.ts';
import type { AtHand, CliPorts, PublicKey } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { refuseSealed } from '../operate/sealed.ts';

// Changes of trust: an administrator signs them, the log keeps them, and they count from the next position on.

type Change = KeyAdded | KeyRetired | KeyCompromised;

/** What became of a change, printed with --json. */
export type KeyChanged = Line & {
  readonly key: string;
  readonly principal: string;
  readonly kind: Change['kind'];
  readonly marker: string | null;
  readonly delivery: 'stored' | 'duplicate';
  readonly position: Position;
};

type Answer = Promise<Result<KeyChanged, CliProblem>>;

export const trustKey = async (ports: CliPorts, given: Given): Answer => {
  const [path = ''] = given.words;
  const read = await ports.keys.readPublic(path);
  if (!read.ok) return refuse(read.problem.code, read.problem.message, read.problem.hint);
  const key = read.value;
  const scope = {
    roles: given.values('role'),
    environments: given.values('environment'),
    components: given.values('component'),
    kinds: given.has('kind') ? given.values('kind') : ['*'],
  };
  const { keyId: id, principal, algorithm, publicKey } = key;
  const body = { key: { id, principal, algorithm, publicKey, ...scope }, keyId: null, since: null };
  const checked = rehearse(ports, 'key-added', body, given);
  if (!checked.ok) return checked;
  const opened = await ports.atHand(() => undefined);
  if (!opened.ok) return opened;
  const known = opened.value.state.trust.keys.get(id);
  if (known !== undefined) return trustedBefore(known, key, scope);
  return change(ports, opened.value, 'key-added', body, given, principal);
};

/** The same key with the same scope is nothing new; a key whose scope is to change is made anew. */
const trustedBefore = (
  known: KeyState,
  { keyId, principal }: PublicKey,
  scope: { readonly [name: string]: readonly string[] },
): Result<KeyChanged, CliProblem> => {
  const isSame =
    keyProblem(known) === undefined &&
    JSON.stringify([known.roles, known.environments, known.components, known.kinds]) ===
      JSON.stringify([scope['roles'], scope['environments'], scope['components'], scope['kinds']]);
  if (!isSame)
    return refuse(
      'key-exists',
      `the key ${keyId} is known since position ${known.addedAt}, and its scope never changes`,
      'make a new key (plimsoll keys new), have it trusted, and retire this one',
    );
  return ok(unchanged(known, 'key-added', principal, known.addedAt));
};

export const retireKey = async (ports: CliPorts, given: Given): Answer => {
  const found = await findKey(ports, given);
  if (!found.ok) return found;
  const { atHand, key } = found.value;
  if (key.retiredAt !== null)
    return ok(unchanged(key, 'key-retired', key.principal, key.retiredAt));
  if (isLastAdministrator(atHand.state.trust, key)) return lastAdministrator(key);
  const body = { key: null, keyId: key.id, since: null };
  return change(ports, atHand, 'key-retired', body, given, key.principal);
};

export const markCompromised = async (ports: CliPorts, given: Given): Answer => {
  const found = await findKey(ports, given);
  if (!found.ok) return found;
  const { atHand, key } = found.value;
  const since = await positionAt(atHand.log, given.value('since') ?? '');
  if (!since.ok) return since;
  if (key.compromised !== null && key.compromised.since <= since.value)
    return ok(unchanged(key, 'key-compromised', key.principal, key.compromised.at));
  if (isLastAdministrator(atHand.state.trust, key)) return lastAdministrator(key);
  const body = { key: null, keyId: key.id, since: since.value };
  return change(ports, atHand, 'key-compromised', body, given, key.principal);
};

const findKey = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<{ readonly atHand: AtHand; readonly key: KeyState }, CliProblem>> => {
  const [id = ''] = given.words;
  if (!/^[0-9a-f]{16}$/.test(id))
    return refuse(
      'word-invalid',
      `${JSON.stringify(id.slice(0, 64))} is no key id`,
      'it has 16 hex digits; plimsoll keys list shows it',
    );
  const atHand = await ports.atHand(() => undefined);
  if (!atHand.ok) return atHand;
  const key = atHand.value.state.trust.keys.get(id);
  return key === undefined
    ? refuse('not-found', `the log has named no key ${id}`, 'plimsoll keys list shows those it has')
    : ok({ atHand: atHand.value, key });
};

const isLastAdministrator = (trust: Trust, key: KeyState): boolean =>
  isAdministrator(key) &&
  ![...trust.keys.values()].some((other) => other.id !== key.id && isAdministrator(other));

const isAdministrator = (key: KeyState): boolean =>
  hasRole(key, 'trust-admin') && keyProblem(key) === undefined;

const lastAdministrator = ({ id }: KeyState): Result<never, CliProblem> =>
  refuse(
    'last-administrator',
    `the key ${id} is the last that may change trust; without it nobody could ever again`,
    'trust another administrator first: plimsoll keys trust FILE --role=trust-admin …',
  );

const unchanged = (
  key: KeyState,
  kind: Change['kind'],
  principal: string,
  position: Position,
): KeyChanged => ({ key: key.id, principal, kind, marker: null, delivery: 'duplicate', position });

const change = async (
  ports: CliPorts,
  { log, state }: AtHand,
  kind: Change['kind'],
  body: Body,
  given: Given,
  principal: string,
): Answer => {
  const signer = await readAdministrator(ports, given);
  if (!signer.ok) return signer;
  const marker = changeOf(ports, kind, { ...body, log: state.trust.logId }, given);
  if (!marker.ok) return marker;
  const allowed = mayChange(state.trust, signer.value, marker.value, state.next);
  if (!allowed.ok) return allowed;
  const { codec, text } = ports.tools;
  const record = await signMarker(codec, text, marker.value, signer.value);
  const position = await append(log, record);
  if (!position.ok) return position;
  const key = marker.value.kind === 'key-added' ? marker.value.key.id : marker.value.keyId;
  return ok({
    key,
    principal,
    kind,
    marker: marker.value.marker,
    delivery: 'stored',
    position: position.value,
  });
};

const readAdministrator = async (
  { keys }: CliPorts,
  given: Given,
): Promise<Result<Signer, CliProblem>> => {
  const signer = await keys.read(given.value('key') ?? keys.pathOf('admin'));
  return signer.ok
    ? signer
    : refuse(signer.problem.code, signer.problem.message, signer.problem.hint);
};

/** What the fold will ask, asked before it is written. */
const mayChange = (
  trust: Trust,
  { keyId }: Signer,
  marker: Change,
  next: Position,
): Result<void, CliProblem> => {
  const sealed = refuseSealed(trust);
  if (sealed !== undefined) return sealed;
  const administrator = trust.keys.get(keyId);
  const hint = "use an administrator's key: --key FILE; plimsoll keys list shows roles";
  if (administrator === undefined)
    return refuse('key-unknown', `the key ${keyId} is not trusted on this log`, hint);
  const ended = keyProblem(administrator);
  if (ended !== undefined) return refuse(ended.code, ended.message, hint);
  if (!hasRole(administrator, 'trust-admin'))
    return refuse('role-missing', `the key ${keyId} has not the role trust-admin`, hint);
  if (!coversKind(administrator, marker.kind))
    return refuse('kind-not-allowed', `the key ${keyId} may not sign ${marker.kind}`, hint);
  const evolved = evolveTrust(trust, marker, next);
  return evolved.ok
    ? ok(undefined)
    : fail(problem(evolved.problem.code, evolved.problem.message, 'plimsoll keys list'));
};

/** Finds what is wrong in the command line before anything is opened: with a log id that is not final. */
const rehearse = (
  ports: CliPorts,
  kind: Change['kind'],
  body: Body,
  given: Given,
): Result<Change, CliProblem> => changeOf(ports, kind, { ...body, log: ports.ids.uuidV7() }, given);

const changeOf = (
  ports: CliPorts,
  kind: Change['kind'],
  body: Body,
  given: Given,
): Result<Change, CliProblem> => {
  const marker = toMarker(
    kind,
    {
      ...envelopeOf(ports),
      kind,
      reason: given.value('reason'),
      ...body,
    },
    '--reason',
  );
  return marker.ok ? ok(marker.value as Change) : marker;
};
