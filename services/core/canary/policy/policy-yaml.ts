import type { Json } from '../../canonical.ts';
import type { PlacedPolicy } from './placed-policy.ts';
import type { Settings } from './policy-text.ts';
import { policySettings } from './policy-text.ts';

// A policy as people read it. What is small stands on one line, so that the whole fits on a screen.

const widthMax = 98;

/**
 * A document of this one policy, in lines, with every setting. `remarkOf` may say something of a setting by its name,
 * which becomes a comment behind it (or, of metrics, before the metric).
 */
export const policyYaml = (
  placed: PlacedPolicy,
  remarkOf: (name: string) => string | null = () => null,
): readonly string[] => {
  const { metrics, ...rest } = policySettings(placed);
  const lines: string[] = ['version: 2', 'policies:'];
  const entries = Object.entries(rest);
  const told = entries.flatMap(([name, value], index) =>
    commented(wrapped(`${index === 0 ? '  - ' : '    '}${name}: `, value, 6), remarkOf(name)),
  );
  lines.push(...told, '    metrics:');
  for (const metric of metrics as readonly Settings[]) {
    const remark = remarkOf(`metrics.${metricName(metric)}`);
    if (remark !== null) lines.push(`      # ${oneLine(remark)}`);
    lines.push(...wrapped('      - ', metric, 10));
  }
  return lines;
};

const metricName = ({ name }: Settings): string => (typeof name === 'string' ? name : '');

/** Behind the setting, or before it where that would be too long. */
const commented = (lines: readonly string[], remark: string | null): readonly string[] => {
  const [first = '', ...others] = lines;
  if (remark === null) return lines;
  const comment = `# ${oneLine(remark)}`;
  return first.length + 1 + comment.length > widthMax
    ? [`    ${comment}`, ...lines]
    : [`${first} ${comment}`, ...others];
};

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

/** In flow style, broken between its parts where it is too long for a line. */
const wrapped = (start: string, value: Json, indent: number): readonly string[] => {
  const lines: string[] = [];
  let line = start.trimEnd();
  for (const piece of piecesOf(value)) {
    const isTooLong = line.length + 1 + piece.length > widthMax;
    if (isTooLong && line !== start.trimEnd()) {
      lines.push(line);
      line = ' '.repeat(indent - 1);
    }
    line += ` ${piece}`;
  }
  return [...lines, line];
};

/** What stands on one line for sure: `{ name: errors,`, `of: [a,`, `b] }`. */
const piecesOf = (value: Json): readonly string[] => {
  if (typeof value === 'string') return [scalar(value)];
  if (typeof value !== 'object' || value === null) return [String(value)];
  const isList = Array.isArray(value);
  const items: readonly (readonly string[])[] = isList
    ? value.map(piecesOf)
    : Object.entries(value).map(([name, one]) => prefixed(`${scalar(name)}: `, piecesOf(one)));
  if (items.length === 0) return [isList ? '[]' : '{}'];
  const pieces = items.flatMap((item, index) =>
    index === items.length - 1 ? item : suffixed(item, ','),
  );
  return isList ? suffixed(prefixed('[', pieces), ']') : suffixed(prefixed('{ ', pieces), ' }');
};

const prefixed = (prefix: string, [first = '', ...rest]: readonly string[]): readonly string[] => [
  prefix + first,
  ...rest,
];

const suffixed = (pieces: readonly string[], suffix: string): readonly string[] => [
  ...pieces.slice(0, -1),
  (pieces.at(-1) ?? '') + suffix,
];

/** Words that no reader takes for anything else stand bare; everything else is quoted as JSON, which YAML reads. */
const scalar = (text: string): string =>
  /^[A-Za-z/][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : /^[0-9]+(\.[0-9]+)?(%|ms|s|m|h|d)$/.test(text)
      ? text
      : JSON.stringify(text);
