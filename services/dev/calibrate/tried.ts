import type { Cell } from './cells.ts';
import { isGood, isMargin } from './cells.ts';

// In which cells a judge is tried: where the others say nothing new no time is spent.

type Tried = (cell: Cell) => boolean;

const isPlain: Tried = ({ climate }) => climate.name === 'iid';
const truthBegins =
  (...beginnings: readonly string[]): Tried =>
  ({ truth }) =>
    beginnings.some((beginning) => truth.name.startsWith(beginning));
const hasTraffic: Tried = ({ traffic }) => traffic.canaryRps >= 1;

export const everywhere: Tried = (cell) => !isMargin(cell);

/** Cores know of one metric alone, and of no climate. */
export const ofErrors: Tried = (cell) =>
  everywhere(cell) && isPlain(cell) && (isGood(cell) || truthBegins('errors')(cell));

export const ofLatency: Tried = (cell) =>
  everywhere(cell) &&
  isPlain(cell) &&
  hasTraffic(cell) &&
  (isGood(cell) || truthBegins('latency', 'tail')(cell));

/** A canary like its baseline, and one that stands on the margin of what is promoted. */
export const onMargin =
  (truthName: string): Tried =>
  (cell) =>
    isPlain(cell) && hasTraffic(cell) && (isGood(cell) || cell.truth.name === truthName);

export const inLongWindows: Tried = (cell) =>
  cell.isPromised || (everywhere(cell) && isPlain(cell) && cell.traffic.canaryRps === 50);

const pipelineClimates = ['iid', 'clusters', 'incident', 'cold-start', 'pod-noise'];
export const inWholePipeline: Tried = (cell) =>
  everywhere(cell) && pipelineClimates.includes(cell.climate.name) && !truthBegins('tail')(cell);
