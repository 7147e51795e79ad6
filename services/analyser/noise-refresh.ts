import { noiseOfBatches, openHistory } from '../core/canary/noise/history.ts';
import type { History } from '../core/canary/noise/history.ts';
import type { Policy } from '../core/canary/policy/policy.ts';
import type { Position } from '../core/log/record.ts';
import { readRow } from '../core/row-text.ts';
import { partitionOfKey, sampleKey } from '../core/samples/key.ts';
import { checkSample } from '../core/samples/wire.ts';
import type { SlotState } from '../core/slot-state.ts';
import { slotAsSeen } from '../core/slot-state.ts';
import type { Stop } from '../ports/clock.ts';
import { keepNoise } from './noise-kept.ts';
import type { NoisePlace } from './noise-kept.ts';
import { noisePace } from './paces.ts';
import type { NoisePace } from './paces.ts';
import type { AnalyserPorts } from './ports.ts';
import { readSlots } from './read-models.ts';
import { keepSealed, readSealed } from './sealed.ts';
import type { TrustedKeys } from './trusted-keys.ts';

const dayMs = 86_400_000;
/** Records of a partition that one night reads, the newest. */
const recordsMax = 500_000;
const pageRecords = 100;
/** Components whose history is held at once. With more the partition is read again for the rest. */
const keysAtOnce = 50;
const keysMax = 500;
/** After each page it is idle so many times as long as the page took, and at least so long. */
const idleTimes = 9;
const idleMsMin = 10;
const busyLookMs = 1_000;

type Place = NoisePlace & {
  /** What keys say that holds its slots. */
  readonly versions: Set<string>;
  /** What holds them where tokens are taken, too. */
  readonly withTokens: Set<string>;
};

export type NoiseRefresh = {
  /** Partitions of samples that are this process's: it learns from these. */
  readonly owned: () => readonly number[];
  /** Judging is behind: then nothing is learned until it is not. */
  readonly isBusy: () => boolean;
  readonly policyFor: (
    environment: string,
    component: string,
  ) => Promise<Pick<Policy, 'metrics' | 'onBehalf'>>;
};

type Nightly = {
  readonly ports: AnalyserPorts;
  readonly stop: Stop;
  readonly keys: TrustedKeys;
  readonly refresh: NoiseRefresh;
  readonly pace: NoisePace;
};

/**
 * Learns, once a day and until `stop`, how much the components of its partitions scatter: the senders of the version
 * that holds the slot are split into two halves, which are compared. It takes a tenth of the time at most, and what
 * goes wrong is told and tried again the next night.
 */
export const keepNoiseFresh = async (
  ports: AnalyserPorts,
  stop: Stop,
  keys: TrustedKeys,
  refresh: NoiseRefresh,
): Promise<void> => {
  const { clock } = ports;
  const pace = ports.noisePace ?? noisePace;
  const nightly = { ports, stop, keys, refresh, pace };
  while (!stop.aborted) {
    await clock.sleep(pace.lookEveryMs, stop);
    for (const partition of refresh.owned()) {
      if (stop.aborted) return;
      await learnIfDue(nightly, partition).catch((cause: unknown) =>
        ports.tell({ event: 'not-kept', what: 'noise', message: String(cause) }),
      );
    }
  }
};

/** The first time of day `atMsOfDay` that is more than an hour later. */
export const nextNightMs = (afterMs: number, atMsOfDay: number): number => {
  const earliestMs = afterMs + 3_600_000;
  const midnightMs = Math.floor(earliestMs / dayMs) * dayMs;
  const sameDayMs = midnightMs + atMsOfDay;
  return sameDayMs >= earliestMs ? sameDayMs : sameDayMs + dayMs;
};

/** A name that no place has: those have one stroke. */
const runName = (partition: number): string => `run/partition/${partition}`;

const learnIfDue = async (nightly: Nightly, partition: number): Promise<void> => {
  const { ports, keys, pace } = nightly;
  const nowMs = ports.clock.nowMs();
  const said = await readSealed(ports, await keys.forKeys([]), 'noise', runName(partition));
  const lastMs = said === undefined ? undefined : Number(said);
  if (lastMs !== undefined && nowMs >= lastMs && nowMs < nextNightMs(lastMs, pace.atMsOfDay))
    return;
  // First, so that what always fails is tried once a night.
  await keepSealed(ports, 'noise', runName(partition), String(nowMs));
  await learn(nightly, partition);
};

const learn = async (nightly: Nightly, partition: number): Promise<void> => {
  const { ports, stop, keys, refresh, pace } = nightly;
  const sinceMs = ports.clock.nowMs() - pace.historyMs;
  const from = await firstSince(ports, partition, sinceMs);
  const places = await placesIn(ports, partition);
  for (let first = 0; first < places.length && !stop.aborted; first += keysAtOnce) {
    const group = await Promise.all(
      places.slice(first, first + keysAtOnce).map(async (place) => {
        const { metrics, onBehalf } = await refresh.policyFor(place.environment, place.component);
        const versions = onBehalf === 'accept' ? place.withTokens : [];
        const holding = new Set([...place.versions, ...versions]);
        return { place, metrics, history: openHistory(metrics, holding, sinceMs) };
      }),
    );
    const histories = new Map(group.map(({ place, history }) => [sampleKey(place), history]));
    await readInto(nightly, partition, from, histories);
    if (stop.aborted) return;
    for (const { place, metrics, history } of group) {
      const batches = history.close();
      if (batches.length < pace.batchesMin) continue;
      await keepNoise(ports, keys, place, metrics, noiseOfBatches(metrics, batches));
      const { environment, component } = place;
      ports.tell({ event: 'noise-learned', environment, component, batches: batches.length });
    }
  }
};

/** Reads the partition to its end as of now, page by page, and rests after each. */
const readInto = async (
  { ports, stop, keys, refresh: { isBusy } }: Nightly,
  partition: number,
  from: Position,
  histories: ReadonlyMap<string, History>,
): Promise<void> => {
  const { audience, clock, samples, tools } = ports;
  const end = (await rangeOf(ports, partition)).end;
  let at = from;
  while (at < end) {
    while (isBusy() && !stop.aborted) await clock.sleep(busyLookMs, stop);
    if (stop.aborted) return;
    const sinceMs = clock.nowMs();
    const page = await samples.read(partition, at, Math.min(pageRecords, end - at));
    if (!page.ok) throw new Error(page.problem.message);
    if (page.value.length === 0) return;
    const known = await keys.forKeys([]);
    for (const record of page.value) {
      const history = histories.get(tools.text.decodeUtf8(record.key) ?? '');
      // The key is looked at first: most records are of others, and a signature costs most.
      const sample = history && checkSample(tools, audience, known, record);
      if (sample?.ok === true) history?.add(sample.value);
    }
    at = (page.value.at(-1)?.position ?? at) + 1;
    const tookMs = Math.max(0, clock.nowMs() - sinceMs);
    await clock.sleep(Math.max(idleMsMin, idleTimes * tookMs), stop);
  }
};

const rangeOf = async (
  { samples }: Pick<AnalyserPorts, 'samples'>,
  partition: number,
): Promise<{ readonly start: Position; readonly end: Position }> => {
  const range = await samples.range(partition);
  if (!range.ok) throw new Error(range.problem.message);
  return range.value;
};

/** Where the records begin that were appended since then, by halving; of too many the newest. */
export const firstSince = async (
  ports: Pick<AnalyserPorts, 'samples'>,
  partition: number,
  sinceMs: number,
): Promise<Position> => {
  const { start, end } = await rangeOf(ports, partition);
  let [low, high] = [Math.max(start, end - recordsMax), end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const read = await ports.samples.read(partition, middle, 1);
    if (!read.ok) throw new Error(read.problem.message);
    if ((read.value[0]?.appendedAtMs ?? sinceMs) < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** What runs where, as far as it is of this partition. */
const placesIn = async (ports: AnalyserPorts, partition: number): Promise<readonly Place[]> => {
  const slots = await readSlots(ports);
  if (!slots.ok) throw new Error(slots.problem.message);
  const places = new Map<string, Place>();
  for (const { key, value } of slots.value) {
    const [, environment = '', component = ''] = key.split('/').map(decodeURIComponent);
    const name = sampleKey({ environment, component });
    if (partitionOfKey(name, ports.samples.partitions) !== partition) continue;
    const place = places.get(name) ?? {
      ...{ environment, component },
      versions: new Set<string>(),
      withTokens: new Set<string>(),
    };
    const state = readRow<SlotState>('slot', value);
    // A token may have said that another version runs there: what keys have named is learned all the same, and what the
    // token has is no history where the policy ignores it, or two versions would pass for one.
    for (const { version } of slotAsSeen(state, false).holders)
      if (version !== null) place.versions.add(version);
    for (const { version } of state.holders) if (version !== null) place.withTokens.add(version);
    const isHeld = place.versions.size + place.withTokens.size > 0;
    if (isHeld && (places.has(name) || places.size < keysMax)) places.set(name, place);
  }
  return [...places.values()];
};
