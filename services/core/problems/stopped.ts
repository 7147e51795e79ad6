import { frozenText, stoppedText } from '../canary/obey/guards.ts';
import { readDocumentText } from '../canary/policy/parse-policy.ts';
import { policyFor } from '../canary/policy/placed-policy.ts';
import type { Stop } from '../guard.ts';
import { freezeOf, slotGuardKey } from '../guard.ts';
import type { Slot } from '../markers/marker.ts';
import { takesName } from '../name-pattern.ts';
import { shellWord } from '../shell-word.ts';
import type { Problem, ProblemPlace, ProblemRows } from './problem.ts';
import { nowhere, problemOf } from './problem.ts';

// What keeps decisions from counting until a person says otherwise: whoever takes over hears of it before a gate does.

/** Stops. One of everything, or of a pattern, is of each place that it covers, so the place that is asked for is looked at here. */
export const stopProblems = (
  { stops }: Pick<ProblemRows, 'stops'>,
  { environment }: ProblemPlace,
): readonly Problem[] =>
  stops
    .filter(
      (stop) =>
        environment === null ||
        stop.environment === null ||
        takesName(stop.environment, environment),
    )
    .map((stop) =>
      problemOf({
        code: 'stopped',
        severity: 'warning',
        subject: stop.environment ?? 'everywhere',
        message: `${stoppedText(stop)}; no canary is promoted or rolled back`,
        hint: `${resumeCommand(stop)} lets decisions count again`,
        place: { ...nowhere, environment: stop.environment },
        principal: stop.principal,
        positions: [stop.position],
        at: stop.at,
      }),
    );

/** Slots that a roll-back froze and nobody lifted, where the policy that was set last says that it freezes. */
export const frozenProblems = ({
  slots,
  slotGuards,
  policies,
}: Pick<ProblemRows, 'slots' | 'slotGuards' | 'policies'>): readonly Problem[] => {
  const document = policies.at(-1)?.document;
  const read = document === undefined ? undefined : readDocumentText(document);
  if (read?.ok !== true) return [];
  return slots.flatMap(({ slot }) => {
    const { flap } = policyFor(read.value, slot.component, slot.environment).placed.policy;
    const freeze = flap.freeze ? freezeOf(slotGuards.get(slotGuardKey(slot)), null) : undefined;
    if (freeze === undefined) return [];
    return [
      problemOf({
        code: 'slot-frozen',
        severity: 'warning',
        subject: slotGuardKey(slot),
        message: `${frozenText(slot, freeze)}; no other canary is promoted or rolled back there`,
        hint: `${liftCommand(slot)} lets decisions count there again`,
        place: slot,
        deployment: freeze.deployment,
        positions: [freeze.position],
        at: freeze.at,
      }),
    ];
  });
};

const resumeCommand = ({ environment }: Stop): string =>
  `plimsoll decisions resume${environment === null ? '' : ` --environment=${shellWord(environment)}`} --reason=TEXT`;

const liftCommand = ({ namespace, environment, component, target }: Slot): string =>
  [
    `plimsoll decisions lift --environment-name=${shellWord(environment)} --component-name=${shellWord(component)}`,
    ...(namespace === 'default' ? [] : [`--namespace=${shellWord(namespace)}`]),
    ...(target === null ? [] : [`--target=${shellWord(target)}`]),
    '--reason=TEXT',
  ].join(' ');
