import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../services/core/projection.ts';
import { readRow } from '../../services/core/row-text.ts';
import type { SlotState } from '../../services/core/slot-state.ts';
import { slotAsSeen } from '../../services/core/slot-state.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import type { Step } from '../support/given.ts';
import { by, fold, raw, recordsOf, trusts } from '../support/given.ts';
import { anyDecision, anythingSaid } from '../support/histories.ts';
import type { Said } from '../support/markers.ts';

// A key for staging alone, which says whatever it likes, about any deployment, token and marker id.

const scopes: readonly Step[] = [
  trusts('stage', { environments: ['staging'] }),
  trusts('wide'),
  trusts('wide#2'),
  trusts('agent'),
  trusts('prod', { environments: ['production'] }),
  trusts('prod#2', { environments: ['production'] }),
  trusts('analyser', { roles: ['analyser'] }),
  trusts('gateway', { roles: ['gateway'] }),
];

/** Its marker ids are its own, or those that a pipeline takes later. */
const hostile = fc
  .tuple(anythingSaid, fc.constantFrom(null, 'marker 9', 'marker 12', 'marker 15'))
  .map(([says, marker]) => by('stage', says, marker === null ? {} : { marker }));

/** Of those who have a token like others, and mean well. */
const ownSource = onBehalfSource('shop');

const spoken = (name: string, says: Said): Step =>
  by(name, name === 'gateway' ? { ...says, source: ownSource } : says);

const honest = (writers: readonly string[]) =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom(...writers), anythingSaid)
        .filter(([, says]) => isOfProduction(says))
        .map(([name, says]) => spoken(name, says)),
    },
    {
      weight: 1,
      arbitrary: anyDecision.filter(isOfProduction).map((says) => by('analyser', says)),
    },
  );

function isOfProduction(says: Said): boolean {
  const slot = says['slot'] as { readonly environment: string } | null;
  return slot === null || slot.environment === 'production';
}

/** Pipelines plan before they say anything else: what came before a plan may have been mixed up with strangers'. */
const planFirst = (steps: readonly Step[]): readonly Step[] => {
  const planned = new Set<unknown>();
  return steps.filter((step) => {
    if (!('by' in step) || isOfOthers(step) || step.says.kind === 'logged') return true;
    if (step.says.kind === 'planned') planned.add(step.says['deployment']);
    return planned.has(step.says['deployment']);
  });
};

/** What a gateway signs for whoever has a token: about anything, under ids that pipelines use. */
const withToken = anythingSaid.map((says) =>
  by('gateway', { ...says, source: onBehalfSource('till') }),
);

/** The same for a token of staging: a gateway lets it name no other place, and asks it to name one. */
const withTokenOfStaging = anythingSaid
  .filter(({ slot }) => slot !== null && !isOfProduction({ kind: 'logged', slot }))
  .map((says) => by('gateway', { ...says, source: onBehalfSource('till') }));

const silence = raw({ key: new Uint8Array(), headers: [], value: new Uint8Array() });

const story = async (steps: readonly Step[], takesTokens: boolean) => {
  const house = await fold(await recordsOf(...scopes, ...steps));
  const rows = (await house.dump()).map((line) => line.split('\n'));
  const slotOf = (text: string): SlotState =>
    slotAsSeen(readRow<SlotState>('slot', text), takesTokens);
  return {
    outcomes: house.outcomes.slice(1 + scopes.length).map(noted),
    // The number of an attempt counts what others opened too; nothing else may differ.
    slots: rows
      .filter(([model, key]) => model === 'slot' && key?.startsWith('default/production/'))
      .map(([, key, text]) => [key, slotOf(text ?? '')] as const)
      // Where keys have said nothing there is no row without the others.
      .filter(
        ([, { holders, beside, doubt }]) => holders.length + beside.length > 0 || doubt !== null,
      )
      .map(([key, state]) => [key, JSON.stringify(state)])
      .map(([key, json]) => [key, (json ?? '').replace(/"attempt":\d+/g, '"attempt":0')]),
  };
};

/** A decision about what tokens alone have said finds nothing where they say nothing. */
const noted = (outcome: Outcome): string =>
  outcome.outcome === 'applied'
    ? 'analysis' in outcome.change.marker && outcome.change.attempt.onBehalf !== null
      ? 'deployment-unknown'
      : outcome.note
    : outcome.outcome === 'dead-letter'
      ? outcome.code.replace('decision-misplaced', 'deployment-unknown')
      : outcome.outcome;

/** Whose word must move nothing of what is signed with the keys of pipelines. */
const isOfOthers = (step: Step): boolean =>
  'by' in step &&
  (step.by === 'stage' || (step.by === 'gateway' && step.says['source'] !== ownSource));

const everywhere = ['wide', 'wide#2', 'agent'];
const inProduction = ['prod', 'prod#2'];

describe.each([
  {
    whose: 'keys for everything',
    writers: everywhere,
    others: 'the key for staging',
    says: hostile,
  },
  {
    whose: 'keys for production',
    writers: inProduction,
    others: 'the key for staging',
    says: hostile,
  },
  { whose: 'keys for everything', writers: everywhere, others: 'the tokens', says: withToken },
  {
    whose: 'a token',
    writers: ['gateway'],
    others: 'the token for staging',
    says: withTokenOfStaging,
  },
])('pipelines with $whose', ({ writers, others, says }) => {
  const takesTokens = writers.includes('gateway');

  test(`go on as if ${others} had said nothing`, async () => {
    const history = fc.array(
      fc.oneof({ weight: 3, arbitrary: honest(writers) }, { weight: 2, arbitrary: says }),
      { minLength: 2, maxLength: 60, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(history, async (wild) => {
        const steps = planFirst(wild);
        const isHostile = steps.map(isOfOthers);
        const silenced = steps.map((step, index) => (isHostile[index] ? silence : step));
        const [loud, quiet] = [await story(steps, takesTokens), await story(silenced, takesTokens)];
        const honestOnly = (outcomes: readonly string[]) =>
          outcomes.filter((_outcome, index) => !isHostile[index]);
        expect(honestOnly(loud.outcomes)).toEqual(honestOnly(quiet.outcomes));
        expect(loud.slots).toEqual(quiet.slots);
      }),
      { numRuns: 60 },
    );
  });
});
