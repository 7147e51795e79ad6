import type { CommandOf } from './command.ts';
import { option } from './command.ts';
import { plannedInRun } from './release.ts';

export type ExplainCommand = 'explain';

export const explainCommands: readonly CommandOf<ExplainCommand>[] = [
  {
    name: 'explain',
    summary: 'why a canary was promoted or rolled back, or where it stands: figures and a plot',
    words: [{ name: 'deployment', isOptional: true }],
    options: [
      plannedInRun,
      option('attempt', 'NUMBER', 'an earlier attempt than the last that was judged'),
      option('decision', 'POSITION', 'this decision (default: the last one), whosever it is'),
      option('metric', 'NAME', 'whose ratio is drawn (default: the one that it rests on)'),
      option('svg', 'FILE', 'write the plot'),
      option('score', null, 'also a score from 0 to 100 over time; it decides nothing'),
      option('ascii', null, 'draw with plain characters'),
      option(
        'recheck',
        null,
        'compute the decision again; exit 3 if it differs, 4 if that cannot be told',
      ),
    ],
    notes: [
      'The deployment is an id, or the name given to plan, in this CI run or here.',
      'Without one it explains the decision that --decision names, or the newest canary.',
    ],
    examples: [
      'checkout-v2',
      '--decision=812',
      '0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d --svg=explained.svg --score',
      '0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d --recheck --json',
    ],
  },
];
