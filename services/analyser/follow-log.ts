import { isEnd } from '../core/canary/analysis/analysis.ts';
import {
  analysisIdOf,
  canaryAttempts,
  copiesOf,
  dueAnalysis,
  everyRollout,
  openingOf,
} from '../core/canary/attempts/canary-attempts.ts';
import type {
  CanaryAttempt,
  DueAnalysis,
  Frozen,
  RolloutsFor,
} from '../core/canary/attempts/canary-attempts.ts';
import { artifactsOf, beginningOf } from '../core/canary/attempts/kept-evidence.ts';
import { openingAgeMsMax, openingMadeMsMax } from '../core/canary/attempts/partition-past.ts';
import { policyFor } from '../core/canary/policy/placed-policy.ts';
import type { Deployment } from '../core/deployment.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { Before } from '../core/canary/rollouts/before.ts';
import { slotKey } from '../core/markers/slot.ts';
import { address } from '../core/projection.ts';
import { readRow } from '../core/row-text.ts';
import type { AnalysisOpened } from '../core/samples/sample.ts';
import type { SlotState } from '../core/slot-state.ts';
import type { Stop } from '../ports/clock.ts';
import type { RowKey } from '../ports/read-model-store.ts';
import { appendSamples } from './append-samples.ts';
import type { BeforeFor, BeforePlace } from './before-read.ts';
import type { EvidenceKept } from './evidence-kept.ts';
import { startAt } from './following.ts';
import type { Follower } from './following.ts';
import { Halted } from './halted.ts';
import type { NoiseFor } from './noise-kept.ts';
import type { AnalyserPorts } from './ports.ts';
import type { Policies } from './policies.ts';
import { rowsWhenAt } from './read-models.ts';

/** How long a batch waits for the projector before the subscription is given up and begun again. */
const projectorWaitMs = 20_000;
/** What is opened after so long rests on another look at the log. */
const lookAgainMs = 10_000;
/** How long an opening waits for what ran before: the reading ends itself long before, unless it hangs. */
const beforeMsMax = 120_000;
/** Analyses that this process remembers to have opened, so that it does not say it again with every marker. */
const openedRememberedMax = 10_000;

/** What openings freeze beside what the log says of their attempt. */
export type Freezing = {
  readonly policies: Policies;
  readonly kept: EvidenceKept;
  readonly noiseFor: NoiseFor;
  readonly beforeFor: BeforeFor;
};

/**
 * Tells the samples what the log says of canaries: which analyses open, and the records that they obey. It believes
 * the read models alone; of the records it takes only which deployments to look at. Whatever it says twice after a
 * restart, the first copy stands.
 */
export const followLog = (
  ports: AnalyserPorts,
  stop: Stop,
  { policies, kept, noiseFor, beforeFor }: Freezing,
): Follower => {
  const { tools, audience } = ports;
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  const opened = new Set<string>();

  const rowsAt = async (next: Position, keys: readonly RowKey[]): Promise<Rows> => {
    const rows = await rowsWhenAt(ports, stop, next, projectorWaitMs, keys);
    if (!rows.ok) throw new Halted(rows.problem.message);
    return rows.value.rows;
  };

  const frozenFor = async (due: DueAnalysis): Promise<Frozen> => {
    const { slot } = due.attempt.plan;
    const { environment, component } = slot;
    const policy = policyFor(await policies.inForce(), component, environment).placed;
    const place = { environment, component, policy: policy.policy };
    const { noise, ageMs } = await noiseFor(place);
    const isConcurrent = due.comparison === 'concurrent';
    const artifacts = isConcurrent ? artifactsOf(due.canary, due.baseline) : null;
    const awaited = due.judgedBefore.map((attempt) =>
      analysisIdOf(digest, due.deployment.id, attempt),
    );
    const left = artifacts === null ? undefined : await kept.find(slot, artifacts, awaited, stop);
    const { id } = due.deployment;
    const beginning = beginningOf(left, id, due.judgedBefore, ports.clock.nowMs());
    return { policy, noise, noiseAgeMs: ageMs, beginning, before: null };
  };

  /** Without it nobody is rolled back; to wait for ever would be to open nothing. */
  const beforeInTime = async (place: BeforePlace, endMs: number): Promise<Before> => {
    const waiting = new AbortController();
    const waited = ports.clock.sleep(beforeMsMax, waiting.signal).then(() => undefined);
    const before = await Promise.race([beforeFor(place, endMs, stop), waited]);
    waiting.abort();
    if (before !== undefined) return before;
    const message = `what ran before was not read within ${beforeMsMax / 1_000} s`;
    ports.tell({ event: 'not-kept', what: 'before', message });
    return { windows: [], season: null };
  };

  /** With what ran before, where that is compared: then it is opened where that ends. */
  const openingFor = async (due: DueAnalysis, frozen: Frozen): Promise<AnalysisOpened> => {
    // What was asked for took time: nothing before this moment enters.
    const openedAtMs = ports.clock.nowMs();
    const { deployment, attempt, canary, baseline } = due;
    const { namespace, target, environment, component } = attempt.plan.slot;
    const cohorts = { deployment: deployment.id, namespace, target, canary, baseline };
    const place = { environment, component, cohorts, policy: frozen.policy.policy };
    const before = due.comparison === 'concurrent' ? null : await beforeInTime(place, openedAtMs);
    return openingOf({ digest, audience }, due, { ...frozen, before }, openedAtMs);
  };

  const dueIn = (
    { rows }: Look,
    deployment: Deployment,
    attempt: CanaryAttempt,
    rolloutsFor: RolloutsFor,
  ): DueAnalysis | undefined => {
    const slot = rows.get(address('slot', slotKey(attempt.plan.slot)));
    const state = slot === undefined ? undefined : readRow<SlotState>('slot', slot);
    return dueAnalysis(digest, ports.clock.nowMs(), deployment, attempt, state, rolloutsFor);
  };

  /** The same by what the log says now; undefined: it is due no more. */
  const dueAgain = (
    look: Look,
    { deployment: { id }, attempt: { number } }: DueAnalysis,
    rolloutsFor: RolloutsFor,
  ): DueAnalysis | undefined => {
    const deployment = deploymentsIn(look.rows).find((one) => one.id === id);
    const attempt =
      deployment && canaryAttempts(deployment, rolloutsFor).find((one) => one.number === number);
    return deployment && attempt && dueIn(look, deployment, attempt, rolloutsFor);
  };

  const openings = async (
    deployment: Deployment,
    first: Look,
    again: () => Promise<Look>,
    rolloutsFor: RolloutsFor,
  ): Promise<readonly AnalysisOpened[]> => {
    const said: AnalysisOpened[] = [];
    for (const attempt of canaryAttempts(deployment, rolloutsFor)) {
      const seen = dueIn(first, deployment, attempt, rolloutsFor);
      if (seen === undefined || opened.has(seen.analysis)) continue;
      const frozenOfSeen = await frozenFor(seen);
      const isFresh = ports.clock.nowMs() - first.atMs <= lookAgainMs;
      const look = isFresh ? first : await again();
      const due = isFresh ? seen : dueAgain(look, seen, rolloutsFor);
      if (due === undefined) continue;
      // Evidence and budget are of who is compared: not of those whom a hotfix has just replaced.
      const frozen = freezesSame(due, seen) ? frozenOfSeen : await frozenFor(due);
      const opening = await openingFor(due, frozen);
      // Whoever was away so long must not speak of what may be over: it looks again.
      if (opening.openedAt - look.atMs > openingMadeMsMax)
        throw new Halted('an opening took too long; the log is looked at again');
      if (opened.size >= openedRememberedMax) opened.clear();
      opened.add(opening.analysis);
      const { analysis, carriedFrom, independentAttempts } = opening;
      ports.tell({
        event: 'analysis-opened',
        analysis,
        deployment: deployment.id,
        attempt: attempt.number,
        carriedFrom,
        independentAttempts,
      });
      said.push(opening);
    }
    return said;
  };

  /**
   * Asked for once a batch: what is judged must not change within it. Where this release cannot read the policies, the
   * ends of all that may be judged are told, and of what begins only canaries are looked at: to open one halts.
   */
  const rolloutsInForce = async (
    isAsked: boolean,
  ): Promise<{ readonly begun: RolloutsFor; readonly told: RolloutsFor }> => {
    const document = isAsked ? await policies.readable() : null;
    const begun: RolloutsFor = ({ slot: { component, environment } }) =>
      policyFor(document ?? null, component, environment).placed.policy;
    return { begun, told: document === undefined ? everyRollout : begun };
  };

  return {
    startFrom: (_partition, hint) => startAt(ports.log, 0, hint),
    onBatch: async ({ records }) => {
      const next = (records.at(-1)?.position ?? -1) + 1;
      const ids = [...new Set(records.flatMap((record) => deploymentIn(ports, record)))];
      const deploymentKeys = ids.map((key): RowKey => ({ model: 'deployment', key }));
      const { begun: judged, told } = await rolloutsInForce(ids.length > 0);
      const places = new Set(
        deploymentsIn(await rowsAt(next, deploymentKeys)).flatMap((deployment) =>
          canaryAttempts(deployment, told).map(({ plan }) => slotKey(plan.slot)),
        ),
      );
      if (places.size === 0) return next;
      // Read again beside the slots: what runs and what holds must be of one moment.
      const slotKeys = [...places].map((key): RowKey => ({ model: 'slot', key }));
      const lookNow = async (): Promise<Look> => {
        const atMs = ports.clock.nowMs();
        return { atMs, rows: await rowsAt(next, [...deploymentKeys, ...slotKeys]) };
      };
      const look = await lookNow();
      const copied = records.map(({ position, appendedAtMs, value }) => ({
        position,
        appendedAtMs,
        digest: tools.crypto.sha256Hex(value),
      }));
      const deployments = deploymentsIn(look.rows);
      // An attempt that is over leaves its evidence to one that begins in the same batch: its end is told first.
      const copies = deployments.flatMap((deployment) =>
        canaryAttempts(deployment, told).flatMap((attempt) =>
          copiesOf({ digest, audience }, deployment, attempt, copied),
        ),
      );
      await appendSamples(ports, stop, copies.filter(isEnd));
      for (const deployment of deployments) {
        const begun = await openings(deployment, look, lookNow, judged);
        // At once: many that are slow to make must not make each other too old.
        await appendSamples(ports, stop, begun);
        const madeAtMs = Math.min(...begun.map(({ openedAt }) => openedAt));
        // They may not count any more: then they are made anew, and of those that do the first copy stands.
        if (ports.clock.nowMs() - madeAtMs > openingAgeMsMax / 2)
          throw new Halted('openings lay too long before they were appended; they are made anew');
      }
      await appendSamples(
        ports,
        stop,
        copies.filter((copy) => !isEnd(copy)),
      );
      return next;
    },
    // What was remembered may not have been appended.
    onLost: () => opened.clear(),
  };
};

/** Whether what is frozen for both is the same. The time of the start is not in it. */
const freezesSame = (one: DueAnalysis, other: DueAnalysis): boolean =>
  frozenBy(one) === frozenBy(other);

const frozenBy = ({ attempt, canary, baseline, comparison, judgedBefore }: DueAnalysis): string =>
  JSON.stringify([attempt.plan.slot, canary, baseline, comparison, judgedBefore]);

type Rows = ReadonlyMap<string, string>;

/** What the log says, and when it was asked. */
type Look = { readonly rows: Rows; readonly atMs: number };

const deploymentsIn = (rows: Rows): readonly Deployment[] =>
  [...rows]
    .filter(([at]) => at.startsWith(address('deployment', '')))
    .map(([, row]) => readRow<Deployment>('deployment', row));

const deploymentIn = ({ tools }: AnalyserPorts, record: LogRecord): readonly string[] => {
  const deployment = tools.codec.prefix(record.value)?.deployment;
  return deployment === undefined || deployment === null ? [] : [deployment];
};
