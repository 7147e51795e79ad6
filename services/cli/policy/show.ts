import type { Json } from '../../core/canonical.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { digestShown, plainText } from '../terminal/display.ts';
import { openReader } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

/** The document that was set at a position (null: that counts), as a file that can be changed and set again. */
export const showPolicy = async (
  ports: CliPorts,
  written: string | null,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  if (written !== null && !/^[0-9]{1,12}$/.test(written))
    return refuse(
      'word-invalid',
      `${JSON.stringify(written.slice(0, 64))} is no position`,
      'plimsoll policy list shows the positions at which policies were set',
    );
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const set = await reader.value.policy(written === null ? null : Number(written));
  if (!set.ok) return set;
  if (set.value === null) {
    ports.note({
      code: 'empty',
      message: 'no policy was set: the preset standard counts',
      hint: 'plimsoll policy explain shows it',
    });
    return ok(undefined);
  }
  const { document, position, at, signer, reason, digest } = set.value;
  if (isJson) {
    printLines(ports.terminal, [set.value]);
    return ok(undefined);
  }
  const { print } = await ports.yaml();
  const about = `document ${digestShown(word(digest))}, set at position ${word(position)}, ${word(at)}, by ${word(signer)}: ${word(reason)}`;
  const lines = print(inReadingOrder(document ?? null))
    .trimEnd()
    .split('\n');
  printText(ports.terminal, [`# ${plainText(about)}`, ...lines.map(plainText)]);
  return ok(undefined);
};

/** Canonical JSON has its names by the alphabet; people look for the name first. */
const inReadingOrder = (value: Json): Json => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inReadingOrder);
  const placeOf = (name: string): number => {
    const place = firstNames.indexOf(name);
    return place < 0 ? firstNames.length : place;
  };
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => placeOf(a) - placeOf(b))
      .map(([name, one]) => [name, inReadingOrder(one)]),
  );
};

const firstNames: readonly string[] = [
  ...[
    'version',
    'closed',
    'policies',
    'component',
    'environment',
    'preset',
    'warm-up',
    'soak',
    'deadline',
  ],
  ...['bake', 'steps', 'on-silence', 'act', 'name', 'kind', 'of', 'where', 'per', 'weight'],
  ...['critical', 'slower', 'margin', 'least', 'tolerance', 'times', 'attribute'],
];

const word = (value: Json | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
