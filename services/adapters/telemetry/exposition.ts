import type { Exemplar, Labels, MetricFamily } from '../../core/own-metrics/family.ts';

// Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0
// (github.com/prometheus/OpenMetrics, specification/OpenMetrics.md): the same lines but for a few, and exemplars.

export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const contentTypes: { readonly [Format in ExpositionFormat]: string } = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A family with more points is cut: better an incomplete answer than one that nobody can take. */
const pointsMax = 2_000;
/** OpenMetrics allows 128 characters for all labels of an exemplar; a deployment id has 36. */
const exemplarLabel = 'deployment_id';

/** What the collector asks for: OpenMetrics where it names it, unless it would rather have the other. */
export const formatFor = (accept: string | undefined): ExpositionFormat => {
  const offers = (accept ?? '').split(',').map(parseOffer);
  const best = (type: string): number =>
    Math.max(0, ...offers.filter((offer) => offer.type === type).map(({ quality }) => quality));
  const open = best('application/openmetrics-text');
  return open > 0 && open >= best('text/plain') ? 'openmetrics' : 'prometheus';
};

const parseOffer = (offer: string): { readonly type: string; readonly quality: number } => {
  const [type = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const isVersionKnown = parameters.every(
    (parameter) =>
      !parameter.startsWith('version=') || /^version=(1\.0\.\d|0\.0\.4)$/.test(parameter),
  );
  return { type, quality: isVersionKnown ? Number(quality ?? 1) || 0 : 0 };
};

/** Each family once, its points below it. A family that has none keeps its head, so that it can be found. */
export const writeExposition = (
  families: readonly MetricFamily[],
  format: ExpositionFormat,
): string => {
  const lines = families.flatMap((family) => familyLines(family, format));
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
};

const familyLines = (family: MetricFamily, format: ExpositionFormat): readonly string[] => {
  const isOpen = format === 'openmetrics';
  const { name, kind } = family;
  const sampleName = kind === 'counter' ? `${name}_total` : name;
  const headName = isOpen ? name : sampleName;
  const help = isOpen ? escapeQuoted(family.help) : escapeHelp(family.help);
  const lines = [`# HELP ${headName} ${help}`, `# TYPE ${headName} ${kind}`];
  if (family.kind !== 'histogram') {
    for (const { labels, value, exemplar } of family.points.slice(0, pointsMax)) {
      const shown = isOpen && kind === 'counter' ? exemplarText(exemplar) : '';
      lines.push(`${sampleName}${labelText(labels)} ${numberText(value)}${shown}`);
    }
    return lines;
  }
  for (const { labels, state } of family.points.slice(0, pointsMax)) {
    for (const { upTo, count, exemplar } of state.buckets) {
      const bound = labelText({ ...labels, le: boundText(upTo) });
      lines.push(`${name}_bucket${bound} ${count}${isOpen ? exemplarText(exemplar) : ''}`);
    }
    lines.push(`${name}_sum${labelText(labels)} ${numberText(state.sum)}`);
    lines.push(`${name}_count${labelText(labels)} ${state.count}`);
  }
  return lines;
};

const labelText = (labels: Labels): string => {
  // An empty value is the same as none.
  const parts = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${escapeQuoted(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
};

const exemplarText = (exemplar: Exemplar | null | undefined): string =>
  exemplar === null || exemplar === undefined
    ? ''
    : ` # ${labelText({ [exemplarLabel]: exemplar.deployment })} ${numberText(exemplar.value)} ${(exemplar.atMs / 1000).toFixed(3)}`;

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeQuoted = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

const numberText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
};

/** OpenMetrics wants bounds as floats, so that both formats name a series alike. */
const boundText = (bound: number): string =>
  Number.isInteger(bound) ? `${bound}.0` : numberText(bound);
