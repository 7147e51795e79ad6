import {
  analysisIdOf,
  canaryAttempts,
  copiesOf,
  dueAnalysis,
  openingOf,
} from '../core/canary/canary-attempts.ts';
import type { DueAnalysis, Frozen, RolloutsFor } from '../core/canary/canary-attempts.ts';
import { artifactsOf, beginningOf } from '../core/canary/kept-evidence.ts';
import { policyFor } from '../core/canary/policy/placed-policy.ts';
import type { Deployment } from '../core/deployment.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import { slotKey } from '../core/markers/slot.ts';
import { address } from '../core/projection.ts';
import { readRow } from '../core/row-text.ts';
import type { AnalysisOpened, Copy, Sample } from '../core/samples/sample.ts';
import type { SlotState } from '../core/slot-state.ts';
import type { Stop } from '../ports/clock.ts';
import type { RowKey } from '../ports/read-model-store.ts';
import { appendSamples } from './append-samples.ts';
import type { BeforeFor } from './before-read.ts';
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
    const beginning = beginningOf(left, due.deployment.id, due.judgedBefore);
    return { policy, noise, noiseAgeMs: ageMs, beginning, before: null };
  };

  /** With what ran before, where that is compared: then it is opened where that ends. */
  const openingFor = async (due: DueAnalysis, frozen: Frozen): Promise<AnalysisOpened> => {
    // What was asked for took time: nothing before this moment enters.
    const openedAtMs = ports.clock.nowMs();
    const { deployment, attempt, canary, baseline } = due;
    const { namespace, target, environment, component } = attempt.plan.slot;
    const cohorts = { deployment: deployment.id, namespace, target, canary, baseline };
    const place = { environment, component, cohorts, policy: frozen.policy.policy };
    const before =
      due.comparison === 'concurrent' ? null : await beforeFor(place, openedAtMs, stop);
    return openingOf({ digest, audience }, due, { ...frozen, before }, openedAtMs);
  };

  const openings = async (
    deployment: Deployment,
    rows: Rows,
    rolloutsFor: RolloutsFor,
  ): Promise<readonly Sample[]> => {
    const said: Sample[] = [];
    for (const attempt of canaryAttempts(deployment, rolloutsFor)) {
      const slot = rows.get(address('slot', slotKey(attempt.plan.slot)));
      const state = slot === undefined ? undefined : readRow<SlotState>('slot', slot);
      const nowMs = ports.clock.nowMs();
      const due = dueAnalysis(digest, nowMs, deployment, attempt, state, rolloutsFor);
      if (due === undefined || opened.has(due.analysis)) continue;
      const opening = await openingFor(due, await frozenFor(due));
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
      policyFor(document ?? null, component, environment).placed.policy.rollouts;
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
      const rows = await rowsAt(next, [...deploymentKeys, ...slotKeys]);
      const copied = records.map(({ position, appendedAtMs, value }) => ({
        position,
        appendedAtMs,
        digest: tools.crypto.sha256Hex(value),
      }));
      const deployments = deploymentsIn(rows);
      // An attempt that is over leaves its evidence to one that begins in the same batch: its end is told first.
      const copies = deployments.flatMap((deployment) =>
        canaryAttempts(deployment, told).flatMap((attempt) =>
          copiesOf({ digest, audience }, deployment, attempt, copied),
        ),
      );
      const isOver = ({ fact }: Copy): boolean =>
        fact === 'succeeded' || fact === 'failed' || fact === 'canceled';
      await appendSamples(ports, stop, copies.filter(isOver));
      const begun: Sample[] = [];
      for (const deployment of deployments)
        begun.push(...(await openings(deployment, rows, judged)));
      await appendSamples(ports, stop, [...begun, ...copies.filter((copy) => !isOver(copy))]);
      return next;
    },
    // What was remembered may not have been appended.
    onLost: () => opened.clear(),
  };
};

const everyRollout: RolloutsFor = () => ({ beforeAfter: true, blueGreen: true });

type Rows = ReadonlyMap<string, string>;

const deploymentsIn = (rows: Rows): readonly Deployment[] =>
  [...rows]
    .filter(([at]) => at.startsWith(address('deployment', '')))
    .map(([, row]) => readRow<Deployment>('deployment', row));

const deploymentIn = ({ tools }: AnalyserPorts, record: LogRecord): readonly string[] => {
  const deployment = tools.codec.prefix(record.value)?.deployment;
  return deployment === undefined || deployment === null ? [] : [deployment];
};
