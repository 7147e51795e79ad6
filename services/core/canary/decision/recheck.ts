import type { Json } from '../../canonical.ts';
import { canonicalJson } from '../../canonical.ts';
import type { MarkerCodec } from '../../markers/codec.ts';
import type { Decided } from '../../markers/marker.ts';
import type { AnalysisTools } from '../analysis/analysis-state.ts';
import { isRenewal, renewalDueAt } from '../analysis/renewal.ts';

/** A field in which two decisions differ, each as JSON. */
export type Difference = {
  readonly field: string;
  readonly recorded: Json | null;
  readonly recomputed: Json | null;
};

/**
 * - `equal`: the recomputed decision has the very bytes of the one on the log;
 * - `differs`: it has others; an empty list: the values are the same, written by another schema;
 * - `not-said`: these samples do not lead to it;
 * - `not-alone`: it has the bytes of a refusal because too many canaries were open beside it: that they were, samples of
 *   one analysis do not say.
 */
export type Recheck =
  | { readonly outcome: 'equal' }
  | { readonly outcome: 'differs'; readonly differences: readonly Difference[] }
  | { readonly outcome: 'not-said'; readonly said: readonly string[] }
  | { readonly outcome: 'not-alone' };

/**
 * Holds a decision of the log (its bytes and what they say) against those that its samples lead to. A renewal rests on
 * the samples of what it renews, which end before it: it is held against what that decision says when it is said again. That it still
 * stood by then these samples do not say.
 */
export const recheckDecision = (
  tools: AnalysisTools,
  codec: Pick<MarkerCodec, 'encode'>,
  recorded: { readonly bytes: Uint8Array; readonly decision: Decided },
  recomputed: readonly Decided[],
  /** How the opening would be refused because its partition is full; undefined: there is no opening. */
  refusal?: Decided,
): Recheck => {
  const { decision } = recorded;
  if (refusal !== undefined && decision.reason === refusal.reason) {
    const held = recheckDecision(tools, codec, recorded, [refusal]);
    return held.outcome === 'equal' ? { outcome: 'not-alone' } : held;
  }
  const same =
    recomputed.find(({ marker }) => marker === decision.marker) ??
    renewedAs(tools, recomputed, decision);
  if (same === undefined)
    return {
      outcome: 'not-said',
      said: recomputed.map(({ kind, windowIndex }) => `${kind} of window ${windowIndex}`),
    };
  const { bytes } = codec.encode('decision', same);
  if (isSameBytes(bytes, recorded.bytes)) return { outcome: 'equal' };
  return { outcome: 'differs', differences: differencesOf(decision, same) };
};

/** The newest decision of its kind is the one that stood. */
const renewedAs = (
  tools: AnalysisTools,
  recomputed: readonly Decided[],
  { kind, windowIndex }: Decided,
): Decided | undefined => {
  const stood = recomputed.findLast(
    (one) => one.kind === kind && one.windowIndex < windowIndex && !isRenewal(one),
  );
  return stood && renewalDueAt(tools, stood, windowIndex);
};

const isSameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

const differencesOf = (recorded: Decided, recomputed: Decided): readonly Difference[] => {
  const [one, other] = [recorded, recomputed].map(
    (decision) => JSON.parse(JSON.stringify(decision)) as { readonly [field: string]: Json },
  );
  if (one === undefined || other === undefined) return [];
  const fields = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return fields.flatMap((field) => {
    const [left, right] = [one[field] ?? null, other[field] ?? null];
    return canonicalJson(left) === canonicalJson(right)
      ? []
      : [{ field, recorded: left, recomputed: right }];
  });
};
