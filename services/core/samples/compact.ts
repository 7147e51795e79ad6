import { valueBytesMax } from '../markers/limits.ts';
import type { RequestPoint } from '../telemetry/point.ts';
import { sampleKey } from './key.ts';
import { sampleNameMax } from './parse-sample.ts';
import type { Origin, Points, SamplePoint } from './sample.ts';

/** A point with the append time of the OTLP record that brought it. */
export type ReceivedPoint = { readonly point: RequestPoint; readonly receivedAt: number };

/** Why a point that the reader of OTLP took is not copied: its names or numbers do not fit into a sample. */
export type CompactRejection = 'name-unfit' | 'number-unfit';

export type Compacted = {
  /** Of each environment and component the points in the order of their receipt, in as few records as they fit into. */
  readonly records: readonly Points[];
  readonly rejected: { readonly [Reason in CompactRejection]: number };
};

/** Most that one record may hold, so that its body stays below the limit of a value whatever the numbers are. */
const bytesMax = valueBytesMax - 4 * 1024;
/** Series (64 digits and a length), an index, and five numbers of at most 9 bytes. */
const pointBytesMax = 66 + 3 + 5 * 9;
/** Lengths of its texts, and the words for temporality and unit. */
const originBytesMax = 32;
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

const rejectionOf = (point: RequestPoint): CompactRejection | undefined => {
  const { environment, namespace, component, version, deploymentId, instance, metric } = point;
  const names = [environment, namespace, component, metric];
  const isFit = (name: string): boolean =>
    name !== '' && name.length <= sampleNameMax && name.isWellFormed();
  if (!names.every(isFit)) return 'name-unfit';
  if ([version, deploymentId, instance].some((name) => name !== null && !isFit(name)))
    return 'name-unfit';
  const { count, timeMs } = point;
  return count > countMax || timeMs > timeMaxMs ? 'number-unfit' : undefined;
};

type Builder = {
  readonly add: (received: ReceivedPoint) => void;
  readonly records: () => readonly Points[];
};

const openBuilder = (audience: string, environment: string, component: string): Builder => {
  const done: Points[] = [];
  let origins: Origin[] = [];
  let places = new Map<string, number>();
  let points: SamplePoint[] = [];
  let bytes = 0;

  const closeRecord = (): void => {
    if (points.length > 0)
      done.push({ kind: 'points', audience, environment, component, origins, points });
    [origins, places, points, bytes] = [[], new Map(), [], 0];
  };

  return {
    add: ({ point, receivedAt }) => {
      const origin = originOf(point);
      const identity = JSON.stringify(origin);
      const originBytes = identity.length * utf8BytesMax + originBytesMax;
      const more = pointBytesMax + (places.has(identity) ? 0 : originBytes);
      if (bytes + more > bytesMax) closeRecord();
      let place = places.get(identity);
      if (place === undefined) {
        place = origins.length;
        origins.push(origin);
        places.set(identity, place);
        bytes += originBytes;
      }
      points.push({
        origin: place,
        series: point.series,
        receivedAt,
        start: point.startMs,
        time: point.timeMs,
        count: point.count,
        errors: point.errors,
      });
      bytes += pointBytesMax;
    },
    records: () => {
      closeRecord();
      return done;
    },
  };
};

const originOf = (point: RequestPoint): Origin => ({
  namespace: point.namespace,
  version: point.version,
  deployment: point.deploymentId,
  instance: point.instance,
  metric: point.metric,
  temporality: point.temporality,
  unit: point.unit,
});
