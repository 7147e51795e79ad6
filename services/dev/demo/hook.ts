import type { Crew } from './crew.ts';
import { actionOf, readDecision } from './followed-decision.ts';
import type { FollowedDecision } from './followed-decision.ts';
import { startPlimsoll } from './plimsoll.ts';
import type { Workplace } from './plimsoll.ts';
import type { Traffic } from './traffic.ts';

export type Action = {
  readonly action: 'roll-back' | 'promote';
  readonly decision: FollowedDecision;
  readonly atMs: number;
};

/**
 * The hook: follows the decisions of a deployment and moves its customers, all back on a roll-back, all over on a
 * promotion. It acts once, and calls that an action; what else it hears it only tells.
 */
export const startHook = (
  workplace: Workplace,
  crew: Crew,
  about: {
    readonly deployment: string;
    readonly traffic: Traffic;
    readonly hear: (decision: FollowedDecision) => void;
  },
): Promise<Action> =>
  new Promise((acted) => {
    let hasActed = false;
    const onLine = (line: string): void => {
      const decision = readDecision(line);
      if (decision === undefined || hasActed) return;
      const action = actionOf(decision, about.deployment, Date.now());
      if (action === undefined) {
        about.hear(decision);
        return;
      }
      hasActed = true;
      about.traffic.shiftTo(action === 'promote' ? 1 : 0);
      acted({ action, decision, atMs: performance.now() });
    };
    const words = ['decisions', '--follow', '--json'];
    crew.add('plimsoll decisions', startPlimsoll(workplace, words, onLine));
  });
