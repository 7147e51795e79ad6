import type { JudgingNote } from '../canary/analysis/judging-note.ts';
import type { DeadLetter } from '../dead-letters.ts';
import type { Deployment } from '../deployment.ts';
import type { SlotGuardRow, Stop } from '../guard.ts';
import type { RefusedRow } from '../instances/fold.ts';
import type { Members, SlotInstances } from '../instances/running.ts';
import { isoTimeOrNull } from '../instant.ts';
import type { Position } from '../log/record.ts';
import type { Slot } from '../markers/marker.ts';
import type { PolicyRow } from '../policy-records.ts';
import type { ProducerRow } from '../producers.ts';
import type { RemarkRow } from '../remarks.ts';
import type { AttemptLine, SlotState } from '../slot-state.ts';
import type { Line, Present } from '../views.ts';

// What is missing or wrong, as a reader of the read models sees it who knows what time it is. Nothing of it is stored:
// the same rows and the same moment give the same problems, in the same order.

/** `alarm`: somebody must look now; `warning`: somebody should; `info`: it is as it should be, in numbers. */
export type Severity = 'alarm' | 'warning' | 'info';
export const severities: readonly Severity[] = ['alarm', 'warning', 'info'];

export type ProblemCode =
  | 'expected-missing'
  | 'expected-pending'
  | 'expected-met'
  | 'expected-unheard'
  | 'digest-mismatch'
  | 'digests-differ'
  | 'running-unknown'
  | 'running-unclaimed'
  | 'running-uncounted'
  | 'conflict'
  | 'suspect-holder'
  | 'never-ended'
  | 'contradiction'
  | 'disagreement'
  | 'sequence-gap'
  | 'sequence-repeat'
  | 'clock-skewed'
  | 'arrived-late'
  | 'tag-without-digest'
  | 'fields-missing'
  | 'metric-unsent'
  | 'targets-together'
  | 'no-bound'
  | 'slower-part'
  | 'status-unsaid'
  | 'traffic-lost'
  | 'client-errors'
  | 'points-unknown'
  | 'points-late'
  | 'exports-sparse'
  | 'instance-loud'
  | 'attributes-overflown'
  | 'servers-restart'
  | 'servers-busier'
  | 'digest-missing'
  | 'stopped'
  | 'slot-frozen'
  | 'unread'
  | 'unsigned'
  | 'out-of-scope'
  | 'not-accepted'
  | 'instances-refused';

/** A place, as far as a problem has one. */
export type ProblemPlace = { readonly [Part in keyof Slot]: string | null };

export type Problem = {
  readonly code: ProblemCode;
  readonly severity: Severity;
  /** With the code it names the problem: the same again is the same problem. */
  readonly subject: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  readonly place: ProblemPlace;
  readonly deployment: string | null;
  /** Who signed, where it is about a signer. */
  readonly principal: string | null;
  /** How many of what the message counts. */
  readonly count: number;
  readonly coverage: { readonly reported: number; readonly expected: number } | null;
  /** What is missing, at most `namedMax` of it. */
  readonly missing: readonly string[];
  /** Records of the log that it follows from: the last `positionsMax`, ascending. */
  readonly positions: readonly Position[];
  /** Records of the topic of instances that it follows from. */
  readonly instances: readonly { readonly partition: number; readonly position: Position }[];
  /** Since when it is so, or when it was due; milliseconds since 1970. */
  readonly at: number | null;
};

const positionsMax = 20;
const namedMax = 50;

/** One slot's instances, with where their records lie. */
export type RunningSlot = {
  readonly partition: number;
  readonly state: SlotInstances;
  /** The instances one by one, where their groups alone do not tell what is asked of them. */
  readonly members: readonly Members[] | null;
};

/** What the problems follow from. Lists that grow with the log hold what is newer than the reader looks back. */
export type ProblemRows = {
  readonly present: Present;
  readonly slots: readonly SlotState[];
  readonly attempts: readonly AttemptLine[];
  /** Whole deployments: those in conflict, of components that are expected somewhere, and planned where plans must say more. */
  readonly deployments: readonly Deployment[];
  /** Documents of policies, oldest first. */
  readonly policies: readonly PolicyRow[];
  /** By people: nobody obeys decisions there. */
  readonly stops: readonly Stop[];
  /** The roll-backs of slots, by `slotGuardKey`. */
  readonly slotGuards: ReadonlyMap<string, SlotGuardRow>;
  readonly producers: readonly ProducerRow[];
  readonly remarks: readonly RemarkRow[];
  readonly letters: readonly DeadLetter[];
  readonly running: readonly RunningSlot[];
  /** Canaries that are judged, as their analysers have told lately. */
  readonly judging: readonly JudgingNote[];
  readonly refusedInstances: readonly (RefusedRow & { readonly partition: number })[];
};

export const nowhere: ProblemPlace = {
  namespace: null,
  environment: null,
  component: null,
  target: null,
};

/** A problem of what most have not. */
export const problemOf = (
  told: Pick<Problem, 'code' | 'severity' | 'subject' | 'message' | 'hint'> & Partial<Problem>,
): Problem => ({
  place: nowhere,
  deployment: null,
  principal: null,
  count: 1,
  coverage: null,
  instances: [],
  at: null,
  ...told,
  missing: (told.missing ?? []).slice(0, namedMax),
  positions: lastPositions(told.positions ?? []),
});

const lastPositions = (positions: readonly Position[]): readonly Position[] =>
  [...new Set(positions)].toSorted((a, b) => a - b).slice(-positionsMax);

/** `production/checkout`, `eu/production/checkout (cell-7)`: a place as a sentence names it. */
export const placeName = ({ namespace, environment, component, target }: ProblemPlace): string =>
  [
    ...(namespace === null || namespace === 'default' ? [] : [namespace]),
    environment ?? 'nowhere',
    ...(component === null ? [] : [component]),
  ].join('/') + (target === null ? '' : ` (${target})`);

/** `1 record`, `2 records`. */
export const countOf = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** A problem as one line of `problems`. */
export const problemLine = (problem: Problem): Line => ({
  severity: problem.severity,
  code: problem.code,
  subject: problem.subject,
  message: problem.message,
  hint: problem.hint,
  ...problem.place,
  deployment: problem.deployment,
  principal: problem.principal,
  count: problem.count,
  coverage: problem.coverage,
  missing: problem.missing,
  at: isoTimeOrNull(problem.at),
  positions: problem.positions,
  instances: problem.instances.map(({ partition, position }) => ({ partition, position })),
});
