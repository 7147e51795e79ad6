import { errorsOnly, familyCores, familyPresets } from './family.ts';
import type { JudgePlug } from './judge-plug.ts';
import { kayentas } from './kayenta/judge.ts';

/** Every judge that is calibrated. */
export const judges: readonly JudgePlug[] = [
  ...familyPresets,
  ...familyCores,
  errorsOnly,
  ...kayentas,
];
