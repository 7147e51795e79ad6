// A strict reader of what collectors read: Prometheus text format 0.0.4 and OpenMetrics 1.0, written from their
// specifications and not from our writer. It throws at the first thing that a collector could trip over.

export type ReadSample = {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
  readonly exemplar: {
    readonly labels: { readonly [name: string]: string };
    readonly value: number;
    readonly atS: number;
  } | null;
};

export type ReadFamily = {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ReadSample[];
};

type Format = 'prometheus' | 'openmetrics';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const exemplarCharsMax = 128;

/** All families in order. Checks names, escapes, order, suffixes, histograms, exemplars and the end. */
export const readExposition = (text: string, format: Format): readonly ReadFamily[] => {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF at the end');
  const families: { name: string; help: string; type: string; samples: ReadSample[] }[] = [];
  const series = new Set<string>();
  for (const line of lines) {
    const head = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line);
    if (head !== null) {
      const [, word, name = '', rest = ''] = head;
      if (!isWhole(metricName, name)) throw new Error(`bad name: ${line}`);
      const last = families.at(-1);
      if (word === 'HELP') {
        if (families.some((family) => family.name === name)) throw new Error(`twice: ${name}`);
        families.push({
          name,
          help: unescape(rest, format === 'openmetrics'),
          type: '',
          samples: [],
        });
      } else {
        if (last?.name !== name || last.type !== '') throw new Error(`TYPE without HELP: ${line}`);
        if (!['counter', 'gauge', 'histogram'].includes(rest)) throw new Error(`type: ${rest}`);
        last.type = rest;
      }
      continue;
    }
    if (line.startsWith('#') || line === '') throw new Error(`not understood: ${line}`);
    const family = families.at(-1);
    if (family === undefined || family.type === '') throw new Error(`sample without TYPE: ${line}`);
    const sample = readSample(line, format);
    if (!sampleNames(family, format).includes(sample.name))
      throw new Error(`${sample.name} is no sample of ${family.name}`);
    const key = keyOf(sample);
    if (series.has(key)) throw new Error(`the same series twice: ${line}`);
    series.add(key);
    if (sample.exemplar !== null && !/_(total|bucket)$/.test(sample.name))
      throw new Error(`an exemplar where none may be: ${line}`);
    family.samples.push(sample);
  }
  for (const family of families) if (family.type === 'histogram') checkHistogram(family);
  for (const { name, samples, type } of families)
    for (const sample of samples)
      if (type === 'counter' && !(sample.value >= 0)) throw new Error(`${name}: ${sample.value}`);
  return families;
};

const isWhole = (pattern: RegExp, text: string): boolean => pattern.exec(text)?.[0] === text;

const sampleNames = (
  { name, type }: { readonly name: string; readonly type: string },
  format: Format,
): readonly string[] => {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  if (type === 'gauge') return [name];
  if (format === 'openmetrics') return [`${name}_total`];
  if (!name.endsWith('_total')) throw new Error(`a counter must end in _total: ${name}`);
  return [name];
};

const keyOf = ({ name, labels }: ReadSample): string =>
  JSON.stringify([
    name,
    Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);

const readSample = (line: string, format: Format): ReadSample => {
  const name = metricName.exec(line)?.[0] ?? '';
  let rest = line.slice(name.length);
  let labels = {};
  if (rest.startsWith('{')) ({ labels, rest } = readLabels(rest));
  const [sampleText = '', exemplarText, ...more] = splitExemplar(rest);
  if (more.length > 0) throw new Error(`two exemplars: ${line}`);
  if (exemplarText !== undefined && format === 'prometheus')
    throw new Error(`an exemplar in 0.0.4: ${line}`);
  const value = readNumber(sampleText, line);
  return {
    name,
    labels,
    value,
    exemplar: exemplarText === undefined ? null : readExemplar(exemplarText),
  };
};

/** Only behind the value: a label may hold the same characters. */
const splitExemplar = (rest: string): readonly string[] => rest.split(' # ');

const readExemplar = (text: string): NonNullable<ReadSample['exemplar']> => {
  const { labels, rest } = readLabels(text);
  const chars = Object.entries(labels).flat().join('').length;
  if (chars > exemplarCharsMax) throw new Error(`an exemplar of ${chars} characters`);
  const [, value = '', at = ''] = rest.split(' ');
  return { labels, value: readNumber(` ${value}`, text), atS: readNumber(` ${at}`, text) };
};

const readLabels = (text: string): { labels: Record<string, string>; rest: string } => {
  const labels: Record<string, string> = Object.create(null);
  let rest = text.slice(1);
  while (!rest.startsWith('}')) {
    const name = labelName.exec(rest)?.[0];
    if (name === undefined || name.startsWith('__')) throw new Error(`label name: ${rest}`);
    if (Object.hasOwn(labels, name)) throw new Error(`label twice: ${name}`);
    rest = rest.slice(name.length);
    const quoted = /^="((?:[^"\\\n]|\\["\\n])*)"/.exec(rest);
    if (quoted === null) throw new Error(`label value: ${rest}`);
    labels[name] = unescape(quoted[1] ?? '', true);
    if (labels[name] === '') throw new Error(`an empty label: ${name}`);
    rest = rest.slice(quoted[0].length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (!rest.startsWith('}')) throw new Error(`label list: ${rest}`);
  }
  return { labels, rest: rest.slice(1) };
};

const readNumber = (text: string, line: string): number => {
  const number = /^ ([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/.exec(text)?.[1];
  if (number === undefined) throw new Error(`number: ${line}`);
  return Number(number.replace('Inf', 'Infinity'));
};

const unescape = (text: string, isQuoted: boolean): string =>
  text.replaceAll(/\\(.?)/gs, (_, next: string) => {
    if (next === 'n') return '\n';
    if (next === '\\' || (isQuoted && next === '"')) return next;
    throw new Error(`escape: \\${next}`);
  });

const checkHistogram = ({ name, samples }: ReadFamily): void => {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  for (const [labels, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map((sample) => Number(sample.labels['le']?.replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const isAscending = (numbers: readonly number[]): boolean =>
      numbers.every((number, at) => at === 0 || number >= (numbers[at - 1] ?? Infinity));
    if (!isAscending(bounds) || bounds.at(-1) !== Infinity || new Set(bounds).size < bounds.length)
      throw new Error(`bounds of ${name}${labels}`);
    const count = own.find((sample) => sample.name === `${name}_count`)?.value;
    if (!isAscending(counts) || counts.at(-1) !== count) throw new Error(`counts of ${name}`);
    if (own.every((sample) => sample.name !== `${name}_sum`)) throw new Error(`no ${name}_sum`);
  }
};
