import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { fail } from '../core/result.ts';
import { hasRole, keyProblem } from '../core/trust/trust.ts';
import type { DatedKey, KeyState } from '../core/trust/trust.ts';
import { Halted } from './halted.ts';
import type { AnalyserPorts } from './ports.ts';
import { readKeys } from './read-models.ts';

/** The keys as of the last look at the read models, each with the time of its retirement. */
export type TrustedKeys = {
  /**
   * Looks again where one of these keys is not known, or the last look is a while ago. Throws `Halted` where the read
   * models cannot be read and nobody knows the key, or where the log cannot say when a key was retired. The same map
   * comes again until there was another look.
   */
  readonly forKeys: (keyIds: Iterable<string>) => Promise<ReadonlyMap<string, DatedKey>>;
};

/** A key that was found compromised is refused after this at the latest. */
const lookAgainAfterMs = 2_000;
/** However many records name unknown keys, the read models are not asked more often. */
const lookAgainMsMin = 200;

export const openTrustedKeys = (ports: Ports): TrustedKeys => {
  let keys: ReadonlyMap<string, DatedKey> | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  /** What lies at a position never changes. */
  const retirements = new Map<Position, number | undefined>();

  const dated = async (key: KeyState): Promise<DatedKey> => {
    const { retiredAt } = key;
    if (retiredAt === null || key.compromised !== null) return key;
    if (!retirements.has(retiredAt)) retirements.set(retiredAt, await appendTime(ports, retiredAt));
    const retiredAtMs = retirements.get(retiredAt);
    return retiredAtMs === undefined ? key : { ...key, retiredAtMs };
  };

  return {
    forKeys: async (keyIds) => {
      const sinceMs = ports.clock.nowMs() - lookedAtMs;
      const known = keys;
      const isKnown = known !== undefined && [...keyIds].every((keyId) => known.has(keyId));
      // Less than none has passed where the clock was set back.
      const isFresh = sinceMs >= 0 && sinceMs < (isKnown ? lookAgainAfterMs : lookAgainMsMin);
      if (keys !== undefined && isFresh) return keys;
      const read = await readKeysOfLog(ports);
      if (read.ok) {
        const all = await Promise.all([...read.value.values()].map(dated));
        keys = new Map(all.map((key) => [key.id, key]));
        lookedAtMs = ports.clock.nowMs();
      } else if (keys === undefined || !isKnown) {
        // What befalls the store must not turn good samples into refused ones: they are read again.
        throw new Halted(`the keys cannot be read: ${read.problem.message}`);
      }
      return keys;
    },
  };
};

type Ports = Pick<AnalyserPorts, 'log' | 'store' | 'tools' | 'clock' | 'signer'>;

/** Undefined: the log no longer has the record, nor has its archive; then nothing of the key counts. */
const appendTime = async ({ log }: Ports, position: Position): Promise<number | undefined> => {
  const read = await log.read(0, position, 1);
  if (read.ok) return read.value[0]?.appendedAtMs;
  if (read.problem.code === 'before-start') return undefined;
  throw new Halted(`the log cannot say when a key was retired: ${read.problem.message}`);
};

/**
 * The keys, of read models that know this analyser's own: nothing is judged before the log trusts it, so a store without
 * it has fallen back to where it was not trusted yet, and is being filled again.
 */
const readKeysOfLog = async (
  ports: Ports,
): Promise<Result<ReadonlyMap<string, KeyState>, { readonly message: string }>> => {
  const keys = await readKeys(ports);
  return keys.ok && !keys.value.has(ports.signer.keyId)
    ? fail({ message: 'the read models are behind: they do not know the key of this analyser yet' })
    : keys;
};

/**
 * Whether the log trusts this analyser's own key to sign samples and decisions; undefined: nobody can say, or the read
 * models do not know it yet.
 */
export const isOwnKeyTrusted = async (ports: Ports): Promise<boolean | undefined> => {
  const keys = await readKeysOfLog(ports);
  if (!keys.ok) return undefined;
  const own = keys.value.get(ports.signer.keyId);
  return own !== undefined && keyProblem(own) === undefined && hasRole(own, 'analyser');
};
