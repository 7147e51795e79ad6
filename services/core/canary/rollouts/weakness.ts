import type { AnalysisOpened } from '../../samples/sample.ts';
import { beforeIn } from '../attempts/frozen.ts';
import { isComparison } from './comparison.ts';

/** Whether it is known what this time of day does by itself; side by side nobody needs to know. */
export const isSeasonKnown = (opening: AnalysisOpened): boolean =>
  opening.comparison === 'concurrent' || (beforeIn(opening)?.season ?? null) !== null;

/**
 * What every decision and every explanation says where both sides were not seen at the same time; empty where they
 * were. A sentence and the space behind it.
 */
export const weaknessOf = (opening: AnalysisOpened): string => {
  const { comparison } = opening;
  if (!isComparison(comparison)) return '';
  const unknown = isSeasonKnown(opening)
    ? ''
    : '; the same time of the day before is not known, so nobody may act on it';
  switch (comparison) {
    case 'concurrent':
      return '';
    case 'before-after':
      return `before and after, not side by side: weaker than a canary${unknown}. `;
    case 'colours':
      return `where one colour had all the traffic, before and after, not side by side: weaker than a canary${unknown}. `;
  }
};
