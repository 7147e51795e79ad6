import type { Decided } from '../../markers/marker.ts';
import type { AnalysisOpened } from '../../samples/sample.ts';
import type { AnalysisTools, Standing } from './analysis-state.ts';
import { renewalMarker } from '../decision/decision-marker.ts';
import { policyIn } from '../attempts/frozen.ts';
import { holdWindowsBetween } from './hold-time.ts';

// What was decided lapses, so it is said again for as long as it stands: what asks somebody to act until the attempt
// ends, a silence while it lasts. The windows that were closed since say when, and nothing else: no clock.

/** A renewal comes at least this long before that which it renews would lapse. */
const renewBeforeMs = 60_000;
/** An analysis whose attempt nobody ends is forgotten when it is this much older than its deadline. */
const forgetAfterMs = 86_400_000;

/** Until then an analysis is remembered, and what stands is renewed. */
export const rememberedUntilMs = (opening: AnalysisOpened): number =>
  opening.openedAt + (policyIn(opening)?.deadlineMs ?? 0) + forgetAfterMs;

/** Whether it is remembered no more. Its policy is asked last: there may be as many of them as analyses. */
export const isForgottenAt = (opening: AnalysisOpened, nowMs: number): boolean =>
  nowMs > opening.openedAt + forgetAfterMs && nowMs > rememberedUntilMs(opening);

/**
 * From one renewal to the next: one window less than the time allows, because the sample that closes a window may
 * come nearly a window late. With windows above two minutes that cannot be had: each of them renews.
 */
const windowsBetween = ({ kind, validForMs, windowMs }: Decided): number =>
  Math.max(
    1,
    kind === 'hold'
      ? holdWindowsBetween(validForMs, windowMs)
      : Math.floor((validForMs - renewBeforeMs) / windowMs) - 1,
  );

/** The renewals that are due when so many windows are closed, oldest first. */
export const renew = (
  tools: AnalysisTools,
  { decision, window }: Standing,
  windowsClosed: number,
): { readonly standing: Standing; readonly renewals: readonly Decided[] } => {
  const every = windowsBetween(decision);
  const renewals: Decided[] = [];
  let newest = window;
  while (newest + every < windowsClosed) {
    newest += every;
    renewals.push(renewalMarker(tools, decision, newest));
  }
  return { standing: { decision, window: newest }, renewals };
};

/** The renewal of `decision` that is due at this window; undefined: none is. */
export const renewalDueAt = (
  tools: AnalysisTools,
  decision: Decided,
  windowIndex: number,
): Decided | undefined => {
  const since = windowIndex - decision.windowIndex;
  return since > 0 && since % windowsBetween(decision) === 0
    ? renewalMarker(tools, decision, windowIndex)
    : undefined;
};

/** A renewal names a window behind those that it rests on. What rests on none is an analysis that was never judged. */
export const isRenewal = ({
  windowIndex,
  windows,
}: Pick<Decided, 'windowIndex' | 'windows'>): boolean => windows > 0 && windowIndex >= windows;
