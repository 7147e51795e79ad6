import { labelOf } from '../../core/spool/spooled-marker.ts';
import type { SpoolEntry } from '../../ports/spool.ts';
import type { Given } from '../terminal/arguments.ts';
import { spanText, table } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import { noteElsewhere, spoolProblem } from './flush.ts';

/** One marker of the spool, a line of `spool list --json`. */
export type SpoolLine = {
  readonly marker: string;
  readonly kind: string | null;
  readonly deployment: string | null;
  readonly state: 'waiting' | 'expired' | 'refused' | 'damaged';
  readonly waitedMs: number | null;
  /** Why it was refused, or what is wrong with it. */
  readonly code: string | null;
  readonly message: string | null;
};

export const listSpool = async (
  ports: CliPorts,
  _given: Given,
  isJson: boolean,
): Promise<CliProblem | undefined> => {
  await noteElsewhere(ports);
  const lines: SpoolLine[] = [];
  for (const from of ['waiting', 'refused'] as const) {
    const entries = await ports.spool[from]();
    if (!entries.ok) return spoolProblem(entries.problem);
    for (const entry of entries.value) {
      const line = await lineOf(ports, entry, from);
      if (line !== undefined) lines.push(line);
    }
  }
  if (isJson) printLines(ports.terminal, lines);
  else if (lines.length === 0) printText(ports.terminal, ['nothing waits for this log']);
  else printText(ports.terminal, table(heading, lines.map(cellsOf), ports.terminal.columns));
  return undefined;
};

const heading = ['STATE', 'MARKER', 'KIND', 'DEPLOYMENT', 'LIES THERE FOR', 'WHY'];

const cellsOf = ({
  state,
  marker,
  kind,
  deployment,
  waitedMs,
  code,
  message,
}: SpoolLine): readonly string[] => [
  state,
  marker,
  kind ?? '',
  deployment ?? '',
  waitedMs === null ? '' : spanText(waitedMs),
  message === null ? '' : `${message} [${code ?? ''}]`,
];

const lineOf = async (
  { spool, tools }: CliPorts,
  entry: SpoolEntry,
  from: 'waiting' | 'refused',
): Promise<SpoolLine | undefined> => {
  const read = await spool.read(entry, from);
  if (!read.ok) {
    const { code, message } = read.problem;
    const { marker } = entry;
    return {
      ...{ marker, kind: null, deployment: null, waitedMs: null },
      ...{ state: 'damaged', code, message },
    };
  }
  if (read.value === undefined) return undefined;
  const { record, deployment, waitedMs, isExpired, refusal } = read.value;
  return {
    marker: entry.marker,
    kind: labelOf(tools.text, record).kind,
    deployment,
    state: from === 'refused' ? 'refused' : isExpired ? 'expired' : 'waiting',
    waitedMs,
    code: refusal?.code ?? null,
    message: refusal?.message ?? null,
  };
};

/** Removes markers for good: what nobody has on a log is then nowhere. */
export const dropSpooled = async (
  { spool, terminal }: CliPorts,
  { words }: Given,
  isJson: boolean,
): Promise<CliProblem | undefined> => {
  const there = new Map<
    string,
    { readonly entry: SpoolEntry; readonly from: 'waiting' | 'refused' }
  >();
  for (const from of ['waiting', 'refused'] as const) {
    const entries = await spool[from]();
    if (!entries.ok) return spoolProblem(entries.problem);
    for (const entry of entries.value) there.set(entry.marker, { entry, from });
  }
  const missing = words.find((word) => !there.has(word.toLowerCase()));
  if (missing !== undefined)
    return problem(
      'not-found',
      `no marker ${missing.slice(0, 64)} is in the spool`,
      'nothing was removed; plimsoll spool list shows what is there',
    );
  for (const word of words) {
    const found = there.get(word.toLowerCase());
    if (found === undefined) continue;
    const removed = await spool.remove(found.entry, found.from);
    if (!removed.ok) return spoolProblem(removed.problem);
    if (!isJson) printText(terminal, [`removed ${found.entry.marker}`]);
  }
  return undefined;
};
