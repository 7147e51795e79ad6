import type { WindowPlace } from './metric-judge.ts';
import type { WindowMark } from '../windows/window.ts';
import type { FamilyRule } from './rule.ts';

/** A duration in windows, rounded up. */
export const windowsIn = ({ windowMs }: FamilyRule, durationMs: number): number =>
  Math.ceil(durationMs / windowMs);

/** Where a window stands in the judgement; the same for every metric. */
export const placeOf = (
  rule: FamilyRule,
  anchorIndex: number | null,
  { index, startMs }: WindowMark,
): WindowPlace => {
  if (anchorIndex === null)
    return { index, startMs, judged: false, endsBlock: false, beginsRestart: false };
  const blockWindows = windowsIn(rule, rule.blockMs);
  // Restarts fall on the first window of a block.
  const restartBlocks = Math.ceil(windowsIn(rule, rule.restartsEveryMs) / blockWindows);
  const sinceAnchor = index - anchorIndex;
  return {
    index,
    startMs,
    judged: isJudged(rule, anchorIndex, index),
    endsBlock: (sinceAnchor + 1) % blockWindows === 0,
    beginsRestart: sinceAnchor > 0 && sinceAnchor % (restartBlocks * blockWindows) === 0,
  };
};

/** After the warm-up. */
export const isJudged = (rule: FamilyRule, anchorIndex: number, index: number): boolean =>
  index - anchorIndex >= windowsIn(rule, rule.warmUpMs);

/**
 * The window before which it is decided which metrics are present: after the warm-up and after everybody had
 * `noDataMs` to come, both counted from the anchor, and never with the first window. What the metrics say has no part
 * in it.
 */
export const presenceDue = (rule: FamilyRule, anchorIndex: number): number =>
  anchorIndex + Math.max(1, windowsIn(rule, rule.warmUpMs), windowsIn(rule, rule.noDataMs));
