/**
 * What of the analyser's policy is the demo's own: everything that is a length of time, so that a minute suffices.
 * The rest (tolerances, error budgets, cap of evidence per block) is the standard preset.
 */
export const demoPolicy = {
  windowMs: 1_000,
  /** The cap counts per block of three windows, as it does in the standard preset. */
  blockMs: 3_000,
  warmUpMs: 3_000,
  soakMs: 9_000,
} as const;
