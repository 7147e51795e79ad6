import { setTimeout as sleep } from 'node:timers/promises';
import type { NewRecord, Position } from '../../core/log/record.ts';
import { markersPath, toHttp } from '../../core/markers/http-wire.ts';
import type { Text } from '../../core/markers/crypto.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Random } from '../canary-climates/random.ts';
import type { Events } from './events.ts';
import type { Pipelines, Written } from './pipelines.ts';

/** A record of which an emitter was told that it is stored, and where. */
export type Acknowledged = { readonly position: Position; readonly record: NewRecord };

export type Emitters = {
  /** Everything that was acknowledged so far. */
  readonly acknowledged: readonly Acknowledged[];
  /** What was answered with a refusal: the log took nothing, and no emitter sends such a thing. */
  readonly refused: readonly string[];
  /** So many at once, beside what goes on anyway. */
  readonly burst: (count: number) => Promise<void>;
  /** Appends this until it is acknowledged. */
  readonly deliver: (written: Written) => Promise<Position>;
  /** Nothing new is begun; resolves when everything that was begun is acknowledged. */
  readonly quiet: () => Promise<void>;
  readonly goOn: () => void;
  readonly stop: () => Promise<void>;
};

export type EmitterOptions = {
  readonly pipelines: Pipelines;
  /** Each has a lane of its own. */
  readonly lanes: readonly RecordLog[];
  /** Address of a gateway, or null. A share of the markers goes there. */
  readonly gatewayUrl: string | null;
  readonly text: Text;
  readonly perSecond: number;
  readonly random: Random;
  readonly events: Events;
};

const againAfterMs = 200;
const gatewayShare = 0.15;
const gatewayWithinMs = 4_000;
/** A gateway that is away for longer is passed by: its marker goes to the log itself, the same bytes. */
const gatewayTriesMax = 5;

/**
 * Emitters as pipelines are: whatever is not acknowledged is sent again, the same bytes, until it is. So whatever
 * was acknowledged must be on the log, once in the read models, wherever it was lost on the way.
 */
export const startEmitters = (options: EmitterOptions): Emitters => {
  const { pipelines, lanes, gatewayUrl, text, random, events } = options;
  const acknowledged: Acknowledged[] = [];
  const refused: string[] = [];
  const under = new Set<Promise<unknown>>();
  let stopped = false;
  let isQuiet = false;

  const pickLane = (): RecordLog => {
    const lane = lanes[Math.floor(random() * lanes.length)];
    if (lane === undefined) throw new RangeError('emitters need a lane');
    return lane;
  };

  const append = async ({ record }: Written): Promise<Position> => {
    const lane = pickLane();
    for (;;) {
      const appended = await lane.append(0, [record]);
      if (appended.ok) {
        const position = appended.value[0]?.position ?? -1;
        acknowledged.push({ position, record });
        return position;
      }
      const { code, message } = appended.problem;
      if (code === 'refused' || code === 'corrupt') {
        refused.push(message);
        events.add('emitter', `${code}: ${message}`);
        return -1;
      }
      if (stopped) return -1;
      await sleep(againAfterMs);
    }
  };

  /** Where the gateway says that it lies; `refused` where it judged it; undefined where nothing is known. */
  const post = async (
    url: string,
    { record }: Written,
  ): Promise<Position | 'refused' | undefined> => {
    const { headers, body } = toHttp(text, record);
    try {
      const response = await fetch(`${url}${markersPath}`, {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(gatewayWithinMs),
      });
      if (response.status >= 400 && response.status < 500) return 'refused';
      const answer = (await response.json()) as {
        readonly delivery?: string;
        readonly position?: number | null;
      };
      if (!response.ok || typeof answer.position !== 'number') return undefined;
      // A duplicate is told where the first one lies, whose headers may differ.
      if (answer.delivery === 'stored') acknowledged.push({ position: answer.position, record });
      return answer.position;
    } catch {
      return undefined;
    }
  };

  const deliver = async (written: Written): Promise<Position> => {
    if (gatewayUrl !== null && written.marker !== null && random() < gatewayShare)
      for (let tries = 0; tries < gatewayTriesMax && !stopped; tries += 1) {
        const answer = await post(gatewayUrl, written);
        // A pipeline may insist: the log takes it, and the fold says what it is.
        if (answer === 'refused') break;
        if (answer !== undefined) return answer;
        await sleep(againAfterMs);
      }
    return append(written);
  };

  const begin = (work: Promise<unknown>): void => {
    under.add(work);
    void work.finally(() => under.delete(work));
  };
  const emitOne = async (): Promise<void> => {
    await deliver(await pipelines.next());
  };
  const goingOn = async (): Promise<void> => {
    while (!stopped) {
      if (!isQuiet) begin(emitOne());
      await sleep(((0.5 + random()) * 1000) / options.perSecond);
    }
  };
  const over = goingOn();

  return {
    acknowledged,
    refused,
    burst: async (count) => {
      for (let at = 0; at < count; at += 1) begin(emitOne());
      await Promise.resolve();
    },
    deliver: (written) => {
      const delivering = deliver(written);
      begin(delivering);
      return delivering;
    },
    quiet: async () => {
      isQuiet = true;
      while (under.size > 0) await Promise.allSettled(under);
    },
    goOn: () => {
      isQuiet = false;
    },
    stop: async () => {
      stopped = true;
      await over;
      await Promise.allSettled(under);
    },
  };
};
