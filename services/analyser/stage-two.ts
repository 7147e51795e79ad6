import { emptyPartition, foldSample, lowestOpening } from '../core/canary/analysis/fold-samples.ts';
import type { PartitionState, RefusedOpening } from '../core/canary/analysis/fold-samples.ts';
import type { AnalysisState } from '../core/canary/analysis/analysis-state.ts';
import { policyIn } from '../core/canary/attempts/frozen.ts';
import { isRenewal } from '../core/canary/analysis/renewal.ts';
import type { LogRecord } from '../core/log/record.ts';
import type { Decided } from '../core/markers/marker.ts';
import { headerNames } from '../core/markers/wire.ts';
import { sampleKey } from '../core/samples/key.ts';
import type { AnalysisOpened, Sample } from '../core/samples/sample.ts';
import { judgedAlike, noSigners, withTaken, withUnknown } from '../core/samples/signers.ts';
import type { Signers } from '../core/samples/signers.ts';
import { checkSample } from '../core/samples/wire.ts';
import type { DatedKey } from '../core/trust/trust.ts';
import type { Stop } from '../ports/clock.ts';
import { appendSamples } from './append-samples.ts';
import { openArchiving } from './archiving.ts';
import type { Archiving } from './archiving.ts';
import { startAt } from './following.ts';
import type { Follower } from './following.ts';
import type { EvidenceKept } from './evidence-kept.ts';
import { Halted } from './halted.ts';
import type { AnalyserPorts } from './ports.ts';
import { publish } from './publish.ts';
import { openSnapshots } from './snapshots.ts';
import type { Tally } from './tally.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** How often it is looked whether a window has passed without a sample. */
const tickLookMs = 200;
/** After a partition is taken over, time is given to those who bring what has waited. */
const tickGraceMs = 15_000;

type Owned = {
  state: PartitionState;
  /** What the state rests on, as of the keys that were known. */
  signers: Signers;
  sinceMs: number;
  /** When something of a key was last heard, by this process's clock. */
  readonly heardAtMs: Map<string, number>;
};

export type StageTwo = {
  readonly follower: Follower;
  /** Appends a tick for every key that was silent for a window while an analysis waits for time, until `stop`. */
  readonly keepTicking: () => Promise<void>;
  /** Keeps the samples that decisions name, until `stop`. */
  readonly keepArchiving: Archiving['keepArchiving'];
  readonly analyses: () => readonly AnalysisState[];
};

/**
 * Owns partitions of `samples`: folds each from its lowest open analysis or from the newest snapshot on, and puts the
 * decisions on the log. Its state follows from the samples and from what the log says of their keys, so whoever takes
 * over comes to the same decisions.
 */
export const openStageTwo = (
  ports: AnalyserPorts,
  stop: Stop,
  keys: TrustedKeys,
  kept: EvidenceKept,
  rejected: Tally,
): StageTwo => {
  const { audience, clock, samples, tools } = ports;
  const owned = new Map<number, Owned>();
  const snapshots = openSnapshots(ports, keys);
  const archiving = openArchiving(ports, stop);
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

  const take = (partition: number, state: PartitionState, signers: Signers): Owned => {
    const mine = { state, signers, sinceMs: clock.nowMs(), heardAtMs: new Map<string, number>() };
    owned.set(partition, mine);
    snapshots.begin(partition);
    return mine;
  };

  /** The keys that a batch is judged by. Throws where they judge what was folded before otherwise than it was judged. */
  const keysFor = async (
    mine: Owned,
    records: readonly LogRecord[],
  ): Promise<ReadonlyMap<string, DatedKey>> => {
    const named = new Set(records.flatMap((record) => keyIdOf(ports, record) ?? []));
    const known = await keys.forKeys(named);
    if (!judgedAlike(mine.signers, known))
      throw new Halted('the log says otherwise of a key now; the samples are read again');
    return known;
  };

  const sampleIn = (
    mine: Owned,
    known: ReadonlyMap<string, DatedKey>,
    record: LogRecord,
  ): Sample | undefined => {
    const checked = checkSample(tools, audience, known, record);
    const keyId = keyIdOf(ports, record) ?? '';
    if (checked.ok) {
      mine.signers = withTaken(mine.signers, keyId, record.appendedAtMs);
      return checked.value;
    }
    if (checked.problem.code === 'key-unknown') mine.signers = withUnknown(mine.signers, keyId);
    rejected.add(checked.problem.code, 1);
    return undefined;
  };

  /** Only of keys that somebody is waiting for: names of components are whatever telemetry says. */
  const hear = ({ state, heardAtMs }: Owned, key: string): void => {
    const isAwaited = Object.values(state.analyses).some(
      ({ opening }) => sampleKey(opening) === key,
    );
    if (isAwaited) heardAtMs.set(key, clock.nowMs());
    else heardAtMs.delete(key);
  };

  const tellRefused = ({ opening: { analysis, deployment }, why }: RefusedOpening): void =>
    ports.tell({ event: 'opening-refused', analysis, deployment, why });

  const say = async (decision: Decided, attempt: number): Promise<void> => {
    const position = await publish(ports, stop, decision, attempt);
    const { kind, analysis, deployment } = decision;
    if (!isRenewal(decision)) {
      archiving.offer(decision);
      ports.tell({ event: 'decided', kind, analysis, deployment, position });
    } else if (position !== null) ports.tell({ event: 'renewed', analysis, position });
  };

  const follower: Follower = {
    startFrom: async (partition, hint) => {
      const lowest = await startAt(samples, partition, hint);
      const snapshot = await snapshots.newest(partition);
      if (snapshot === undefined || snapshot.position <= lowest) {
        take(partition, emptyPartition, noSigners);
        ports.tell({ event: 'taken-over', partition, position: lowest, from: 'samples' });
        return lowest;
      }
      const { position, state, signers } = snapshot;
      take(partition, state, signers);
      ports.tell({ event: 'taken-over', partition, position, from: 'snapshot' });
      return position;
    },
    onBatch: async ({ partition, records }) => {
      const mine = owned.get(partition) ?? take(partition, emptyPartition, noSigners);
      const known = await keysFor(mine, records);
      const decided: { readonly decision: Decided; readonly attempt: number }[] = [];
      for (const record of records) {
        const sample = sampleIn(mine, known, record);
        if (sample === undefined) continue;
        const { position, appendedAtMs } = record;
        const foldTools = { digest, partition };
        const folded = foldSample(foldTools, mine.state, sample, position, appendedAtMs);
        for (const decision of folded.decisions) {
          const { attempt } =
            folded.refused?.opening ?? openingOf([folded.state, mine.state], decision.analysis);
          decided.push({ decision, attempt });
        }
        if (folded.refused !== null) tellRefused(folded.refused);
        mine.state = folded.state;
        for (const over of folded.over) await kept.keep(over);
        hear(mine, sampleKey(sample));
      }
      for (const [index, { decision, attempt }] of decided.entries()) {
        const later = decided.slice(index + 1).map((next) => next.decision);
        if (!isOvertaken(decision, later)) await say(decision, attempt);
      }
      const lowest = lowestOpening(mine.state);
      if (lowest === undefined) mine.signers = noSigners;
      const last = records.at(-1);
      // Whoever goes on from a snapshot does not decide again what came before it.
      const unkept = archiving.pendingFrom(partition);
      if (last !== undefined && unkept === undefined)
        snapshots.offer(partition, records.length, last, mine.state, mine.signers);
      const next = lowest ?? (last?.position ?? -1) + 1;
      return Math.min(next, unkept ?? next);
    },
    onLost: (partition) => {
      owned.delete(partition);
      archiving.drop(partition);
    },
  };

  const silentSamples = (nowMs: number): readonly Sample[] =>
    [...owned.values()].flatMap((mine) => {
      const { state, heardAtMs } = mine;
      // Where the clock was set back, silence is counted from now on.
      mine.sinceMs = Math.min(mine.sinceMs, nowMs);
      for (const [key, atMs] of heardAtMs) if (atMs > nowMs) heardAtMs.set(key, nowMs);
      if (nowMs - mine.sinceMs < tickGraceMs) return [];
      const windows = new Map<string, Sample>();
      for (const analysis of Object.values(state.analyses)) {
        const { opening, receiptMs } = analysis;
        const windowMs = analysis.windowMs ?? policyIn(opening)?.windowMs;
        const key = sampleKey(opening);
        const silentMs = nowMs - (heardAtMs.get(key) ?? mine.sinceMs);
        if (!awaitsTime(analysis) || windowMs === undefined || silentMs < windowMs) continue;
        const { environment, component } = opening;
        // The clock that gives receipts may be ahead of this one; time goes on all the same.
        const at = Math.max(nowMs, receiptMs + silentMs);
        windows.set(key, { kind: 'tick', audience, environment, component, at });
        heardAtMs.set(key, nowMs);
      }
      return [...windows.values()];
    });

  return {
    follower,
    keepTicking: async () => {
      while (!stop.aborted) {
        await clock.sleep(tickLookMs, stop);
        const ticks = silentSamples(clock.nowMs());
        if (ticks.length > 0 && !stop.aborted) await appendSamples(ports, stop, ticks);
      }
    },
    keepArchiving: archiving.keepArchiving,
    analyses: () => [...owned.values()].flatMap(({ state }) => Object.values(state.analyses)),
  };
};

/** In one of the two it is: an analysis may be forgotten with its last decision, and its first comes with its opening. */
const openingOf = (states: readonly PartitionState[], analysis: string): AnalysisOpened => {
  const found = states.find(({ analyses }) => Object.hasOwn(analyses, analysis));
  const opening = found?.analyses[analysis]?.opening;
  if (opening === undefined) throw new TypeError('a decision of an analysis that is not there');
  return opening;
};

/** Of renewals that were missed together only the newest is worth saying. */
const isOvertaken = (decision: Decided, later: readonly Decided[]): boolean =>
  isRenewal(decision) && later.some(({ analysis }) => analysis === decision.analysis);

/** Windows of it are still to close, or what stands is still to be renewed. */
const awaitsTime = ({ ended, standing }: AnalysisState): boolean =>
  ended === null || standing !== null;

const keyIdOf = ({ tools }: AnalyserPorts, record: LogRecord): string | undefined => {
  const header = record.headers.find(({ name }) => name === headerNames.signature);
  return header === undefined ? undefined : tools.text.decodeUtf8(header.value)?.split(':')[0];
};
