import type { IncomingMessage } from 'node:http';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { shownUrl } from './shown-url.ts';

/** An event of a server-sent stream (WHATWG HTML, 9.2.6). An id without an event comes with empty data. */
export type ServerEvent = {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
};

export type EventStreamProblem = {
  /** `refused`: the answer is no stream of events; then it is told with its status and, cut, its body. */
  readonly code: 'unreachable' | 'refused';
  readonly message: string;
  readonly status: number | null;
  readonly body: string;
};

export type EventStreamOptions = {
  readonly headers: { readonly [name: string]: string };
  readonly signal: AbortSignal;
  /** Nothing, not even a comment, for so long: the connection is given up. */
  readonly silentWithinMs: number;
  readonly lineBytesMax: number;
};

const refusalBytesMax = 4096;

/** The events of one connection, until it ends. Ends without a word when the signal aborts or the server has said all. */
export const openEventStream = async (
  url: string,
  options: EventStreamOptions,
): Promise<Result<AsyncIterable<ServerEvent>, EventStreamProblem>> => {
  const { signal, silentWithinMs } = options;
  const { request } = url.startsWith('https:')
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
  const answer = await new Promise<IncomingMessage | Error>((done) => {
    const asking = request(url, {
      headers: { ...options.headers, accept: 'text/event-stream' },
      agent: false,
      signal,
      timeout: silentWithinMs,
    });
    asking.on('timeout', () => asking.destroy(new Error(`silent for ${silentWithinMs} ms`)));
    asking.on('error', done);
    asking.once('response', done);
    asking.end();
  });
  if (answer instanceof Error) return unreachable(url, answer);
  const { statusCode = 0 } = answer;
  if (
    statusCode !== 200 ||
    !(answer.headers['content-type'] ?? '').startsWith('text/event-stream')
  ) {
    const body = await firstBytes(answer);
    const message = `${shownUrl(url)}: answered ${statusCode} and no stream of events`;
    return fail({ code: 'refused', message, status: statusCode, body });
  }
  return ok(eventsOf(answer, options.lineBytesMax));
};

const unreachable = (url: string, cause: Error): Result<never, EventStreamProblem> =>
  fail({
    code: 'unreachable',
    message: `${shownUrl(url)}: ${cause.message}`,
    status: null,
    body: '',
  });

const firstBytes = async (answer: IncomingMessage): Promise<string> => {
  let text = '';
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > refusalBytesMax) break;
    }
  } catch {
    // What came is told.
  }
  answer.destroy();
  return text.slice(0, refusalBytesMax);
};

/** A connection that breaks ends the stream: whoever reads connects again either way. */
async function* eventsOf(
  answer: IncomingMessage,
  lineBytesMax: number,
): AsyncIterable<ServerEvent> {
  const fields = { id: null as string | null, event: '', data: [] as string[], isEmpty: true };
  try {
    for await (const line of linesOf(answer, lineBytesMax)) {
      if (line !== '') {
        takeField(fields, line);
        continue;
      }
      if (fields.isEmpty) continue;
      const { id, event } = fields;
      yield { id, event: event === '' ? 'message' : event, data: fields.data.join('\n') };
      Object.assign(fields, { id: null, event: '', data: [], isEmpty: true });
    }
  } finally {
    answer.destroy();
  }
}

const takeField = (
  fields: { id: string | null; event: string; data: string[]; isEmpty: boolean },
  line: string,
): void => {
  const at = line.indexOf(':');
  const name = at < 0 ? line : line.slice(0, at);
  const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
  switch (name) {
    case 'id':
      fields.id = value;
      fields.isEmpty = false;
      return;
    case 'event':
      fields.event = value;
      return;
    case 'data':
      fields.data.push(value);
      fields.isEmpty = false;
      return;
    default: // a comment, or how long to wait, which is ours to say
  }
};

async function* linesOf(answer: IncomingMessage, lineBytesMax: number): AsyncIterable<string> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > lineBytesMax) return;
    }
  } catch {
    // Cut off: what was whole has been told.
  }
}
