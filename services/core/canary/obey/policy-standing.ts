import type { Policy } from '../policy/policy.ts';
import { presets } from '../policy/presets.ts';
import type { PolicyStanding } from './question.ts';

/** Where the log names no policy: limits of the standard preset, and decisions of any policy. */
export const noPolicySet: PolicyStanding = {
  inForce: null,
  known: [],
  act: null,
  onSilence: null,
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
  alpha: policy.alpha,
  flap: policy.flap,
  caps: policy.caps,
  requiresDigest: policy.required.includes('digest'),
});
