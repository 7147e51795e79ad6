import { isGood } from './cells.ts';
import type { Cell } from './cells.ts';
import type { JudgePlug } from './judge-plug.ts';

/** A promise is held against so many good canaries in each climate; what else is in the tables needs fewer. */
const PROMISE_RUNS = 10_000;
/** In plain weather, where the judges are told apart. */
const GOOD_RUNS = 2_000;
const TABLE_RUNS = 1_000;
/** What the test at the deadline finds lies so near to its goal that the draw must not decide. */
const DEADLINE_RUNS = 10_000;

/** How many runs a campaign is to reach. */
export const goalRuns = (cell: Cell, judge: JudgePlug): number => {
  if (cell.isPromised && judge.falseRollbackShareMax !== null) return PROMISE_RUNS;
  if (isDeadlineFigure(cell, judge)) return DEADLINE_RUNS;
  return isGood(cell) && cell.climate.name === 'iid' ? GOOD_RUNS : TABLE_RUNS;
};

/** Whether what the test at the deadline adds is known of this judge in this cell. */
const isDeadlineFigure = ({ climate, traffic, truth }: Cell, { name }: JudgePlug): boolean =>
  climate.name === 'iid' &&
  traffic.canaryRps === 5 &&
  truth.name === 'errors 1 %' &&
  /^(errors at half|standard|sensitive) /u.test(name);
