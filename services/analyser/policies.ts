import { readDocumentText } from '../core/canary/policy/parse-policy.ts';
import type { PolicyDocument } from '../core/canary/policy/placed-policy.ts';
import { policiesOf } from '../core/canary/policy/placed-policy.ts';
import { selectionOf } from '../core/canary/policy/selection.ts';
import type { Selection } from '../core/telemetry/telemetry-point.ts';
import { Halted } from './halted.ts';
import type { AnalyserPorts } from './ports.ts';
import { readPolicies } from './read-models.ts';

/** The policies that canaries which begin now are judged by. */
export type Policies = {
  /**
   * Asked of the read models each time: whoever obeys asks for the policy that was set last before the start. Null:
   * nobody has set any, and the standard preset counts. Throws `Halted` where nobody can say, or where this release
   * cannot read them: a canary is not judged by what nobody wanted.
   */
  readonly inForce: () => Promise<PolicyDocument | null>;
  /** The same; undefined: this release cannot read them. */
  readonly readable: () => Promise<PolicyDocument | null | undefined>;
  /**
   * What some policy judges: the same object for as long as that is so. Of policies that cannot be read it is what the
   * standard preset judges.
   */
  readonly selection: () => Promise<Selection>;
};

/** What a policy that was set judges is copied after this at the latest. */
const lookAgainAfterMs = 3_000;

type Ports = Pick<AnalyserPorts, 'store' | 'clock' | 'policyFile'>;

type Known = {
  readonly text: string | null;
  readonly document: PolicyDocument | null;
  /** Why it cannot be read, or null. */
  readonly unreadable: string | null;
  readonly selection: Selection;
};

export const openPolicies = (ports: Ports): Policies => {
  let known: Known | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  const look = async (mayBeMsOld: number): Promise<Known> => {
    const { policyFile, clock } = ports;
    if (policyFile !== null) return (known ??= knownOf(null, policyFile, null));
    const sinceMs = clock.nowMs() - lookedAtMs;
    // Less than none has passed where the clock was set back.
    if (known !== undefined && sinceMs >= 0 && sinceMs < mayBeMsOld) return known;
    const read = await readPolicies(ports);
    if (read.ok) {
      if (known === undefined || known.text !== read.value) known = readKnown(read.value);
      lookedAtMs = clock.nowMs();
    } else if (known === undefined || mayBeMsOld === 0) {
      throw new Halted(`the policies cannot be read: ${read.problem.message}`);
    }
    return known;
  };

  return {
    inForce: async () => {
      const { document, unreadable } = await look(0);
      if (unreadable !== null)
        throw new Halted(`the policies on the log are not for this release: ${unreadable}`);
      return document;
    },
    readable: async () => {
      const { document, unreadable } = await look(0);
      return unreadable === null ? document : undefined;
    },
    selection: async () => (await look(lookAgainAfterMs)).selection,
  };
};

const readKnown = (text: string | null): Known => {
  if (text === null) return knownOf(null, null, null);
  const read = readDocumentText(text);
  return read.ok
    ? knownOf(text, read.value, null)
    : knownOf(text, null, read.problem[0]?.message ?? '');
};

const knownOf = (
  text: string | null,
  document: PolicyDocument | null,
  unreadable: string | null,
): Known => ({ text, document, unreadable, selection: selectionOf(policiesOf(document)) });
