import { join } from 'node:path';
import { openSampleArchive } from '../../adapters/archive/samples.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { openNoiseFor } from '../../analyser/noise-kept.ts';
import { readKeys } from '../../analyser/read-models.ts';
import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { partitionOfKey } from '../../core/samples/key.ts';
import { checkSample } from '../../core/samples/wire.ts';
import type { DatedKey } from '../../core/trust/trust.ts';
import type { Explaining, SamplesProblem, SamplesRange } from '../../ports/explaining.ts';
import type { ReadProblem, RecordLog } from '../../ports/record-log.ts';
import type { SampleArchive } from '../../ports/sample-archive.ts';
import type { CliProblem } from '../problem.ts';
import type { Composition } from './composition.ts';
import { failed } from './composition.ts';

const batchRecords = 500;

/** What decisions rest on is kept with the archive of the log, or, where there is none, with the data. */
export const sampleArchiveOf = (
  { settings }: Pick<Foundation, 'settings'>,
  { name }: Pick<RecordLog, 'name'>,
): SampleArchive =>
  openSampleArchive(settings.archiveFolder ?? join(settings.dataFolder, 'kept'), name);

export const explainingOn = async ({
  foundation,
  log,
}: Composition): Promise<Result<Explaining, CliProblem>> => {
  const opened = await log();
  if (!opened.ok) return opened;
  const store = await foundation.store();
  if (!store.ok) return failed(store.problem);
  const samples = await foundation.stream('samples');
  if (!samples.ok) return failed(samples.problem);
  const { tools, settings, clock } = foundation;
  return ok(
    openExplaining({
      audience: settings.audience,
      log: opened.value,
      store: store.value,
      samples: samples.value,
      archive: sampleArchiveOf(foundation, samples.value),
      tools,
      clock,
    }),
  );
};

/** What explaining stands on. */
export type ExplainingParts = Parameters<typeof readKeys>[0] & {
  readonly audience: string;
  readonly log: RecordLog;
  readonly samples: RecordLog;
  readonly archive: SampleArchive;
};

export const openExplaining = (parts: ExplainingParts): Explaining => {
  const { audience, log, samples, archive, tools } = parts;

  const read: Explaining['read'] = async (range, take, onProgress) => {
    const keys = await datedKeys(log, parts);
    if (!keys.ok) return keys;
    const refused: { [code: string]: number } = {};
    const use = (record: LogRecord): void => {
      if (tools.text.decodeUtf8(record.key) !== range.key) return;
      const checked = checkSample(tools, audience, keys.value, record);
      if (checked.ok) take(checked.value, record.position);
      else refused[checked.problem.code] = (refused[checked.problem.code] ?? 0) + 1;
    };
    const source = await fromSamples(samples, range, use, onProgress);
    if (!source.ok) return source;
    if (source.value) return ok({ source: 'samples', refused });
    const kept = await archive.read(range.analysis);
    if (!kept.ok)
      return fail({
        code: kept.problem.code === 'damaged' ? 'corrupt' : 'unreachable',
        message: kept.problem.message,
      });
    const isEnough = range.to !== null && (kept.value?.range.to ?? -1) >= range.to;
    if (kept.value === undefined || !isEnough)
      return fail({
        code: 'samples-gone',
        message: `samples no longer hold position ${range.from} of partition ${range.partition}, and nothing of it was kept here`,
      });
    for (const record of kept.value.records)
      if (range.to === null || record.position <= range.to) use(record);
    return ok({ source: 'archive', refused });
  };

  return {
    partitionOf: (key) => partitionOfKey(key, samples.partitions),
    positionNear: (partition, timeMs) => positionNear(samples, partition, timeMs),
    noiseFor: async (place, metrics) => {
      const keys = await datedKeys(log, parts);
      if (!keys.ok) return { noise: [], ageMs: null };
      const forKeys = async (): Promise<ReadonlyMap<string, DatedKey>> => keys.value;
      return openNoiseFor(parts, { forKeys })({ ...place, policy: { metrics } });
    },
    read,
  };
};

/** False: the topic does not hold its beginning any more. */
const fromSamples = async (
  samples: RecordLog,
  { partition, from, to }: SamplesRange,
  use: (record: LogRecord) => void,
  onProgress: Parameters<Explaining['read']>[2],
): Promise<Result<boolean, SamplesProblem>> => {
  const range = await samples.range(partition);
  if (!range.ok) return fail(samplesFailed(range.problem));
  // A topic that was made anew ends before what it should hold.
  if (from < range.value.start || (to !== null && to >= range.value.end)) return ok(false);
  const end = to === null ? range.value.end : to + 1;
  for (let next = from; next < end;) {
    const read = await samples.read(partition, next, Math.min(batchRecords, end - next));
    if (!read.ok) return fail(samplesFailed(read.problem));
    const last = read.value.at(-1);
    if (last === undefined) break;
    read.value.forEach(use);
    next = last.position + 1;
    onProgress({ next, end });
  }
  return ok(true);
};

/** Brokers' clocks may be so far apart. */
const clocksApartMs = 60_000;

const positionNear = async (
  samples: RecordLog,
  partition: number,
  timeMs: number,
): Promise<Result<Position, SamplesProblem>> => {
  const range = await samples.range(partition);
  if (!range.ok) return fail(samplesFailed(range.problem));
  let [low, high] = [range.value.start, range.value.end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const read = await samples.read(partition, middle, 1);
    if (!read.ok) return fail(samplesFailed(read.problem));
    const [record] = read.value;
    if (record === undefined || record.appendedAtMs >= timeMs - clocksApartMs) high = middle;
    else low = middle + 1;
  }
  return ok(low);
};

/** The keys that the log trusts, each with the time at which it ended. */
const datedKeys = async (
  log: RecordLog,
  ports: Parameters<typeof readKeys>[0],
): Promise<Result<ReadonlyMap<string, DatedKey>, SamplesProblem>> => {
  const keys = await readKeys(ports);
  if (!keys.ok) return fail({ code: 'unreachable', message: keys.problem.message });
  const dated = new Map<string, DatedKey>();
  for (const [id, key] of keys.value) {
    const { retiredAt } = key;
    const read = retiredAt === null ? undefined : await log.read(0, retiredAt, 1);
    const retiredAtMs = read?.ok === true ? read.value[0]?.appendedAtMs : undefined;
    dated.set(id, retiredAtMs === undefined ? key : { ...key, retiredAtMs });
  }
  return ok(dated);
};

const samplesFailed = ({ code, message }: ReadProblem): SamplesProblem => ({
  code: code === 'corrupt' || code === 'archive-damaged' ? 'corrupt' : 'unreachable',
  message,
});
