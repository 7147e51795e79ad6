import type { Traffic } from './bounds.ts';
import { climates } from './climates.ts';
import type { Climate } from './climates.ts';
import { isOnMargin, truths } from './truths.ts';
import type { Truth } from './truths.ts';

/** One place in the tables: a climate, a traffic, and what is true of the canary. */
export type Cell = {
  readonly name: string;
  readonly climate: Climate;
  readonly traffic: Traffic;
  readonly truth: Truth;
  /** One of the cells that promises are held against. */
  readonly isPromised: boolean;
};

const rps = (canaryRps: number, baselineRps: number): Traffic => ({ canaryRps, baselineRps });

const usual = rps(50, 50);
const others: readonly Traffic[] = [rps(50, 450), rps(5, 45), rps(5, 5)];
const hardlyAny = rps(0.2, 1.8);

export const isGood = ({ truth }: Cell): boolean => truth.name === 'same';
/** Neither good nor a regression that must be found: it stands on the margin of what is promoted. */
export const isMargin = ({ truth }: Cell): boolean => isOnMargin(truth);

const cell = (
  climateName: string,
  traffic: Traffic,
  truthName: string,
  isPromised = false,
): Cell => {
  const climate = climates.find(({ name }) => name === climateName);
  const truth = truths.find(({ name }) => name === truthName);
  if (climate === undefined || truth === undefined) {
    throw new RangeError(`no climate ${climateName} or no truth ${truthName}`);
  }
  const { canaryRps, baselineRps } = traffic;
  const place = `${climateName} ${canaryRps}/${baselineRps}`;
  const name = truthName === 'same' ? place : `${place}, ${truthName}`;
  return { name, climate, traffic, truth, isPromised };
};

/** Good canaries in every climate: those that the promise speaks of. */
const promised: readonly Cell[] = [
  ...climates.map(({ name }) => cell(name, usual, 'same', true)),
  cell('iid', hardlyAny, 'same', true),
];

const goodElsewhere: readonly Cell[] = [
  'iid',
  'clusters',
  'incident',
  'cold-start',
  'pod-noise',
  'grown',
].flatMap((climate) => others.map((traffic) => cell(climate, traffic, 'same')));

const regressed: readonly Cell[] = [usual, ...others].flatMap((traffic) => [
  ...['errors 1 %', 'errors 2 %', 'errors 5 %'].map((truth) => cell('iid', traffic, truth)),
  ...['latency +10 %', 'latency +25 %', 'latency +100 %'].map((truth) =>
    cell('iid', traffic, truth),
  ),
  ...['tail +25 %', 'tail +100 %', 'cpu +25 %'].map((truth) => cell('iid', traffic, truth)),
  cell('clusters', traffic, 'errors 2 %'),
  cell('pod-noise', traffic, 'errors 2 %'),
  cell('pod-noise', traffic, 'latency +25 %'),
  cell('grown', traffic, 'errors 2 %'),
  cell('grown', traffic, 'latency +25 %'),
]);

const rare: readonly Cell[] = ['errors 5 %', 'errors 20 %', 'errors 50 %', 'latency +100 %'].map(
  (truth) => cell('iid', hardlyAny, truth),
);

const margins: readonly Cell[] = [usual, ...others].flatMap((traffic) =>
  truths.filter(isOnMargin).map(({ name }) => cell('iid', traffic, name)),
);

export const cells: readonly Cell[] = [
  ...promised,
  ...goodElsewhere,
  ...regressed,
  ...rare,
  ...margins,
];

/** The cells of that name, or of the climate of that name; none: there is neither. */
export const cellsNamed = (name: string): readonly Cell[] =>
  cells.filter((each) => each.name === name || each.climate.name === name);
