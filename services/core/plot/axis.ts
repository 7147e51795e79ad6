/** A place on an axis that is named. */
export type Tick = { readonly at: number; readonly text: string };

/** `log`: equal ratios are equally far apart; both ends are above 0. */
export type Axis = {
  readonly scale: 'linear' | 'log';
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly Tick[];
};

/** Where a value lies on an axis: 0 at its beginning, 1 at its end; values outside lie at the nearer end. */
export const shareOn = ({ scale, from, to }: Axis, value: number): number => {
  const inside = Math.max(from, Math.min(to, value));
  const share =
    scale === 'log' ? Math.log(inside / from) / Math.log(to / from) : (inside - from) / (to - from);
  return Number.isFinite(share) ? share : 0;
};

const spansSeconds: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30],
  ...[60, 120, 300, 600, 900, 1_800],
  ...[3_600, 7_200, 14_400, 21_600, 43_200, 86_400],
];
const timeTicksMax = 9;

/** Seconds from 0 on, named in the unit that suits the whole: `30 s`, `5 min`, `2 h`. */
export const timeAxis = (seconds: number): Axis => {
  const to = Math.max(1, seconds);
  const step =
    spansSeconds.find((span) => to / span < timeTicksMax) ??
    Math.ceil(to / timeTicksMax / 86_400) * 86_400;
  const [unit, name] = step >= 3_600 ? [3_600, 'h'] : step >= 60 ? [60, 'min'] : [1, 's'];
  const ticks: Tick[] = [];
  for (let at = 0; at <= to; at += step)
    ticks.push({ at, text: at === 0 ? '0' : `${Number((at / unit).toFixed(1))} ${name}` });
  return { scale: 'linear', from: 0, to, ticks };
};

const logSteps: readonly (readonly number[])[] = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.5, 2, 3, 5, 7],
  [1, 2, 5],
  [1, 3],
  [1],
];

/** A logarithmic axis from below `least` to above `most`, both above 0, with at most `ticksMax` names. */
export const logAxis = (
  least: number,
  most: number,
  ticksMax: number,
  textOf: (value: number) => string,
): Axis => {
  const [from, to] = [least / 1.08, most * 1.08];
  const decades = range(Math.floor(Math.log10(from)), Math.ceil(Math.log10(to)));
  const inside = (steps: readonly number[], every: number): readonly number[] =>
    decades
      .filter((decade) => decade % every === 0)
      .flatMap((decade) => steps.map((step) => rounded(step * 10 ** decade)))
      .filter((value) => value >= from && value <= to);
  let values = logSteps.map((steps) => inside(steps, 1)).find(({ length }) => length <= ticksMax);
  for (let every = 2; values === undefined; every++) {
    const fewer = inside([1], every);
    if (fewer.length <= ticksMax) values = fewer;
  }
  return { scale: 'log', from, to, ticks: values.map((at) => ({ at, text: textOf(at) })) };
};

/** A linear axis over what is given, with at most `ticksMax` names. */
export const linearAxis = (
  least: number,
  most: number,
  ticksMax: number,
  textOf: (value: number) => string,
): Axis => {
  const [from, to] = most > least ? [least, most] : [least, least + 1];
  const rough = (to - from) / Math.max(1, ticksMax - 1);
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((nice) => nice * decade >= rough * 0.999) ?? 10) * decade;
  const ticks: Tick[] = [];
  for (let count = Math.ceil(from / step - 1e-9); count * step <= to + step * 1e-9; count++) {
    const at = rounded(count * step);
    ticks.push({ at, text: textOf(at) });
  }
  return { scale: 'linear', from, to, ticks };
};

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Without the last digits that come from binary fractions. */
const rounded = (value: number): number => Number(value.toPrecision(12));
