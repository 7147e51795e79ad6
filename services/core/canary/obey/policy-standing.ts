import type { PolicyRow } from '../../policy-records.ts';
import type { Slot } from '../../markers/marker.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import { readDocumentText } from '../policy/parse-policy.ts';
import { policyFor } from '../policy/placed-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { policyTexts } from '../policy/policy-text.ts';
import { presets } from '../policy/presets.ts';
import type { PolicyStanding } from './question.ts';

/** Where the log names no policy: limits of the standard preset, and decisions of any policy. */
export const noPolicySet: PolicyStanding = {
  inForce: null,
  known: [],
  act: null,
  onSilence: null,
  onBehalf: 'ignore',
  rollouts: presets.standard.rollouts,
  alpha: null,
  flap: presets.standard.flap,
  caps: presets.standard.caps,
  requiresDigest: false,
};

/** `inForce`: digest of the policy at the start of the attempt; `known`: of all that were ever set for its place. */
export const standingOfPolicy = (
  policy: Policy,
  inForce: string,
  known: readonly string[],
): PolicyStanding => ({
  inForce,
  known,
  act: policy.act,
  onSilence: policy.onSilence,
  onBehalf: policy.onBehalf,
  rollouts: policy.rollouts,
  alpha: policy.alpha,
  flap: policy.flap,
  caps: policy.caps,
  requiresDigest: policy.required.includes('digest'),
});

/** The opening of an analysis follows the start of its attempt: a policy that is set in between may be the one. */
const openingWithinMs = 120_000;

/** Of what this release cannot read, or did not look at, nothing is known, so no decision is of it. */
const unreadable: PolicyStanding = {
  ...noPolicySet,
  inForce: 'unreadable',
  // It may ask for any.
  rollouts: { beforeAfter: true, blueGreen: true },
  requiresDigest: true,
};

/**
 * What the policies of the log ask of a decision about an attempt that was started at that time. `rows` are newest
 * first, all of them or the newest (`areAll`); `judgedBy` is the digest of the policy that the decision names.
 */
export const policyStanding = (
  rows: readonly PolicyRow[],
  {
    slot,
    startedAtMs,
    judgedBy,
    areAll,
  }: {
    readonly slot: Slot;
    readonly startedAtMs: number;
    readonly judgedBy: string;
    readonly areAll: boolean;
  },
  digest: TextDigest,
): PolicyStanding => {
  const before = rows.find(({ at }) => at <= startedAtMs);
  const meanwhile = rows.filter(
    ({ at }) => at > startedAtMs && at <= startedAtMs + openingWithinMs,
  );
  const candidates = [...meanwhile, ...(before === undefined ? [] : [before])].map((row) =>
    placedIn(row, slot, digest),
  );
  const [newest] = candidates;
  if (newest === undefined) return areAll ? noPolicySet : unreadable;
  const named = candidates.find((one) => one?.digests.includes(judgedBy) === true);
  // Its analysis was opened before anybody had set one.
  if (named === undefined && before === undefined && areAll && !candidates.includes(null))
    return noPolicySet;
  const chosen = named ?? newest;
  if (chosen === null) return unreadable;
  const known = rows.flatMap((row) => placedIn(row, slot, digest)?.digests ?? []);
  const [newestText = ''] = chosen.digests;
  return standingOfPolicy(chosen.policy, named === undefined ? newestText : judgedBy, known);
};

const placedIn = (
  { document }: PolicyRow,
  { component, environment }: Slot,
  digest: TextDigest,
): { readonly policy: Policy; readonly digests: readonly string[] } | null => {
  const read = readDocumentText(document);
  if (!read.ok) return null;
  const { placed } = policyFor(read.value, component, environment);
  return { policy: placed.policy, digests: policyTexts(placed).map(digest) };
};
