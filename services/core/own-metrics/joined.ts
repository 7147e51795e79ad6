import type { MetricFamily } from './family.ts';

/** Each family once, in the order in which they came first, with the points of all. */
export const joined = (families: readonly MetricFamily[]): readonly MetricFamily[] => {
  const byName = new Map<string, MetricFamily>();
  for (const family of families) {
    const before = byName.get(family.name);
    byName.set(family.name, before === undefined ? family : join(before, family));
  }
  return [...byName.values()];
};

const join = (before: MetricFamily, more: MetricFamily): MetricFamily => {
  if (before.kind === 'histogram' && more.kind === 'histogram')
    return { ...before, points: [...before.points, ...more.points] };
  if (before.kind !== 'histogram' && more.kind === before.kind)
    return { ...before, points: [...before.points, ...more.points] };
  throw new TypeError(`${before.name} is a ${before.kind} and a ${more.kind}`);
};
