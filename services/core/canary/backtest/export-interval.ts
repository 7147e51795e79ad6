import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';

/** How far apart the exports of one series are. */
export type ExportIntervals = {
  readonly hear: (point: Pick<TelemetryPoint, 'series' | 'version' | 'timeMs'>) => void;
  /**
   * Of the version that exports least often, milliseconds: the mean of its most regular series, for one that is hardly
   * used may have nothing to send. Null: no series of it was heard three times.
   */
  readonly slowestMs: () => number | null;
};

type Heard = { readonly version: string; firstMs: number; lastMs: number; times: number };

/** Series that are remembered. */
const seriesMax = 1_000;
const timesMin = 3;

/** Listens to points; one that comes behind its successor tells no interval. */
export const openExportIntervals = (): ExportIntervals => {
  const ofSeries = new Map<string, Heard>();
  return {
    hear: ({ series, version, timeMs }) => {
      const heard = ofSeries.get(series);
      if (heard === undefined) {
        if (ofSeries.size < seriesMax && version !== null)
          ofSeries.set(series, { version, firstMs: timeMs, lastMs: timeMs, times: 1 });
      } else if (timeMs > heard.lastMs) {
        heard.lastMs = timeMs;
        heard.times += 1;
      }
    },
    slowestMs: () => {
      const ofVersion = new Map<string, number>();
      for (const { version, firstMs, lastMs, times } of ofSeries.values()) {
        if (times < timesMin) continue;
        const everyMs = (lastMs - firstMs) / (times - 1);
        ofVersion.set(version, Math.min(ofVersion.get(version) ?? Infinity, everyMs));
      }
      return ofVersion.size === 0 ? null : Math.max(...ofVersion.values());
    },
  };
};
