import type { MetricWindow } from '../judge/judged-window.ts';
import type { Before } from './before.ts';
import { beforeWindowsMax } from './before.ts';
import type { Comparison } from './comparison.ts';

/** Both sides are served while the old one has at least this part of the new one's requests. */
const servedPart = 0.25;

/**
 * The metrics of window `index` with what they are held against: the window that lies half an hour before, so that what
 * comes every half-hour is on both sides. Each window before is used once; then there are none.
 */
export const againstBefore = (
  comparison: Comparison,
  { windows }: Before,
  index: number,
  taken: readonly MetricWindow[],
): readonly MetricWindow[] => {
  if (comparison === 'concurrent') return taken;
  if (comparison === 'colours' && areBothServed(taken)) return taken;
  // The half-hour may not be whole: what is missing is missing at its beginning.
  const shown = windows[index - (beforeWindowsMax - windows.length)];
  return taken.map((metric, place) => withBaseline(metric, shown?.[place]));
};

const withBaseline = (metric: MetricWindow, before: MetricWindow | undefined): MetricWindow =>
  // Both are of one metric of one policy.
  ({
    ...(metric.judged === 'errors' ? withoutClientErrors(metric) : metric),
    baseline: before?.judged === metric.judged ? before.baseline : null,
  }) as MetricWindow;

/** What ran before has none kept: to hold those of now against none would be no comparison. */
const withoutClientErrors = (
  metric: MetricWindow & { readonly judged: 'errors' },
): MetricWindow & { readonly judged: 'errors' } => {
  if (metric.canary?.clientErrors === undefined) return metric;
  const { clientErrors: _, ...canary } = metric.canary;
  return { ...metric, canary };
};

/** As the first metric tells it that counts requests. Who is not served is idle, which is nothing to compare with. */
const areBothServed = (taken: readonly MetricWindow[]): boolean => {
  for (const metric of taken) {
    const [canary, baseline] = requestsIn(metric);
    if (canary > 0 || baseline > 0) return baseline >= servedPart * canary;
  }
  return true;
};

const requestsIn = (metric: MetricWindow): readonly [canary: number, baseline: number] => {
  switch (metric.judged) {
    case 'errors':
      return [metric.canary?.total ?? 0, metric.baseline?.total ?? 0];
    case 'traffic':
      return [metric.canary ?? 0, metric.baseline ?? 0];
    case 'latency':
    case 'level':
      return [0, 0];
  }
};
