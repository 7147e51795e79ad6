import type { Json } from './canonical.ts';
import { isoTime, isoTimeOrNull } from './instant.ts';
import type { Attempt, Deployment, Entry, Status } from './deployment.ts';
import type { Position } from './log/record.ts';
import type { DecidedMetric } from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import type { OperationRow } from './operations.ts';
import type { PolicyRow } from './policy-records.ts';
import type { DeadLetter } from './dead-letters.ts';
import { letterState } from './dead-letters.ts';
import type { DecisionRow, NameRow } from './read-models.ts';
import type { RetentionTier } from './retention.ts';
import type { AttemptLine, SlotState } from './slot-state.ts';
import { attemptLine } from './slot-state.ts';
import type { KeyState } from './trust/trust.ts';

// Rows as people and programs read them: UTC ISO 8601, absent is null. Each line has a JSON Schema in schemas/cli.

export type Line = { readonly [field: string]: Json };

/** What is known at the moment of reading only, and no row says. */
export type Present = {
  /** By the reader's clock. */
  readonly nowMs: number;
  /** Keys that were found compromised: what they signed from a position on is suspect. */
  readonly suspects: ReadonlyMap<string, Position>;
};

export const presentOf = (nowMs: number, keys: readonly KeyState[]): Present => ({
  nowMs,
  suspects: new Map(
    keys.flatMap((key) =>
      key.compromised === null ? [] : [[key.id, key.compromised.since] as const],
    ),
  ),
});

/** Whether what that key signed at that position is suspect. */
export const isSuspectAt = ({ suspects }: Present, key: string, position: Position): boolean =>
  position >= (suspects.get(key) ?? Number.POSITIVE_INFINITY);

/** What is planned or running and was not heard of for so long is shown as `expired`. */
export const expiredAfterMs: number = 24 * 60 * 60_000;

/** Asked of what is planned or running. */
export const isExpired = ({ heardAt }: AttemptLine, { nowMs }: Present): boolean =>
  nowMs - heardAt > expiredAfterMs;

const statusAt = (line: AttemptLine, present: Present): Status | 'expired' => {
  const { status } = line;
  switch (status) {
    case 'planned':
    case 'running':
      return isExpired(line, present) ? 'expired' : status;
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
      return status;
  }
};

/** One attempt, one line of `timeline`. */
export const timelineLine = (line: AttemptLine, present: Present): Line => ({
  deployment: line.deployment,
  attempt: line.attempt,
  namespace: line.namespace,
  component: line.component,
  environment: line.environment,
  target: line.target,
  version: line.version,
  name: line.name,
  status: statusAt(line, present),
  statusReported: line.statusReported,
  failureReason: line.failureReason,
  rollback: line.rollback,
  startedAt: isoTimeOrNull(line.startedAt),
  endedAt: isoTimeOrNull(line.endedAt),
  heardAt: isoTime(line.heardAt),
  signer: line.signer,
  onBehalf: line.onBehalf,
  links: line.links.map(({ name, value }) => ({ name, url: value })),
  digest: line.digest,
  unplanned: line.unplanned,
  conflict: line.conflict,
  suspect:
    isSuspectAt(present, line.key, line.statusPosition) ||
    (line.plan !== null && isSuspectAt(present, line.plan.key, line.plan.position)),
  position: line.position,
  statusPosition: line.statusPosition,
});

/** One held version a line of `current`: what holds the slot, what is uncertain about it, what goes on beside it. */
export const currentLines = (state: SlotState, present: Present): readonly Line[] =>
  state.holders.map((holder) => ({
    ...timelineLine(holder, present),
    since: isoTime(holder.since),
    uncertain:
      holder.uncertain === null ? null : { ...holder.uncertain, at: isoTime(holder.uncertain.at) },
    beside: state.beside.map((line) => timelineLine(line, present)),
  }));

const entryLine = (entry: Entry, present: Present): Line => ({
  position: entry.position,
  marker: entry.marker,
  kind: entry.kind,
  at: isoTime(entry.at),
  appendedAt: isoTime(entry.appendedAt),
  occurredAt: isoTime(entry.occurredAt),
  waitedMs: entry.waitedMs,
  clockSkewed: entry.clockSkewed,
  signer: entry.principal,
  key: entry.key,
  source: entry.source,
  note: entry.note,
  says: entry.says,
  statusReported: entry.statusReported,
  reason: entry.reason,
  canaryShare: entry.canaryShare,
  colour: entry.colour,
  phase: entry.phase,
  suspect: isSuspectAt(present, entry.key, entry.position),
  details: entry.details,
});

/** A renewal by a key that was found compromised prolongs nothing. */
const validUntilOf = ({ at, validForMs, renewal }: DecisionRow, present: Present): number =>
  renewal === null || isSuspectAt(present, renewal.key, renewal.position)
    ? at + validForMs
    : renewal.validUntil;

/** A decision, one line of `decisions`. */
export const decisionLine = (row: DecisionRow, present: Present): Line => ({
  position: row.position,
  at: isoTime(row.at),
  decision: row.kind,
  deployment: row.deployment,
  attempt: row.attempt,
  namespace: row.slot.namespace,
  environment: row.slot.environment,
  component: row.slot.component,
  target: row.slot.target,
  verdict: row.verdict,
  reason: row.reason,
  explanation: row.explanation,
  metric: row.metric,
  canary: { ...row.canary },
  baseline: { ...row.baseline },
  ratio: row.ratio,
  interval: row.ratioLow === null && row.ratioHigh === null ? null : [row.ratioLow, row.ratioHigh],
  evidence: row.evidence,
  evidenceNeeded: row.evidenceNeeded,
  evidenceIs: row.reason === 'worse-at-deadline' ? 'deviations' : 'odds',
  tolerance: { relative: row.toleranceRelative, absolute: row.toleranceAbsolute },
  windows: row.windows,
  windowMs: row.windowMs,
  windowEndedAt: isoTime(row.windowEndedAt),
  share: row.share,
  validUntil: isoTime(validUntilOf(row, present)),
  renewal: row.renewal?.position ?? null,
  fromVersion: row.fromVersion,
  fromDigest: row.fromDigest,
  toVersion: row.toVersion,
  toDigest: row.toDigest,
  judge: row.judge,
  policyDigest: row.policyDigest,
  evidenceDigest: row.evidenceDigest,
  samples: { partition: row.samplesPartition, from: row.samplesFrom, to: row.samplesTo },
  marker: row.marker,
  signer: row.principal,
  key: row.key,
  note: row.note,
  suspect: isSuspectAt(present, row.key, row.position),
  metrics: row.metrics.map(metricLine),
  stage: row.stage,
  mode: row.mode,
  onSilence: row.onSilence,
  noiseDigest: row.noiseDigest,
  carriedFrom: row.carriedFrom,
});

const metricLine = (metric: DecidedMetric): Line => ({
  id: metric.id,
  judged: metric.judged,
  weight: metric.weight,
  blamed: metric.isBlamed,
  canary: { count: metric.canaryCount, events: metric.canaryEvents, level: metric.canaryLevel },
  baseline: {
    count: metric.baselineCount,
    events: metric.baselineEvents,
    level: metric.baselineLevel,
  },
  ratio: metric.ratio,
  interval:
    metric.ratioLow === null && metric.ratioHigh === null
      ? null
      : [metric.ratioLow, metric.ratioHigh],
  tolerated: metric.tolerated,
  evidence: metric.evidence,
  promoteEvidence: metric.promoteEvidence,
  dispersion: metric.dispersion,
  dispersionFrom: metric.dispersionFrom,
  cappedBlocks: metric.cappedBlocks,
  strongest: metric.strongest,
});

const attemptView = (deployment: Deployment, attempt: Attempt, present: Present): Line => {
  const { plan } = attempt;
  return {
    ...timelineLine(attemptLine(deployment, attempt), present),
    rerunOf: attempt.rerunOf,
    strategy: plan?.strategy ?? null,
    canaryShare: attempt.share,
    colour: attempt.colour,
    phase: attempt.phase,
    slot: plan === null ? null : slotKey(plan.slot),
    details: plan?.details ?? {},
    history: attempt.entries.map((entry) => entryLine(entry, present)),
    contradictions: attempt.entries
      .filter(({ note }) => note === 'contradiction')
      .map((entry) => entryLine(entry, present)),
    disagreements: attempt.entries
      .filter(({ note }) => note === 'disagreement')
      .map((entry) => entryLine(entry, present)),
    decisions:
      plan === null
        ? []
        : attempt.decisions.map((decision) =>
            decisionLine(
              { ...decision, deployment: deployment.id, attempt: attempt.number, slot: plan.slot },
              present,
            ),
          ),
  };
};

/** The whole of a deployment, for `show`. */
export const deploymentView = (deployment: Deployment, present: Present): Line => ({
  deployment: deployment.id,
  attempts: deployment.attempts.map((attempt) => attemptView(deployment, attempt, present)),
  conflicts: deployment.conflicts.map((conflict) => ({ ...conflict, at: isoTime(conflict.at) })),
});

/** A dead letter, one line of `dead-letters list`. Claims are unproven. */
export const deadLetterLine = (letter: DeadLetter): Line => ({
  position: letter.position,
  code: letter.code,
  message: letter.message,
  appendedAt: isoTime(letter.appendedAt),
  valueBytes: letter.valueBytes,
  digest: letter.digest,
  signer: letter.principal,
  claims: { ...letter.claims },
  state: letterState(letter),
  redriven: letter.redriven.map(({ position, operation, at, code }) => ({
    position,
    operation,
    at: isoTime(at),
    code,
  })),
  redrives: letter.redrives,
  discarded:
    letter.discarded === null
      ? null
      : {
          operation: letter.discarded.operation,
          at: isoTime(letter.discarded.at),
          signer: letter.discarded.principal,
          key: letter.discarded.key,
          reason: letter.discarded.reason,
        },
  redriveOf: letter.redriveOf,
});

/** What an operator did, one line of `operations`. */
export const operationLine = (row: OperationRow, present: Present): Line => ({
  position: row.position,
  at: isoTime(row.at),
  kind: row.kind,
  signer: row.principal,
  key: row.key,
  reason: row.reason,
  generation: row.generation,
  from: row.from,
  to: row.to,
  positions: row.positions,
  deployments: row.deployments,
  environment: row.environment,
  days: row.days,
  digest: row.digest,
  counts: row.counts.map(({ name, value }) => ({ name, value })),
  note: row.note,
  effect:
    row.effect === null
      ? null
      : {
          done: row.effect.done,
          refused: row.effect.refused.map(({ code, count }) => ({ code, count })),
        },
  marker: row.marker,
  source: row.source,
  suspect: isSuspectAt(present, row.key, row.position),
});

/** A document of policies that was set, one line of `policy list`. */
export const policyLine = (row: PolicyRow, present: Present): Line => ({
  position: row.position,
  at: isoTime(row.at),
  signer: row.principal,
  key: row.key,
  reason: row.reason,
  digest: row.digest,
  marker: row.marker,
  source: row.source,
  suspect: isSuspectAt(present, row.key, row.position),
});

/** The same with the document, for `policy show`; null where it is no JSON. */
export const policyView = (row: PolicyRow, present: Present): Line => ({
  ...policyLine(row, present),
  document: jsonOf(row.document),
});

const jsonOf = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
};

/** How long deployments of an environment are kept, one line of `retention list`. */
export const retentionLine = (
  { environment, days, set }: RetentionTier,
  present: Present,
): Line => ({
  environment,
  days,
  position: set?.position ?? null,
  at: isoTimeOrNull(set?.at ?? null),
  signer: set?.principal ?? null,
  key: set?.key ?? null,
  reason: set?.reason ?? null,
  suspect: set !== null && isSuspectAt(present, set.key, set.position),
});

/** A key, one line of `keys list`. */
export const keyLine = (key: KeyState): Line => ({
  key: key.id,
  principal: key.principal,
  algorithm: key.algorithm,
  roles: key.roles,
  environments: key.environments,
  components: key.components,
  kinds: key.kinds,
  addedAt: key.addedAt,
  retiredAt: key.retiredAt,
  compromisedSince: key.compromised?.since ?? null,
});

/** An environment or a component with what it was seen with, one line of `environments` and `components`. */
export const nameLine = (row: NameRow, seenWith: 'components' | 'environments'): Line => ({
  name: row.name,
  firstPosition: row.firstPosition,
  firstAt: isoTime(row.firstAt),
  lastPosition: row.lastPosition,
  lastAt: isoTime(row.lastAt),
  attempts: row.attempts,
  [seenWith]: row.seenWith,
});
