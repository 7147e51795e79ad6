import type { HistogramState } from './histogram.ts';

export type Labels = { readonly [name: string]: string };

/** Leads from a number to one thing that made it, without a series of its own. */
export type Exemplar = {
  readonly deployment: string;
  readonly value: number;
  readonly atMs: number;
};

export type MetricPoint = {
  readonly labels: Labels;
  readonly value: number;
  readonly exemplar?: Exemplar;
};

export type MetricName = {
  /** As Prometheus has it: snake case, base unit last, without `_total`. */
  readonly name: string;
  /** As OpenTelemetry has it: its own name where it has one, without the unit. */
  readonly otelName: string;
  /** UCUM: `s`, `By`, `1`, or what is counted in braces, `{record}`. */
  readonly unit: string;
  readonly help: string;
};

/** One number of a service, with all its label values. Empty `points`: nobody knows it at this moment. */
export type MetricFamily =
  | (MetricName & { readonly kind: 'counter' | 'gauge'; readonly points: readonly MetricPoint[] })
  | (MetricName & {
      readonly kind: 'histogram';
      readonly points: readonly { readonly labels: Labels; readonly state: HistogramState }[];
    });

export const counter = (name: MetricName, points: readonly MetricPoint[]): MetricFamily => ({
  ...name,
  kind: 'counter',
  points,
});

export const gauge = (name: MetricName, points: readonly MetricPoint[]): MetricFamily => ({
  ...name,
  kind: 'gauge',
  points,
});

/** A number that may not be known. */
export const pointOf = (labels: Labels, value: number | null): readonly MetricPoint[] =>
  value === null ? [] : [{ labels, value }];

/** One point a name, each under the label `label`. */
export const pointsBy = (
  label: string,
  counts: { readonly [name: string]: number },
  labels: Labels = {},
): readonly MetricPoint[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { ...labels, [label]: name }, value }));
