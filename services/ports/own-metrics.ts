import type { MetricFamily } from '../core/own-metrics/family.ts';

/** Answers at once from memory. Always the same families in the same order, with few points each. */
export type ReadMetrics = () => readonly MetricFamily[];

/** The numbers of all services of this process, as text, in the format that an Accept header asks for. */
export type WriteMetrics = (
  accept: string | undefined,
) => Promise<{ readonly contentType: string; readonly body: string }>;
