import type { Policy } from '../../core/canary/policy/policy.ts';
import type { Comparison } from '../../core/canary/rollouts/comparison.ts';
import type { CliPorts } from '../ports.ts';

/** Tells that an analyser would have judged nothing of it, where the policy does not ask for such rollouts. */
export const tellNotAsked = (
  { note }: Pick<CliPorts, 'note'>,
  comparison: Comparison,
  { rollouts }: Pick<Policy, 'rollouts'>,
): void => {
  switch (comparison) {
    case 'concurrent':
      return;
    case 'before-after':
      if (!rollouts.beforeAfter) note(notAsked('before/after', 'before-after'));
      return;
    case 'colours':
      if (!rollouts.blueGreen) note(notAsked('blue/green', 'blue-green'));
  }
};

const notAsked = (kind: string, setting: string): Parameters<CliPorts['note']>[0] => ({
  code: 'rollout-not-asked',
  message: `the policy does not ask for ${kind}: an analyser would not have judged this rollout`,
  hint: `rollouts: { ${setting}: true } in the policy asks for it`,
});
