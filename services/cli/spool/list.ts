import { labelOf } from '../../core/spool/spooled-marker.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { SpoolElsewhere, SpoolEntry } from '../../ports/spool.ts';
import type { Given } from '../terminal/arguments.ts';
import { spanText, table } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import { spoolProblem } from './flush.ts';

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
  /** The other log that it was kept for; null: for this one. */
  readonly elsewhere: string | null;
};

export const listSpool = async (
  ports: CliPorts,
  _given: Given,
  isJson: boolean,
): Promise<CliProblem | undefined> => {
  const found = await allSpooled(ports);
  if (!found.ok) return found.problem;
  const lines: SpoolLine[] = [];
  for (const one of found.value) {
    const line = await lineOf(ports, one);
    if (line !== undefined) lines.push(line);
  }
  if (isJson) printLines(ports.terminal, lines);
  else if (lines.length === 0) printText(ports.terminal, ['nothing waits for this log']);
  else printText(ports.terminal, table(heading, lines.map(cellsOf), ports.terminal.columns));
  return undefined;
};

type Spooled = {
  readonly entry: SpoolEntry;
  readonly from: 'waiting' | 'refused';
  readonly spool: SpoolElsewhere['spool'];
  readonly elsewhere: string | null;
};

/** What lies there for this log, then for others. */
const allSpooled = async ({ spool }: CliPorts): Promise<Result<readonly Spooled[], CliProblem>> => {
  const others = await spool.elsewhere();
  if (!others.ok) return fail(spoolProblem(others.problem));
  const all: Spooled[] = [];
  for (const [label, at] of [
    [null, spool] as const,
    ...others.value.map((other) => [other.label, other.spool] as const),
  ])
    for (const from of ['waiting', 'refused'] as const) {
      const entries = await at[from]();
      if (!entries.ok) return fail(spoolProblem(entries.problem));
      for (const entry of entries.value) all.push({ entry, from, spool: at, elsewhere: label });
    }
  return ok(all);
};

const heading = ['STATE', 'MARKER', 'KIND', 'DEPLOYMENT', 'LIES THERE FOR', 'WHY', 'KEPT FOR'];

const cellsOf = ({
  state,
  marker,
  kind,
  deployment,
  waitedMs,
  code,
  message,
  elsewhere,
}: SpoolLine): readonly string[] => [
  state,
  marker,
  kind ?? '',
  deployment ?? '',
  waitedMs === null ? '' : spanText(waitedMs),
  message === null ? '' : `${message} [${code ?? ''}]`,
  elsewhere ?? '',
];

const lineOf = async (
  { tools }: CliPorts,
  { entry, from, spool, elsewhere }: Spooled,
): Promise<SpoolLine | undefined> => {
  const read = await spool.read(entry, from);
  if (!read.ok) {
    const { code, message } = read.problem;
    const { marker } = entry;
    return {
      ...{ marker, kind: null, deployment: null, waitedMs: null },
      ...{ state: 'damaged', code, message, elsewhere },
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
    elsewhere,
  };
};

/** Removes markers for good: what nobody has on a log is then nowhere. */
export const dropSpooled = async (
  ports: CliPorts,
  { words }: Given,
  isJson: boolean,
): Promise<CliProblem | undefined> => {
  const found = await allSpooled(ports);
  if (!found.ok) return found.problem;
  const there = new Map(found.value.toReversed().map((one) => [one.entry.marker, one] as const));
  const missing = words.find((word) => !there.has(word.toLowerCase()));
  if (missing !== undefined)
    return problem(
      'not-found',
      `no marker ${missing.slice(0, 64)} is in the spool`,
      'nothing was removed; plimsoll spool list shows what is there',
    );
  for (const word of words) {
    const one = there.get(word.toLowerCase());
    if (one === undefined) continue;
    const removed = await one.spool.remove(one.entry, one.from);
    if (!removed.ok) return spoolProblem(removed.problem);
    if (!isJson) printText(ports.terminal, [`removed ${one.entry.marker}`]);
  }
  return undefined;
};
