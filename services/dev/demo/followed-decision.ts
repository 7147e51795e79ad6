/** A line of `plimsoll decisions --json`, as far as the hook reads it. */
export type FollowedDecision = {
  readonly decision: string;
  readonly deployment: string;
  readonly verdict: string;
  readonly position: number;
  readonly explanation: string;
  /** `applied` where the log's rules let it stand. */
  readonly note: string;
  readonly suspect: boolean;
  readonly validUntilMs: number;
};

/** Reads a line. Undefined where it is no decision that this hook understands. */
export const readDecision = (line: string): FollowedDecision | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const row = value as { readonly [name: string]: unknown };
  const { decision, deployment, verdict, position, explanation, note, suspect, validUntil } = row;
  if (typeof decision !== 'string' || typeof deployment !== 'string') return undefined;
  if (typeof verdict !== 'string' || typeof position !== 'number') return undefined;
  if (typeof note !== 'string' || typeof suspect !== 'boolean') return undefined;
  const validUntilMs = typeof validUntil === 'string' ? Date.parse(validUntil) : Number.NaN;
  if (Number.isNaN(validUntilMs)) return undefined;
  const words = typeof explanation === 'string' ? explanation : '';
  return {
    ...{ decision, deployment, verdict, position, note, suspect, validUntilMs },
    explanation: words,
  };
};

/**
 * What the hook does about a decision: nothing, unless it is about this deployment, the log's rules let it stand, its
 * key is not compromised, and it has not lapsed. That signature and role are right has been checked before: what has
 * not passed is a dead letter and never a decision.
 */
export const actionOf = (
  decision: FollowedDecision,
  deployment: string,
  nowMs: number,
): 'roll-back' | 'promote' | undefined => {
  if (decision.deployment !== deployment || decision.note !== 'applied') return undefined;
  if (decision.suspect || nowMs > decision.validUntilMs) return undefined;
  return decision.decision === 'roll-back' || decision.decision === 'promote'
    ? decision.decision
    : undefined;
};
