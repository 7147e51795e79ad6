/** As `Checkpoint` of the read-model store. */
type Stand = {
  readonly logId: string;
  readonly next: number;
  readonly lastDigest: string;
  readonly foldVersion: number;
};

/**
 * Why a step must not be written on what a store holds, or undefined. The order is from the fault that the
 * operator must see to the one that mends itself: another log's data (nothing may be applied), another version
 * of the fold (a new generation is needed), a gap (read the checkpoint and go on from there).
 */
export const stepRefusal = (
  stored: Stand | undefined,
  step: { readonly from: Stand | undefined; readonly to: Stand },
): 'gap' | 'foreign-log' | 'old-code' | undefined => {
  const { from, to } = step;
  if (stored === undefined) return from === undefined ? undefined : 'gap';
  if (stored.logId !== to.logId) return 'foreign-log';
  if (stored.next === from?.next && stored.lastDigest !== from.lastDigest) return 'foreign-log';
  if (stored.foldVersion !== to.foldVersion) return 'old-code';
  return stored.next === from?.next ? undefined : 'gap';
};
