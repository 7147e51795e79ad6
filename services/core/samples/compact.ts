import { valueBytesMax } from '../markers/limits.ts';
import type { PointRefusal } from '../telemetry/point.ts';
import type { PointValue, TelemetryPoint } from '../telemetry/telemetry-point.ts';
import { received as settled } from '../telemetry/telemetry-point.ts';
import { packDurations } from './durations.ts';
import { sampleKey } from './key.ts';
import { sampleNameMax } from './parse-sample.ts';
import type { Origin, PackedDurations, Points, SamplePoint } from './sample.ts';

/** A point with the append time of the OTLP record that brought it. */
export type ReceivedPoint = { readonly point: TelemetryPoint; readonly receivedAt: number };

/** Why a point that the reader of OTLP took is not copied: its names or numbers do not fit into a sample. */
export type CompactRejection = 'name-unfit' | 'number-unfit';

export type Compacted = {
  /** Of each environment and component the points in the order of their receipt, in as few records as they fit into. */
  readonly records: readonly Points[];
  readonly rejected: { readonly [Reason in CompactRejection]: number };
};

/** Most that one record may hold, so that its body stays below the limit of a value whatever the numbers are. */
const bytesMax = valueBytesMax - 4 * 1024;
/** Series (64 digits and a length), an index, five numbers of at most 9 bytes, and whether it has level, buckets, a refusal. */
const pointBytesMax = 66 + 3 + 5 * 9 + 3;
const levelBytes = 8;
/** Length and text of the longest reason. */
const refusalBytesMax = 1 + 20;
/** Place of the bounds, scale, zeroes, offset, and the length of the counts. */
const durationsBytesMax = 4 + 1 + 9 + 5 + 3;
/** Lengths of its texts, temporality, and the begin and end of its list of attributes. */
const originBytesMax = 48;
const attributeBytesMax = 4;
/** Begin and end of a list of bounds. */
const boundsBytesMax = 4;
const boundBytes = 8;
/** UTF-8 takes at most this much for one UTF-16 unit. */
const utf8BytesMax = 3;
/** The largest whole number that the codec writes. */
const countMax = 9_007_199_254_740_990;
const timeMaxMs = 8_640_000_000_000_000;

/** Points as records of `samples`: sorted by what they are about, with their senders named once a record. */
export const compactPoints = (audience: string, received: readonly ReceivedPoint[]): Compacted => {
  const rejected = { 'name-unfit': 0, 'number-unfit': 0 };
  const builders = new Map<string, Builder>();
  for (const one of received) {
    const reason = rejectionOf(one.point);
    if (reason !== undefined) {
      rejected[reason] += 1;
      continue;
    }
    const { environment, component } = one.point;
    const key = sampleKey({ environment, component });
    const builder = builders.get(key) ?? openBuilder(audience, environment, component);
    builders.set(key, builder);
    builder.add(one);
  }
  return { records: [...builders.values()].flatMap((builder) => builder.records()), rejected };
};

const rejectionOf = (point: TelemetryPoint): CompactRejection | undefined => {
  const { environment, namespace, component, version, deploymentId, instance, metric } = point;
  const isFit = (name: string): boolean =>
    name !== '' && name.length <= sampleNameMax && name.isWellFormed();
  const isFitOrNull = (name: string | null): boolean => name === null || isFit(name);
  const names = [environment, namespace, component, metric];
  if (!names.every(isFit) || !point.unit.isWellFormed()) return 'name-unfit';
  if (![version, deploymentId, instance, point.target].every(isFitOrNull)) return 'name-unfit';
  if (!point.attributes.every(({ name, value }) => isFit(name) && value.isWellFormed()))
    return 'name-unfit';
  const { timeMs, value } = point;
  const isCounted = value.kind !== 'durations' || value.count <= countMax;
  return isCounted && timeMs <= timeMaxMs ? undefined : 'number-unfit';
};

type Builder = {
  readonly add: (received: ReceivedPoint) => void;
  readonly records: () => readonly Points[];
};

const openBuilder = (audience: string, environment: string, component: string): Builder => {
  const done: Points[] = [];
  let draft = openDraft();

  const closeRecord = (): void => {
    const { origins, points, bounds } = draft;
    if (points.length > 0)
      done.push({ kind: 'points', audience, environment, component, origins, points, bounds });
    draft = openDraft();
  };

  return {
    add: (received) => {
      if (!draft.add(received)) {
        closeRecord();
        // Alone it fits: the most that a reader of telemetry lets through is a third of a record.
        draft.add(received);
      }
    },
    records: () => {
      closeRecord();
      return done;
    },
  };
};

type Draft = {
  readonly origins: readonly Origin[];
  readonly points: readonly SamplePoint[];
  readonly bounds: Points['bounds'];
  /** Answers whether there was room; an empty one has room for every point. */
  readonly add: (received: ReceivedPoint) => boolean;
};

/** One record while it is filled. */
const openDraft = (): Draft => {
  const origins: Origin[] = [];
  const originPlaces = new Map<string, number>();
  const points: SamplePoint[] = [];
  const bounds: { readonly seconds: readonly number[] }[] = [];
  /** By the list itself, which the points of a sender share, and by what is in it. */
  const boundsPlaces = new Map<readonly number[] | string, number>();
  let bytes = 0;

  const placeOf = (seconds: readonly number[]): number | undefined => {
    const known = boundsPlaces.get(seconds) ?? boundsPlaces.get(seconds.join());
    if (known !== undefined) boundsPlaces.set(seconds, known);
    return known;
  };

  return {
    origins,
    points,
    bounds,
    add: ({ point, receivedAt }) => {
      const { startMs, timeMs, value } = settled(point, receivedAt);
      const origin = originOf(point);
      const identity = JSON.stringify(origin);
      const known = originPlaces.get(identity);
      const durations = value.kind === 'durations' ? value.durations : null;
      const refused = refusalOf(value);
      const seconds = durations?.shape === 'explicit' ? durations.bounds : undefined;
      const knownBounds = seconds === undefined ? undefined : placeOf(seconds);
      const packed = durations === null ? null : packDurations(durations, () => bounds.length);
      const more =
        pointBytesMax +
        (value.kind === 'level' ? levelBytes : 0) +
        (refused === null ? 0 : refusalBytesMax) +
        (packed === null ? 0 : durationsBytesMax + packed.counts.length) +
        (known === undefined ? bytesOfOrigin(origin) : 0) +
        (seconds === undefined || knownBounds !== undefined
          ? 0
          : boundsBytesMax + boundBytes * seconds.length);
      if (bytes + more > bytesMax && points.length > 0) return false;
      bytes += more;
      if (known === undefined) originPlaces.set(identity, origins.push(origin) - 1);
      if (seconds !== undefined && knownBounds === undefined) {
        boundsPlaces.set(seconds, bounds.length);
        boundsPlaces.set(seconds.join(), bounds.length);
        bounds.push({ seconds });
      }
      points.push({
        origin: known ?? origins.length - 1,
        series: point.series,
        receivedAt,
        start: startMs,
        time: timeMs,
        count: value.kind === 'durations' ? value.count : 0,
        errors: value.kind === 'durations' ? value.errors : 0,
        level: value.kind === 'level' ? value.level : null,
        durations: withBounds(packed, knownBounds),
        refused,
      });
      return true;
    },
  };
};

const refusalOf = (value: PointValue): PointRefusal | null => {
  switch (value.kind) {
    case 'durations':
      return value.refused ?? null;
    case 'level':
      return null;
    case 'refused':
      return value.reason;
  }
};

const withBounds = (
  packed: PackedDurations | null,
  known: number | undefined,
): PackedDurations | null =>
  packed === null || known === undefined ? packed : { ...packed, bounds: known };

const bytesOfOrigin = (origin: Origin): number => {
  const { namespace, version, deployment, instance, metric, unit, target, attributes } = origin;
  let units = 0;
  for (const text of [namespace, version, deployment, instance, metric, unit, target])
    units += text?.length ?? 0;
  for (const { name, value } of attributes) units += name.length + value.length;
  return originBytesMax + attributeBytesMax * attributes.length + utf8BytesMax * units;
};

const originOf = (point: TelemetryPoint): Origin => ({
  namespace: point.namespace,
  version: point.version,
  deployment: point.deploymentId,
  instance: point.instance,
  metric: point.metric,
  temporality: point.value.kind === 'level' ? 'cumulative' : point.value.temporality,
  unit: point.unit,
  target: point.target,
  attributes: point.attributes,
});
