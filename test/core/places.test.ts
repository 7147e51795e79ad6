import { describe, expect, test } from 'vitest';
import type { SlotState } from '../../services/core/slot-state.ts';
import { slotKey } from '../../services/core/markers/slot.ts';
import type { Step } from '../support/given.ts';
import { again, by, given, trusts } from '../support/given.ts';
import {
  advanced,
  failed,
  logged,
  place,
  planned,
  recorded,
  released,
  started,
  succeeded,
  supportEnded,
  undeployed,
} from '../support/markers.ts';
import type { Said } from '../support/markers.ts';

// What comes to a place and goes from it without a plan.

const ci = (...says: readonly Said[]): readonly Step[] => says.map((one) => by('ci', one));

type Sentence = readonly [
  sentence: string,
  steps: readonly Step[],
  yields: {
    readonly notes: readonly string[];
    readonly current: readonly string[];
    readonly timeline?: readonly string[];
  },
];

const tell = async (steps: Sentence[1], yields: Sentence[2]): Promise<void> => {
  const house = await given(...steps);
  expect(house.notes()).toEqual(yields.notes);
  expect(await house.current()).toEqual(yields.current);
  expect(await house.timeline()).toEqual(yields.timeline ?? (await house.timeline()));
};

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const eu = { slot: place('production', 'checkout', 'eu') };

describe('recorded', () => {
  test.each<Sentence>([
    [
      'replaces what was deployed on the same target',
      ci(planned('1.0.0'), succeeded(), recorded('2.0.0')),
      {
        notes: ['applied', 'applied', 'applied'],
        current: ['2.0.0'],
        timeline: ['production 1.0.0 succeeded', 'production 2.0.0 recorded'],
      },
    ],
    [
      'leaves another target as it is, and a missing target is a target of its own',
      ci(recorded('1.0.0'), recorded('2.0.0', eu)),
      { notes: ['applied', 'applied'], current: ['1.0.0'] },
    ],
    [
      'the live version again is a repeat, and no row of its own',
      ci(recorded('1.0.0'), recorded('1.0.0')),
      {
        notes: ['applied', 'repeat'],
        current: ['1.0.0'],
        timeline: ['production 1.0.0 recorded'],
      },
    ],
    [
      'without a digest it contradicts none',
      ci(logged('1.0.0', { digest: digest('a') }), recorded('1.0.0')),
      { notes: ['applied', 'repeat'], current: ['1.0.0'] },
    ],
    [
      'with a digest where none was known it is news',
      ci(recorded('1.0.0'), recorded('1.0.0', { digest: digest('a') })),
      { notes: ['applied', 'applied'], current: ['1.0.0'] },
    ],
    [
      'after a failure it is news, and takes the doubt away',
      ci(recorded('1.0.0'), planned('2.0.0'), failed(), recorded('1.0.0')),
      { notes: ['applied', 'applied', 'applied', 'applied'], current: ['1.0.0'] },
    ],
    [
      'again: what waited from before that does not take its place',
      [
        by('ci', recorded('1.0.0'), { at: 10 }),
        by('ci', recorded('1.0.0'), { at: 30 }),
        by('ci', recorded('2.0.0'), { at: 60, waitedMs: 40_000 }),
      ],
      { notes: ['applied', 'repeat', 'applied'], current: ['1.0.0'] },
    ],
    [
      'again, logged: what waited from after that does',
      [
        by('ci', logged('1.0.0'), { at: 10 }),
        by('ci', logged('1.0.0'), { at: 30 }),
        by('ci', logged('2.0.0'), { at: 60, waitedMs: 20_000 }),
      ],
      { notes: ['applied', 'repeat', 'applied'], current: ['2.0.0'] },
    ],
    [
      'again: a removal from before that leaves it',
      [
        by('ci', recorded('1.0.0'), { at: 10 }),
        by('ci', recorded('1.0.0'), { at: 30 }),
        by('ci', undeployed(), { at: 60, waitedMs: 40_000 }),
      ],
      { notes: ['applied', 'repeat', 'not-deployed'], current: ['1.0.0'] },
    ],
    [
      'again: a failure from before that leaves no doubt',
      [
        by('ci', recorded('1.0.0'), { at: 10 }),
        by('ci', planned('2.0.0'), { at: 15 }),
        by('ci', recorded('1.0.0'), { at: 30 }),
        by('ci', failed(), { at: 60, waitedMs: 40_000 }),
      ],
      { notes: ['applied', 'applied', 'repeat', 'applied'], current: ['1.0.0'] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));
});

describe('undeployed', () => {
  test.each<Sentence>([
    [
      'takes away what was deployed, and its row says which version that was',
      ci(recorded('1.0.0'), undeployed()),
      {
        notes: ['applied', 'applied'],
        current: [],
        timeline: ['production 1.0.0 recorded', 'production 1.0.0 undeployed'],
      },
    ],
    [
      'takes away what a pipeline deployed',
      ci(planned('1.0.0'), succeeded(), undeployed({ version: '1.0.0' })),
      { notes: ['applied', 'applied', 'applied'], current: [] },
    ],
    [
      'of a version that is not there is not accepted',
      ci(recorded('2.0.0'), undeployed({ version: '1.0.0' })),
      { notes: ['applied', 'not-deployed'], current: ['2.0.0'] },
    ],
    [
      'where nothing is, is not accepted',
      ci(undeployed()),
      { notes: ['not-deployed'], current: [] },
    ],
    [
      'on another target it takes nothing away here',
      ci(recorded('1.0.0'), undeployed(eu)),
      { notes: ['applied', 'not-deployed'], current: ['1.0.0'] },
    ],
    [
      'leaves releases and what goes on',
      ci(recorded('2.0.0'), released('1.0.0'), planned('3.0.0'), started(), undeployed()),
      {
        notes: ['applied', 'applied', 'applied', 'applied', 'applied'],
        current: ['1.0.0', 'beside 3.0.0 running'],
      },
    ],
    [
      'that waited until after the next deployment takes nothing away',
      [
        by('ci', recorded('1.0.0')),
        by('ci', recorded('2.0.0')),
        by('ci', undeployed(), { waitedMs: 1500 }),
      ],
      { notes: ['applied', 'applied', 'not-deployed'], current: ['2.0.0'] },
    ],
    [
      'is the last word: a success from before it, heard of later, is history',
      [
        by('ci', recorded('1.0.0')),
        by('ci', planned('2.0.0')),
        by('ci', undeployed(), { at: 100 }),
        by('ci', succeeded(), { at: 110, waitedMs: 50_000 }),
      ],
      { notes: ['applied', 'applied', 'applied', 'applied'], current: [] },
    ],
    [
      'does not keep the next one away',
      ci(recorded('1.0.0'), undeployed(), recorded('1.0.0')),
      { notes: ['applied', 'applied', 'applied'], current: ['1.0.0'] },
    ],
    [
      'sent twice is one',
      [...ci(recorded('1.0.0'), undeployed()), again(3)],
      { notes: ['applied', 'applied', 'duplicate'], current: [] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test('what it took away is in the past of the slot, to go back to', async () => {
    const house = await given(...ci(recorded('1.0.0'), recorded('2.0.0'), undeployed()));
    const state = await house.row<SlotState>('slot', slotKey(place('production')));
    expect(state?.past.map(({ version }) => version)).toEqual(['1.0.0', '2.0.0']);
  });
});

describe('released', () => {
  test.each<Sentence>([
    [
      'versions stand beside each other, oldest first',
      ci(released('1.0.0'), released('2.0.0')),
      {
        notes: ['applied', 'applied'],
        current: ['1.0.0', '2.0.0'],
        timeline: ['production 1.0.0 released', 'production 2.0.0 released'],
      },
    ],
    [
      'beside what is deployed, which a deployment replaces alone',
      ci(recorded('1.0.0'), released('1.0.0'), recorded('2.0.0')),
      { notes: ['applied', 'applied', 'applied'], current: ['1.0.0', '2.0.0'] },
    ],
    [
      'the same version again is a repeat',
      ci(released('1.0.0'), released('2.0.0'), released('1.0.0')),
      { notes: ['applied', 'applied', 'repeat'], current: ['1.0.0', '2.0.0'] },
    ],
    [
      'until the support of that version ends',
      ci(released('1.0.0'), released('2.0.0'), supportEnded('1.0.0')),
      {
        notes: ['applied', 'applied', 'applied'],
        current: ['2.0.0'],
        timeline: [
          'production 1.0.0 released',
          'production 2.0.0 released',
          'production 1.0.0 support-ended',
        ],
      },
    ],
    [
      'support ends once, and of what was released',
      ci(
        supportEnded('1.0.0'),
        recorded('1.0.0'),
        supportEnded('1.0.0'),
        released('1.0.0'),
        supportEnded('1.0.0'),
        supportEnded('1.0.0'),
      ),
      {
        notes: ['not-released', 'applied', 'not-released', 'applied', 'applied', 'not-released'],
        current: ['1.0.0'],
      },
    ],
    [
      'a release is not undeployed',
      ci(released('1.0.0'), undeployed({ version: '1.0.0' })),
      { notes: ['applied', 'not-deployed'], current: ['1.0.0'] },
    ],
    [
      'a failure beside it makes no release uncertain',
      ci(recorded('1.0.0'), released('0.9.0'), planned('2.0.0'), failed()),
      {
        notes: ['applied', 'applied', 'applied', 'applied'],
        current: ['0.9.0', '1.0.0 uncertain'],
      },
    ],
    [
      'that waited until after its support had ended is history',
      [
        by('ci', released('1.0.0')),
        by('ci', supportEnded('1.0.0'), { at: 100 }),
        by('ci', released('1.0.0'), { at: 110, waitedMs: 50_000 }),
      ],
      { notes: ['applied', 'applied', 'applied'], current: [] },
    ],
    [
      'by a key that may not act there is not accepted',
      [trusts('stage', { environments: ['staging'] }), by('stage', released('1.0.0'))],
      { notes: ['out-of-scope'], current: [] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test('no more than a hundred at once', async () => {
    const many = Array.from({ length: 101 }, (_, index) => released(`1.${index}.0`));
    const house = await given(...ci(...many));
    expect(house.notes().at(-2)).toBe('applied');
    expect(house.notes().at(-1)).toBe('history-full');
    expect(await house.current()).toHaveLength(100);
  });

  test('an earlier version beside a later one is no rollback', async () => {
    const house = await given(
      ...ci(released('1.0.0'), released('2.0.0'), supportEnded('1.0.0'), released('1.0.0')),
    );
    const { timeline } = await house.lines();
    expect(timeline.map(({ rollback }) => rollback)).toEqual([false, false, false, false]);
  });
});

describe('phase-advanced', () => {
  test('is shown on the attempt, and moves nothing', async () => {
    const house = await given(
      ...ci(planned(), started(), advanced('smoke-tests'), advanced('bake')),
    );
    const [attempt] = (await house.deployment()).attempts;
    expect(attempt).toMatchObject({ status: 'running', phase: 'bake' });
    expect(attempt?.entries.map(({ phase }) => phase)).toEqual([null, null, 'smoke-tests', 'bake']);
  });

  test('after the end comes too late', async () => {
    const house = await given(...ci(planned(), started(), succeeded(), advanced('bake')));
    expect(house.notes().at(-1)).toBe('late');
    expect((await house.deployment()).attempts[0]?.phase).toBeNull();
  });
});
