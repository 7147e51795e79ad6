import type { Unjudged } from '../../core/canary/analysis/unjudged.ts';

/** Why nothing is judged, and what mends it. */
export const unjudgedText = (unjudged: Unjudged, environment: string): string => {
  switch (unjudged) {
    case 'not-started':
      return 'nobody has said that it runs: plimsoll release update --status=RUNNING';
    case 'no-baseline':
      return `nothing held its slot before it, so there is nothing to compare it with: plimsoll release log says what runs in ${environment}, before the plan`;
  }
};
