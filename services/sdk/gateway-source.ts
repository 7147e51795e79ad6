import { createText } from '../adapters/ed25519/text.ts';
import { openEventStream } from '../adapters/http/event-stream.ts';
import { shownUrl } from '../adapters/http/shown-url.ts';
import { jsonFieldsIn } from '../core/json-text.ts';
import { eventLineBytesMax, readRecordEvent, streamPath } from '../core/log/record-event.ts';
import { followingStop } from './following-stop.ts';
import type { Text } from '../core/markers/crypto.ts';
import type { Asked, Carried, RecordSource } from './record-source.ts';
import { FollowError, openPause } from './record-source.ts';

/** A gateway says something every 15 s. */
const silentWithinMs = 45_000;

/** The log as a gateway streams it (`GET /v1/stream`). `url`: as PLIMSOLL_URL. */
export const fromGateway = (url: string): RecordSource => {
  const base = url.replace(/\/+$/, '');
  const shown = shownUrl(base);
  const text = createText();
  return {
    name: shown,
    carry: async function* ({ from, kinds, signal: stop, note }) {
      assertAddress(base);
      const { signal, release } = followingStop(stop);
      try {
        yield* carried({ base, shown, text, from, kinds, signal, note });
      } finally {
        release();
      }
    },
  };
};

/** What is no address mends by no waiting. It is not repeated: it may hold a password. */
export const assertAddress = (url: string): void => {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new FollowError(
      'address-invalid',
      'what names the gateway is no address',
      'write it as http(s)://HOST[:PORT]',
    );
};

type Carrying = Omit<Asked, 'signal'> & {
  readonly base: string;
  readonly shown: string;
  readonly text: Text;
  readonly signal: AbortSignal;
};

async function* carried({
  base,
  shown,
  text,
  from,
  kinds,
  signal,
  note,
}: Carrying): AsyncGenerator<Carried> {
  const pause = openPause(signal);
  let last: string | null = null;
  while (!signal.aborted) {
    const query = [
      ...(from === null ? [] : [`from=${from}`]),
      ...(kinds === null ? [] : [`kinds=${kinds.join(',')}`]),
    ].join('&');
    const opened = await openEventStream(`${base}${streamPath}${query === '' ? '' : `?${query}`}`, {
      headers: last === null ? {} : { 'last-event-id': last },
      lineBytesMax: eventLineBytesMax,
      silentWithinMs,
      signal,
    });
    if (!opened.ok) {
      if (signal.aborted) return;
      const { status, body, message } = opened.problem;
      if (status !== null && status >= 400 && status < 500) throw refusal(shown, status, body);
      note({ code: 'unreachable', message, position: null });
      await pause.wait();
      continue;
    }
    for await (const { id, event, data } of opened.value) {
      if (event === 'record' || event === 'trust') {
        const record = readRecordEvent(text, data);
        if (record === undefined)
          note({ code: 'event-malformed', message: `${shown}: not a record`, position: null });
        else {
          pause.reset();
          yield { as: event, record };
        }
      }
      // Only after it was taken: who is stopped in between hears of it again.
      last = id ?? last;
    }
    if (signal.aborted) return;
    note({
      code: 'cut-off',
      message: `${shown}: the stream ended; it goes on`,
      position: null,
    });
    await pause.wait();
  }
}

const refusal = (base: string, status: number, body: string): FollowError => {
  const told = jsonFieldsIn(body);
  const word = (name: string): string | undefined =>
    typeof told?.[name] === 'string' ? told[name] : undefined;
  return new FollowError(
    word('code') ?? 'refused',
    `${base}: ${word('detail') ?? word('title') ?? `answered ${status}`}`,
    word('hint') ?? 'is it the address of a gateway, of this release or a newer one?',
  );
};
