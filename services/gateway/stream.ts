import type { LogRecord, Position } from '../core/log/record.ts';
import { recordEvent } from '../core/log/record-event.ts';
import { isKind, kinds } from '../core/markers/kinds.ts';
import { changesTrust, kindSaid } from '../core/markers/record-kind.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { Stop } from '../ports/clock.ts';
import type { HttpRequest, HttpResponse, HttpSink } from '../ports/http.ts';
import { atLeastWithinMs } from './reads.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import type { ReadSide } from './read-side.ts';

// The log as server-sent events, for programs that follow it without reaching the log itself. What is sent are the bytes
// that were signed: a gateway can keep something back, and cannot make anything up.

export type StreamPorts = Pick<GatewayPorts, 'log' | 'clock' | 'tools'> & {
  readonly reads: ReadSide;
};

export type StreamDoor = {
  readonly get: (request: HttpRequest) => Promise<Result<HttpResponse, Problem>>;
  /** How many follow now. */
  readonly open: () => number;
};

/** Names that the query may have. */
export const streamQuery: readonly string[] = ['from', 'kinds'];

const streamsMax = 200;
const batchRecordsMax = 100;
const lookEveryMs = 250;
/** Proxies close what is silent for longer, a minute often. */
const heartbeatMs = 15_000;
const retryMs = 2000;
const trustRecordsMax = 5000;

export const openStreamDoor = (ports: StreamPorts): StreamDoor => {
  let open = 0;
  const tail = openTail(ports);
  const kept = new Map<Position, string>();
  return {
    open: () => open,
    get: async (request) => {
      const wanted = readWanted(request);
      if (!wanted.ok) return wanted;
      if (open >= streamsMax)
        return refuse('busy', `${streamsMax} follow already`, 'come again in a while');
      const range = await ports.log.range(0);
      if (!range.ok) return refuse('log-unreachable', range.problem.message);
      const { start, end } = range.value;
      const from = wanted.value.from ?? end;
      if (from > end)
        return refuse(
          'query-invalid',
          `the log ends before position ${end}; ${from} is another log's`,
        );
      if (from < start)
        return refuse(
          'query-invalid',
          `the log begins at position ${start}: what was before is in its archive`,
        );
      const before = await trustBefore(ports, from, kept);
      if (!before.ok) return before;
      const { isWanted } = wanted.value;
      return ok({
        status: 200,
        headers: {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store, no-transform',
          // Nginx would hold back what is less than a buffer.
          'x-accel-buffering': 'no',
        },
        // Where to go on is said first: who is cut off before the first event must not begin at a later end.
        body: `retry: ${retryMs}\n\n${from === 0 ? '' : `id: ${from - 1}\n\n`}${before.value}`,
        stream: async (sink) => {
          open += 1;
          try {
            await send(ports, tail, sink, from, isWanted);
          } finally {
            open -= 1;
          }
        },
      });
    },
  };
};

type Wanted = {
  readonly from: Position | null;
  readonly isWanted: (record: LogRecord) => boolean;
};

const positionPattern = /^(?:0|[1-9][0-9]{0,11})$/;

const readWanted = ({ query, header }: HttpRequest): Result<Wanted, Problem> => {
  const last = header('last-event-id') ?? '';
  const asked = query.get('from');
  if (last !== '' && !positionPattern.test(last))
    return refuse('query-invalid', 'last-event-id must be the id of an event of this stream');
  if (asked !== undefined && !positionPattern.test(asked))
    return refuse('query-invalid', 'from must be a position, the first that is wanted');
  const from = last !== '' ? Number(last) + 1 : asked === undefined ? null : Number(asked);
  const words = query.get('kinds')?.split(',');
  const unknown = words?.find((word) => !isKind(word));
  if (unknown !== undefined)
    return refuse(
      'query-invalid',
      `kinds: ${JSON.stringify(unknown.slice(0, 64))} is no kind`,
      `kinds, with commas between them: ${Object.keys(kinds).join(', ')}`,
    );
  if (words === undefined) return ok({ from, isWanted: () => true });
  const wanted = new Set<string>(words);
  const isWanted = (record: LogRecord): boolean => {
    const kind = kindSaid(record);
    return kind !== undefined && (wanted.has(kind) || changesTrust(kind));
  };
  return ok({ from, isWanted });
};

/** Events of all records before a position that say who may sign, so that a reader need not read the log from its beginning. */
const trustBefore = async (
  { reads, log, tools }: StreamPorts,
  from: Position,
  /** What lies at a position never changes: it is read once. */
  kept: Map<Position, string>,
): Promise<Result<string, Problem>> => {
  if (from === 0) return ok('');
  const reached = await reads.waitFor(from - 1, atLeastWithinMs);
  if (!reached.ok) return reached;
  const keys = await reads.trust();
  if (!keys.ok) return keys;
  const positions = trustPositions(keys.value.trust).filter((position) => position < from);
  if (positions.length > trustRecordsMax)
    return refuse('busy', `${positions.length} records say who may sign: too many to send`);
  const missing = positions.filter((position) => !kept.has(position));
  const wanted = new Set(missing);
  const told = new Map<Position, string>();
  for (const together of inTurns(runsOf(missing))) {
    const read = await Promise.all(together.map(({ first, count }) => log.read(0, first, count)));
    for (const page of read) {
      if (!page.ok) return refuse('log-unreachable', page.problem.message);
      for (const record of page.value)
        if (wanted.has(record.position))
          told.set(record.position, recordEvent(tools.text, 'trust', record));
    }
  }
  let events = '';
  for (const position of positions) {
    const event = kept.get(position) ?? told.get(position);
    if (event === undefined) return refuse('log-unreachable', 'the log has become shorter');
    if (kept.size < trustRecordsMax) kept.set(position, event);
    events += event;
  }
  return ok(events);
};

type Run = { readonly first: Position; readonly count: number };

/** Ascending positions as reads: those that lie close together are read in one, with what lies between them. */
const runsOf = (positions: readonly Position[]): readonly Run[] => {
  const runs: Run[] = [];
  for (const position of positions) {
    const last = runs.at(-1);
    if (last !== undefined && position - last.first < runMax)
      runs[runs.length - 1] = { first: last.first, count: position - last.first + 1 };
    else runs.push({ first: position, count: 1 });
  }
  return runs;
};

/** Records of one read, most of which nobody wants. */
const runMax = 20;
const readsAtOnce = 8;

const inTurns = (runs: readonly Run[]): readonly (readonly Run[])[] =>
  Array.from({ length: Math.ceil(runs.length / readsAtOnce) }, (_, turn) =>
    runs.slice(turn * readsAtOnce, (turn + 1) * readsAtOnce),
  );

const trustPositions = ({ keys, sealed }: Trust): readonly Position[] => {
  const found = new Set<Position>([0]);
  for (const { addedAt, retiredAt, compromised } of keys.values())
    for (const at of [addedAt, retiredAt, compromised?.at ?? null]) if (at !== null) found.add(at);
  if (sealed !== null) found.add(sealed.at);
  return [...found].toSorted((a, b) => a - b);
};

const send = async (
  { log, clock, tools }: StreamPorts,
  tail: Tail,
  { write, gone }: HttpSink,
  from: Position,
  isWanted: (record: LogRecord) => boolean,
): Promise<void> => {
  let next = from;
  let spokeAtMs = clock.nowMs();
  while (!gone.aborted) {
    const read = await log.read(0, next, batchRecordsMax);
    // The reader comes again, and hears then what is wrong.
    if (!read.ok) return;
    for (const record of read.value) {
      next = record.position + 1;
      if (!isWanted(record)) continue;
      if (!(await write(recordEvent(tools.text, 'record', record)))) return;
      spokeAtMs = clock.nowMs();
    }
    if (clock.nowMs() - spokeAtMs >= heartbeatMs) {
      // An id alone is no event, and yet where a reader goes on: what was not wanted is not looked at again.
      if (!(await write(next === 0 ? ': waiting\n\n' : `: waiting\nid: ${next - 1}\n\n`))) return;
      spokeAtMs = clock.nowMs();
    }
    if (read.value.length < batchRecordsMax) await tail.grown(next, heartbeatMs, gone);
  }
};

type Tail = {
  /** Settles when the log may have a record at that position, the time is over, or the reader is gone. */
  readonly grown: (next: Position, withinMs: number, gone: Stop) => Promise<void>;
};

/** One look at the log's end for all who wait. */
const openTail = ({ log, clock }: StreamPorts): Tail => {
  let look: Promise<Position | null> | undefined;
  const end = async (): Promise<Position | null> => {
    await clock.sleep(lookEveryMs);
    look = undefined;
    const range = await log.range(0);
    return range.ok ? range.value.end : null;
  };
  return {
    grown: async (next, withinMs, gone) => {
      const untilMs = clock.nowMs() + withinMs;
      while (!gone.aborted && clock.nowMs() < untilMs) {
        const now = await (look ??= end());
        if (now === null || now > next) return;
      }
    },
  };
};
