import type { Judge } from '../judge-plug.ts';
import type { Level, LivedArm, LivedWindow } from '../lived-window.ts';
import { addedUp } from './added-up.ts';

/** The same canaries where senders report less often: each window is so many of the drawn ones together. */
export const inLongerWindows =
  (together: number, judge: Judge): Judge =>
  (windows) =>
    judge(longerWindows(windows, together));

const longerWindows = function* (
  windows: Iterable<LivedWindow>,
  together: number,
): Generator<LivedWindow, void> {
  let parts: LivedWindow[] = [];
  for (const window of windows) {
    parts.push(window);
    if (parts.length < together) continue;
    const [first = window] = parts;
    yield {
      index: first.index / together,
      startMs: first.startMs,
      canary: armOf(parts.map(({ canary }) => canary)),
      baseline: armOf(parts.map(({ baseline }) => baseline)),
      canaryShare: meanOf(parts.map(({ canaryShare }) => canaryShare)),
    };
    parts = [];
  }
};

const armOf = (arms: readonly LivedArm[]): LivedArm => ({
  requests: sumOf(arms.map(({ requests }) => requests)),
  errors: sumOf(arms.map(({ errors }) => errors)),
  latency: addedUp(arms.map(({ latency }) => latency)),
  levels: {
    cpu: levelOf(arms.map(({ levels }) => levels.cpu)),
    memory: levelOf(arms.map(({ levels }) => levels.memory)),
  },
});

const levelOf = (levels: readonly Level[]): Level => ({
  mean: meanOf(levels.map(({ mean }) => mean)),
  series: levels[0]?.series ?? 0,
});

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const meanOf = (values: readonly number[]): number => sumOf(values) / values.length;
