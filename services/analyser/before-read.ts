import type { Cohorts } from '../core/canary/windows/cohorts.ts';
import { cohortOf } from '../core/canary/windows/cohorts.ts';
import type { Policy } from '../core/canary/policy/policy.ts';
import type { Before } from '../core/canary/rollouts/before.ts';
import { beforeSpanMs, beforeWindowMs, beforeWindowsMax } from '../core/canary/rollouts/before.ts';
import type { Past, PastWindows } from '../core/canary/rollouts/before-history.ts';
import {
  latenessMs,
  leadMs,
  openPastWindows,
  seasonOf,
} from '../core/canary/rollouts/before-history.ts';
import { partitionOfKey, sampleKey } from '../core/samples/key.ts';
import type { Origin, SampleEnvelope } from '../core/samples/sample.ts';
import { checkSample } from '../core/samples/wire.ts';
import type { Stop } from '../ports/clock.ts';
import { firstSince } from './noise-refresh.ts';
import type { AnalyserPorts } from './ports.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** Who is about to be judged against what ran before. */
export type BeforePlace = Pick<SampleEnvelope, 'environment' | 'component'> & {
  readonly cohorts: Cohorts;
  readonly policy: Policy;
};

/**
 * What ran in the half-hour before `endMs`, and what that time of day did the day before, from samples that an analyser
 * signed. Never throws: of what cannot be read in time there is nothing, and then nobody is rolled back.
 */
export type BeforeFor = (place: BeforePlace, endMs: number, stop: Stop) => Promise<Before>;

const dayMs = 86_400_000;
/** Other openings wait meanwhile. */
const readMsMax = 20_000;
/** Records of the partition that are looked at for one time; with more there is no telling. */
const recordsMax = 100_000;
const pageRecords = 500;

export const openBeforeFor =
  (ports: AnalyserPorts, keys: TrustedKeys): BeforeFor =>
  async (place, endMs, stop) => {
    const { cohorts, policy } = place;
    const { metrics } = policy;
    const untilMs = ports.clock.nowMs() + readMsMax;
    const isOld = (origin: Origin): boolean => cohortOf(cohorts, policy, origin) === 'baseline';
    // Of the day before only the place is asked for, whatever ran there.
    const isThere = (origin: Origin): boolean => {
      const cohort = cohortOf(cohorts, { ...policy, cohorts: null }, origin);
      return cohort !== 'other-namespace' && cohort !== 'other-target';
    };
    const pastOf = async (
      isOf: typeof isOld,
      toMs: number,
      windows: number,
    ): Promise<Past | null> => {
      const past = openPastWindows(metrics, isOf, toMs, windows);
      const fromMs = toMs - windows * beforeWindowMs - leadMs;
      const isWhole = await readInto(
        ports,
        keys,
        place,
        past,
        { fromMs, toMs, untilMs },
        stop,
      ).catch((cause: unknown) => {
        ports.tell({ event: 'not-kept', what: 'before', message: String(cause) });
        return false;
      });
      return isWhole ? (past.close() ?? null) : null;
    };
    const before = await pastOf(isOld, endMs, beforeWindowsMax);
    if (before === null) return { windows: [], season: null };
    const yesterday = await pastOf(isThere, endMs - dayMs + beforeSpanMs, 2 * beforeWindowsMax);
    const { windows } = before;
    return { windows, season: yesterday === null ? null : seasonOf(metrics, yesterday, windows) };
  };

type Times = {
  readonly fromMs: number;
  readonly toMs: number;
  /** When reading is given up. */
  readonly untilMs: number;
};

/** Whether all of it was read. */
const readInto = async (
  ports: AnalyserPorts,
  keys: TrustedKeys,
  place: BeforePlace,
  past: PastWindows,
  { fromMs, toMs, untilMs }: Times,
  stop: Stop,
): Promise<boolean> => {
  const { samples, tools, audience, clock } = ports;
  const key = sampleKey(place);
  const partition = partitionOfKey(key, samples.partitions);
  const from = await firstSince(ports, partition, fromMs);
  for (let at = from; at < from + recordsMax;) {
    if (stop.aborted || clock.nowMs() > untilMs) return false;
    const page = await samples.read(partition, at, pageRecords);
    if (!page.ok) throw new Error(page.problem.message);
    const newest = page.value.at(-1);
    if (newest === undefined) return true;
    const known = await keys.forKeys([]);
    for (const record of page.value) {
      // The key is looked at first: most records are of others, and a signature costs most.
      if (tools.text.decodeUtf8(record.key) !== key) continue;
      const sample = checkSample(tools, audience, known, record);
      if (sample.ok) past.add(sample.value);
    }
    if (newest.appendedAtMs > toMs + latenessMs) return true;
    at = newest.position + 1;
  }
  return false;
};
