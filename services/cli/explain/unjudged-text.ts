import type { Unjudged } from '../../core/canary/analysis/unjudged.ts';

/** Why nothing is judged, and what mends it. */
export const unjudgedText = (unjudged: Unjudged, environment: string): string => {
  switch (unjudged) {
    case 'no-canary':
      return 'it is no canary, so nothing will be decided about it: it was planned without a share or the strategy canary, and no policy on the log asks for other rollouts there (before-after, or blue-green for a switch of colours; an analyser that has a file of its own, PLIMSOLL_POLICY, may judge them all the same); plimsoll traffic gives it a share';
    case 'not-switched':
      return 'it is judged when its colour has got all the traffic: plimsoll traffic --colour=NAME';
    case 'on-behalf':
      return 'it was said with a token and not signed with a key of its own; such a canary is judged where the policy says on-behalf: accept';
    case 'not-started':
      return 'nobody has said that it runs: plimsoll release update --status=RUNNING';
    case 'no-baseline':
      return `nothing held its slot before it, so there is nothing to compare it with: plimsoll release log says what runs in ${environment}, before the plan`;
    case 'baseline-on-behalf':
      return `what holds its slot was said with a token and not signed with a key of its own, so there is nothing to compare it with: plimsoll release log with a key says what runs in ${environment}, before the plan; or the policy says on-behalf: accept`;
  }
};
