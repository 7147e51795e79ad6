import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';
import { timeless } from '../../telemetry/telemetry-point.ts';
import { isOfProbes } from '../policy/attribute-filter.ts';
import { openExportIntervals } from './export-interval.ts';

/** What telemetry there is, for who named a place, a version or a time that is not. */
export type Heard = {
  /** Environment and component, as `environment/component`; at most `namesMax`. */
  readonly places: ReadonlySet<string>;
  /** Versions of the component in question; at most `namesMax`. */
  readonly versions: ReadonlySet<string>;
  /** Those of them that tell of requests, all of them of probes that some metric leaves out. */
  readonly probedAlone: ReadonlySet<string>;
  /** Points of the component in question. */
  readonly points: number;
  /** Those of them that were refused. */
  readonly refused: number;
  /** Of its first and its last point that tell one; null: it has none. */
  readonly times: { readonly firstMs: number; readonly lastMs: number } | null;
  /** How often the version exports that does so least; milliseconds. Null: not known. */
  readonly exportsEveryMs: number | null;
};

/** Names that are remembered of each kind. */
export const namesMax = 20;

/** Listens to all points of a capture. */
export const openHearing = (
  isOfPlace: (point: TelemetryPoint) => boolean,
): {
  readonly hear: (points: readonly TelemetryPoint[]) => void;
  readonly heard: () => Heard;
} => {
  const places = new Set<string>();
  const versions = new Set<string>();
  const asked = { probes: new Set<string>(), others: new Set<string>() };
  const intervals = openExportIntervals();
  let points = 0;
  let refused = 0;
  let [firstMs, lastMs] = [Infinity, -Infinity];
  return {
    hear: (told) => {
      for (const point of told) {
        const { environment, component, version, timeMs, value, attributes } = point;
        if (places.size < namesMax) places.add(`${environment}/${component}`);
        if (!isOfPlace(point)) continue;
        points += 1;
        if (value.kind === 'refused') refused += 1;
        if (versions.size < namesMax && version !== null) versions.add(version);
        if (version !== null && versions.has(version) && value.kind !== 'level')
          asked[isOfProbes(attributes) ? 'probes' : 'others'].add(version);
        if (timeMs === timeless) continue;
        firstMs = Math.min(firstMs, timeMs);
        lastMs = Math.max(lastMs, timeMs);
        intervals.hear(point);
      }
    },
    heard: () => ({
      places,
      versions,
      probedAlone: new Set([...asked.probes].filter((version) => !asked.others.has(version))),
      points,
      refused,
      times: lastMs === -Infinity ? null : { firstMs, lastMs },
      exportsEveryMs: intervals.slowestMs(),
    }),
  };
};
