import { hasRole, keyProblem } from '../core/trust/trust.ts';
import type { KeyState } from '../core/trust/trust.ts';
import type { AnalyserPorts } from './ports.ts';
import { readKeys } from './read-models.ts';

/** The keys as of the last look at the read models. */
export type TrustedKeys = {
  /** Looks again where the key is not known, or the last look is a while ago. */
  readonly forKey: (keyId: string | undefined) => Promise<ReadonlyMap<string, KeyState>>;
};

/** A key that was found compromised is refused after this at the latest. */
const lookAgainAfterMs = 2_000;
/** However many records name unknown keys, the read models are not asked more often. */
const lookAgainMsMin = 200;

export const openTrustedKeys = (
  ports: Pick<AnalyserPorts, 'store' | 'tools' | 'clock'>,
): TrustedKeys => {
  let keys: ReadonlyMap<string, KeyState> = new Map();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return {
    forKey: async (keyId) => {
      const sinceMs = ports.clock.nowMs() - lookedAtMs;
      const isKnown = keyId === undefined || keys.has(keyId);
      if (sinceMs < (isKnown ? lookAgainAfterMs : lookAgainMsMin)) return keys;
      const read = await readKeys(ports);
      // An outage of the store must not turn good samples into refused ones.
      if (read.ok) {
        keys = read.value;
        lookedAtMs = ports.clock.nowMs();
      }
      return keys;
    },
  };
};

/** Whether the log trusts this analyser's own key to sign samples and decisions. */
export const isOwnKeyTrusted = async (
  ports: Pick<AnalyserPorts, 'store' | 'tools' | 'clock' | 'signer'>,
): Promise<boolean> => {
  const keys = await readKeys(ports);
  const own = keys.ok ? keys.value.get(ports.signer.keyId) : undefined;
  return own !== undefined && keyProblem(own) === undefined && hasRole(own, 'analyser');
};
