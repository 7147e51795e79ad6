import type { Checked } from '../../core/check/check-batch.ts';
import { checkBatch } from '../../core/check/check-batch.ts';
import { checkOpening } from '../../core/check/check-record.ts';
import type { DeadLetter } from '../../core/dead-letters.ts';
import type { LogRecord, Position } from '../../core/log/record.ts';
import { isKind, isTrustChange, kinds } from '../../core/markers/kinds.ts';
import type { Kind } from '../../core/markers/marker.ts';
import { markerKey } from '../../core/projection.ts';
import { positionKey } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { MarkerRow } from '../../core/row-forms/marker.ts';
import type { AttemptLine } from '../../core/slot-state.ts';
import type { Trust } from '../../core/trust/trust.ts';
import { openTrust } from '../../core/trust/trust.ts';
import type { Line } from '../../core/views.ts';
import type { RowKey } from '../../ports/read-model-store.ts';
import type { ReadProblem } from '../../ports/record-log.ts';
import type { Given } from '../terminal/arguments.ts';
import { csvLine } from './csv.ts';
import { jsonText } from '../terminal/display.ts';
import { csvCells, csvHeading, exportLine, rawOf } from './export-line.ts';
import { nearest } from '../../core/nearest.ts';
import { positionAt } from '../reading/position-at.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed, readFailed, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readRows } from '../reading/reading.ts';
import { utcMsOf } from '../../core/utc-time.ts';

type Wanted = {
  readonly isCsv: boolean;
  readonly isRaw: boolean;
  readonly environment: string | null;
  readonly component: string | null;
  readonly kind: Kind | null;
};

/** Records that are read, checked and printed at a time: no more than these are in memory. */
const batchRecords = 200;

/**
 * Prints the log, one record a line: decoded, checked, with what became of it. What is not accepted is there too, with
 * its code. Nothing is gathered: a log of any length goes through.
 */
export const runExport = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<void, CliProblem>> => {
  const wanted = readWanted(given);
  if (!wanted.ok) return wanted;
  const opened = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!opened.ok) return opened;
  const atHand = opened.value;
  const from = await boundOf(atHand, given.value('from'), '--from', 0);
  if (!from.ok) return from;
  const to = await boundOf(atHand, given.value('to'), '--to', Infinity);
  if (!to.ok) return to;
  if (from.value > to.value || isLaterTime(given.value('from'), given.value('to')))
    return refuse(
      'option-invalid',
      `--from=${given.value('from')} is after --to=${given.value('to')}`,
      'records from --from up to, and without, --to are exported',
    );
  // What came since the fold is not in the read models, which are asked what became of each record.
  const end = Math.min(to.value, atHand.state.next);
  const { terminal } = ports;
  if (wanted.value.isCsv) terminal.out(csvLine(csvHeading(wanted.value.isRaw)));
  const onProgress = openProgress(ports, 'exporting');
  const walking = openWalk(ports, atHand);
  for (let next = 0; next < end;) {
    const batch = await walking.next(next, Math.min(end, next + batchRecords), from.value);
    if (!batch.ok) return batch;
    const lines = await linesOf(ports, atHand, batch.value.checked, wanted.value);
    if (!lines.ok) return lines;
    for (const line of lines.value)
      terminal.out(
        wanted.value.isCsv ? csvLine(csvCells(line, wanted.value.isRaw)) : `${jsonText(line)}\n`,
      );
    next = batch.value.next;
    onProgress({ next, end });
  }
  return ok(undefined);
};

const readWanted = (given: Given): Result<Wanted, CliProblem> => {
  const format = given.value('format') ?? 'jsonl';
  if (format !== 'jsonl' && format !== 'csv')
    return refuse('option-invalid', '--format must be jsonl or csv', 'jsonl holds all there is');
  if (format === 'csv' && given.has('json'))
    return refuse('option-invalid', '--json and --format=csv say different things', 'name one');
  const kind = given.value('kind');
  if (kind !== null && !isKind(kind)) {
    const near = nearest(kind, Object.keys(kinds));
    return refuse(
      'option-invalid',
      `--kind=${JSON.stringify(kind.slice(0, 64))} is no kind of record`,
      near === undefined ? `one of: ${Object.keys(kinds).join(', ')}` : `did you mean ${near}?`,
    );
  }
  return ok({
    isCsv: format === 'csv',
    isRaw: given.has('raw'),
    environment: given.value('environment-name'),
    component: given.value('component-name'),
    kind,
  });
};

/** Of two times that no record lies between. */
const isLaterTime = (one: string | null, other: string | null): boolean =>
  (utcMsOf(one ?? '') ?? -Infinity) > (utcMsOf(other ?? '') ?? Infinity);

const boundOf = async (
  { log }: AtHand,
  written: string | null,
  option: string,
  otherwise: Position,
): Promise<Result<Position, CliProblem>> =>
  written === null ? ok(otherwise) : positionAt(log, written, option);

type Walk = {
  /** Checks records [next, end) as far as they are at or behind `from`; before it only what changes trust is looked at. */
  readonly next: (
    next: Position,
    end: Position,
    from: Position,
  ) => Promise<
    Result<{ readonly checked: readonly Checked[]; readonly next: Position }, CliProblem>
  >;
};

/** Walks the log from record 0 on, because each record is checked with the keys that those before it have named. */
const openWalk = ({ tools, settings: { audience } }: CliPorts, { log }: AtHand): Walk => {
  let trust: Trust | undefined;

  const open = (record: LogRecord): Result<Checked, CliProblem> => {
    const opening = checkOpening(tools, audience, record);
    if (!opening.ok)
      return fail(foldFailed({ code: 'log-not-opened', message: opening.problem.message }));
    const digest = tools.crypto.sha256Hex(record.value);
    trust = openTrust(opening.value, digest);
    const signer = trust.keys.get(opening.value.key.id);
    if (signer === undefined) throw new TypeError('an opening names its own key');
    const authentic = { marker: opening.value, signer, digest, waitedMs: 0 };
    return ok({ record, trust, outcome: 'trust-changed', authentic });
  };
  const isLookedAt = (record: LogRecord, from: Position): boolean => {
    if (record.position >= from) return true;
    const kind = tools.codec.prefix(record.value)?.kind;
    return (
      kind !== undefined && isKind(kind) && (kinds[kind].shape === 'trust' || kind === 'log-sealed')
    );
  };

  return {
    next: async (next, end, from) => {
      const read = await log.read(0, next, end - next);
      if (!read.ok) return logFailed(read.problem);
      const [first, ...rest] = read.value;
      if (first === undefined)
        return logFailed({ code: 'beyond-end', message: `${log.name} ends at ${next}` });
      const checked: Checked[] = [];
      if (trust === undefined) {
        const opening = open(first);
        if (!opening.ok) return opening;
        checked.push(opening.value);
      }
      const records = checked.length === 0 ? read.value : rest;
      if (trust === undefined) throw new TypeError('a log was opened before it is walked');
      const looked = records.filter((record) => isLookedAt(record, from));
      const checks = checkBatch(tools, audience, trust, looked);
      ({ trust } = checks);
      checked.push(...checks.checked);
      return ok({
        checked: checked.filter(({ record }) => record.position >= from),
        next: next + read.value.length,
      });
    },
  };
};

const logFailed = (problem: ReadProblem): Result<never, CliProblem> => fail(readFailed(problem));

/** Asks the read models of the whole batch at once: first the ids, then the attempts that they lead to. */
const linesOf = async (
  { tools }: CliPorts,
  atHand: AtHand,
  checked: readonly Checked[],
  wanted: Wanted,
): Promise<Result<readonly Line[], CliProblem>> => {
  if (checked.length === 0) return ok([]);
  const keys = checked.flatMap((item): readonly RowKey[] => [letterKey(item), ...markerKeys(item)]);
  const rows = await readRows(atHand, keys);
  if (!rows.ok) return rows;
  const found = checked.map((item) => {
    const [key] = markerKeys(item);
    return {
      item,
      letter: rows.value.get('dead-letter', positionKey(item.record.position)) as
        | DeadLetter
        | undefined,
      marker:
        key === undefined
          ? undefined
          : (rows.value.get('marker', key.key) as MarkerRow | undefined),
    };
  });
  const openings = new Set(found.flatMap(({ marker }) => marker?.openedAt ?? []));
  const attempts = await readRows(
    atHand,
    [...openings].map((at) => ({ model: 'timeline', key: positionKey(at) })),
  );
  if (!attempts.ok) return attempts;
  return ok(
    found.flatMap(({ item, letter, marker }) => {
      const opened = letter === undefined ? (marker?.openedAt ?? null) : null;
      const line = exportLine(tools.text, item, {
        letter,
        isDuplicate: isDuplicate(item, marker),
        attempt:
          opened === null
            ? undefined
            : (attempts.value.get('timeline', positionKey(opened)) as AttemptLine | undefined),
      });
      if (!isWanted(line, wanted)) return [];
      return [wanted.isRaw ? { ...line, raw: rawOf(tools.text, item.record) } : line];
    }),
  );
};

const letterKey = ({ record }: Checked): RowKey => ({
  model: 'dead-letter',
  key: positionKey(record.position),
});

const markerKeys = (item: Checked): readonly RowKey[] => {
  if (item.outcome !== 'authentic') return [];
  const { marker, signer } = item.authentic;
  return isTrustChange(marker)
    ? []
    : [{ model: 'marker', key: markerKey(marker.marker, signer.principal) }];
};

const isDuplicate = (item: Checked, marker: MarkerRow | undefined): boolean =>
  item.outcome === 'trust-repeated' ||
  (marker !== undefined && marker.position !== item.record.position);

const isWanted = (line: Line, { environment, component, kind }: Wanted): boolean =>
  (environment === null || line['environment'] === environment) &&
  (component === null || line['component'] === component) &&
  (kind === null || line['kind'] === kind);
