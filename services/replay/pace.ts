import type { Position } from '../core/log/record.ts';
import type { Progress } from '../ports/projecting.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { ReplayPorts } from './ports.ts';

/** A projector with so many records to go is left the machine. */
const lagRecordsMax = 500;
/** How often the projector beside is looked at, milliseconds. */
const lookEveryMs = 500;
/** How long each batch waits while the projector beside lags, milliseconds. */
const waitedBesideLagMs = 1000;
/** The longest single wait, so that whoever asks to stop is heard, milliseconds. */
const waitMsMax = 200;
/** How far behind its rate a fold may be and make up for it, milliseconds. */
const behindMsMax = 1000;
const recordsMaxUnpaced = 1000;

export type Pace = {
  /** Records of one batch: with a rate, about a quarter of a second's. */
  readonly recordsMax: number;
  /** Waits as long as the rate, or a projector that lags beside, asks for. */
  readonly wait: (progress: Progress, isWanted: () => boolean) => Promise<void>;
};

/** Keeps a fold to a rate, and out of the way of the projector that readers depend on. */
export const openPace = (
  { clock, store, log }: ReplayPorts,
  generation: Generation,
  rate: number | null,
): Pace => {
  let began: { readonly atMs: number; readonly at: Position } | undefined;
  let lookedAtMs = -Infinity;
  let liveNext: Position | undefined;
  let isLagging = false;

  /** It lags only if somebody works on it: where no projector runs there is nobody to wait for. */
  const look = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    if (nowMs - lookedAtMs < lookEveryMs) return;
    lookedAtMs = nowMs;
    const current = await store.current();
    if (!current.ok || current.value === undefined || current.value === generation) {
      isLagging = false;
      return;
    }
    const checkpoint = await store.checkpoint(current.value);
    const range = await log.range(0);
    if (!checkpoint.ok || !range.ok || checkpoint.value === undefined) return;
    const { next } = checkpoint.value;
    const isMoving = liveNext !== undefined && next > liveNext;
    liveNext = next;
    isLagging = isMoving && range.value.end - next > lagRecordsMax;
  };

  const sleep = async (ms: number, isWanted: () => boolean): Promise<void> => {
    const untilMs = clock.nowMs() + ms;
    for (;;) {
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0 || !isWanted()) return;
      await clock.sleep(Math.min(leftMs, waitMsMax));
    }
  };

  return {
    recordsMax:
      rate === null
        ? recordsMaxUnpaced
        : Math.max(1, Math.min(recordsMaxUnpaced, Math.ceil(rate / 4))),
    wait: async ({ next }, isWanted) => {
      began ??= { atMs: clock.nowMs(), at: next };
      await look();
      if (isLagging) await sleep(waitedBesideLagMs, isWanted);
      if (rate === null) return;
      const dueInMs = began.atMs + ((next - began.at) / rate) * 1000 - clock.nowMs();
      // Time that was lost is not made up for by a burst.
      if (dueInMs < -behindMsMax) began = { atMs: clock.nowMs(), at: next };
      else await sleep(dueInMs, isWanted);
    },
  };
};
