import type { CommandOf } from './command.ts';
import { option } from './command.ts';
import { deliveryOptions, planOptions } from './release.ts';

export type WrapCommand = 'run';

/** Its exit code is the program's: none of ours is to be silenced. */
const notHere: ReadonlySet<string> = new Set(['no-fail', 'strict']);

export const wrapCommands: readonly CommandOf<WrapCommand>[] = [
  {
    name: 'run',
    summary: 'run a deploy command, and say how it goes: planned, running, its end',
    words: [{ name: 'deploy-name', isOptional: true }],
    program: 'command',
    notes: [
      'Without a name a deployment is called by its place, such as production/checkout. The program is',
      'started at once, and its exit code is ours, whatever becomes of what we tell.',
    ],
    options: [
      ...planOptions,
      ...deliveryOptions.filter(({ name }) => !notHere.has(name)),
      option(
        'strict',
        null,
        'run it only when the plan is on the log, and fail with our end marker',
      ),
      option('no-tail', null, 'leave its stderr alone: the reason is its exit code alone'),
    ],
    examples: [
      '--environment-name=production --target-version=2.0.0 -- ./deploy.sh',
      "eu --target-version=$CIRCLE_SHA1 -- sh -c 'kubectl apply -f . && ./check.sh'",
    ],
  },
];
