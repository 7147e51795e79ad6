import {
  coreJudges,
  errorsAtHalfJudges,
  errorsOnly,
  inWindowsOf15,
  inWindowsOf60,
  promotionJudges,
  sensitive,
  standard,
  threeMetricJudges,
} from './family.ts';
import type { JudgePlug } from './judge-plug.ts';
import { kayentas } from './kayenta/judge.ts';

/** Every judge that is calibrated. */
export const judges: readonly JudgePlug[] = [
  standard,
  sensitive,
  inWindowsOf15,
  inWindowsOf60,
  ...threeMetricJudges,
  ...coreJudges,
  errorsOnly,
  ...errorsAtHalfJudges,
  ...promotionJudges,
  ...kayentas,
];
