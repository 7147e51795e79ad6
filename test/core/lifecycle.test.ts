import { describe, expect, test } from 'vitest';
import {
  again,
  by,
  findsCompromised,
  fold,
  given,
  openedAtMs,
  raw,
  retires,
  signed,
  trusts,
} from '../support/given.ts';
import type { Step } from '../support/given.ts';
import {
  canceled,
  decided,
  failed,
  id,
  logged,
  noDetails,
  place,
  planned,
  run,
  advanced,
  shifted,
  started,
  succeeded,
} from '../support/markers.ts';

type Yields = {
  readonly notes?: readonly string[];
  readonly attempts?: readonly string[];
  readonly current?: readonly string[];
  readonly timeline?: readonly string[];
};

type Sentence = readonly [sentence: string, steps: readonly Step[], yields: Yields];

const tell = async (steps: readonly Step[], yields: Yields): Promise<void> => {
  const house = await given(...steps);
  if (yields.notes) expect(house.notes()).toEqual(yields.notes);
  if (yields.attempts) expect(await house.attempts()).toEqual(yields.attempts);
  if (yields.current) expect(await house.current()).toEqual(yields.current);
  if (yields.timeline) expect(await house.timeline()).toEqual(yields.timeline);
};

const ci = (...said: readonly Parameters<typeof by>[1][]): readonly Step[] =>
  said.map((one) => by('ci', one));

/** As CircleCI and GitHub number the attempts of a run. */
const of = (attempt: string) => ({ attempt });
const applied = (count: number): readonly string[] =>
  Array.from({ length: count }, () => 'applied');
const commit = (sha: string) => ({ details: { ...noDetails, commit: sha.repeat(40) } });

describe('status', () => {
  test.each<Sentence>([
    [
      'a plan, a start and a success hold the slot',
      ci(planned(), started(), succeeded()),
      { notes: applied(3), attempts: ['1 2.0.0 succeeded'], current: ['2.0.0'] },
    ],
    [
      'what is planned or running stands beside the holder',
      [
        ...ci(logged('1.9.0'), planned('2.0.0'), started()),
        by('ci', planned('3.0.0', { deployment: run('8') })),
      ],
      { current: ['1.9.0', 'beside 2.0.0 running', 'beside 3.0.0 planned'] },
    ],
    [
      'what is only planned holds nothing',
      ci(planned()),
      { attempts: ['1 2.0.0 planned'], current: ['beside 2.0.0 planned'] },
    ],
    [
      'an end needs no start',
      ci(planned(), succeeded()),
      { attempts: ['1 2.0.0 succeeded'], current: ['2.0.0'] },
    ],
    [
      'a start after the end is late',
      ci(planned(), succeeded(), started()),
      { notes: ['applied', 'applied', 'late'], attempts: ['1 2.0.0 succeeded'] },
    ],
    [
      'the first end stays',
      ci(planned(), failed(), succeeded(), canceled()),
      {
        notes: ['applied', 'applied', 'contradiction', 'contradiction'],
        attempts: ['1 2.0.0 failed'],
        current: [],
      },
    ],
    [
      'the same end for another reason is a contradiction',
      ci(planned(), failed({ reason: 'timeout' }), failed({ reason: 'out of memory' })),
      { notes: ['applied', 'applied', 'contradiction'] },
    ],
    [
      'the same end without its reason says it again',
      ci(planned(), failed({ reason: 'timeout' }), failed()),
      { notes: ['applied', 'applied', 'repeat'] },
    ],
    [
      'saying the same again changes nothing',
      ci(planned(), planned(), started(), started(), succeeded(), succeeded()),
      { notes: ['applied', 'repeat', 'applied', 'repeat', 'applied', 'repeat'] },
    ],
    [
      'another spelling of the same status is a repeat',
      ci(planned(), succeeded({ statusReported: 'SUCCESS' }), succeeded({ statusReported: 'ok' })),
      { notes: ['applied', 'applied', 'repeat'] },
    ],
    [
      'the same stage with other details is a disagreement, and counts once',
      ci(planned(), started(commit('a')), started(commit('b')), succeeded()),
      {
        notes: ['applied', 'applied', 'disagreement', 'applied'],
        attempts: ['1 2.0.0 succeeded'],
      },
    ],
    [
      'a plan with other details is a disagreement',
      ci(planned('2.0.0', commit('a')), planned('2.0.0', commit('b'))),
      { notes: ['applied', 'disagreement'], attempts: ['1 2.0.0 planned'] },
    ],
    [
      'a failure leaves the holder, and makes it uncertain',
      [...ci(logged('1.9.0'), planned(), started(), failed())],
      { attempts: ['1 2.0.0 failed'], current: ['1.9.0 uncertain'] },
    ],
    [
      'so does a cancellation',
      ci(logged('1.9.0'), planned(), canceled()),
      { current: ['1.9.0 uncertain'] },
    ],
    [
      'the next success takes the doubt away',
      [
        ...ci(logged('1.9.0'), planned(), failed()),
        ...ci(planned('2.0.1', { deployment: run('8') }), succeeded({ deployment: run('8') })),
      ],
      { current: ['2.0.1'] },
    ],
    [
      'traffic moves while it runs, and not after the end',
      ci(
        planned(),
        started(),
        shifted({ canaryShare: 0.1 }),
        succeeded(),
        shifted({ canaryShare: 1 }),
      ),
      { notes: ['applied', 'applied', 'applied', 'applied', 'late'] },
    ],
    [
      'an update that names another slot than the plan contradicts it, and changes nothing',
      ci(planned(), succeeded({ slot: place('production', 'basket') })),
      {
        notes: ['applied', 'contradiction'],
        attempts: ['1 2.0.0 planned'],
        current: ['beside 2.0.0 planned'],
      },
    ],
    [
      'a target is a place of its own, and so is no target',
      ci(planned('2.0.0', { slot: place('production', 'checkout', 'eu') }), succeeded()),
      { notes: applied(2), current: [] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test.each([
    [
      'a share',
      [shifted({ canaryShare: 0.5 }), shifted({ canaryShare: 0.25 })],
      { share: 0.5, notes: ['applied', 'late'] },
    ],
    [
      'a colour',
      [shifted({ colour: 'green' }), shifted({ colour: 'blue' })],
      { colour: 'green', notes: ['applied', 'late'] },
    ],
    [
      'a phase',
      [advanced('ramp'), advanced('soak')],
      { phase: 'ramp', notes: ['applied', 'late'] },
    ],
    [
      'a colour, but not what is said of another thing,',
      [shifted({ colour: 'green' }), shifted({ canaryShare: 0.25 })],
      { colour: 'green', share: 0.25, notes: ['applied', 'applied'] },
    ],
  ] as const)(
    '%s that waited does not replace a later word',
    async (_what, [first, waited], { notes, ...yields }) => {
      const house = await given(
        by('ci', planned(), { at: 10 }),
        by('ci', first, { at: 30 }),
        by('ci', waited, { at: 60, waitedMs: 40_000 }),
      );
      expect(house.notes()).toEqual(['applied', ...notes]);
      expect((await house.deployment()).attempts[0]).toMatchObject(yields);
    },
  );

  test('what is said of a status is said by whom, in whose words, and when', async () => {
    const house = await given(
      by('ci', planned(), { at: 10 }),
      by('agent', started({ statusReported: 'IN_PROGRESS' }), { at: 20 }),
      by('agent', failed({ statusReported: 'ERROR', reason: 'timeout' }), { at: 30 }),
    );
    const [attempt] = (await house.deployment()).attempts;
    expect(attempt).toMatchObject({
      status: 'failed',
      statusReported: 'ERROR',
      reason: 'timeout',
      principal: 'agent',
      startedAt: house.records[4]?.appendedAtMs,
      endedAt: house.records[5]?.appendedAtMs,
    });
    expect(attempt?.entries.map(({ position, kind }) => [position, kind])).toEqual([
      [2, 'planned'],
      [4, 'started'],
      [5, 'failed'],
    ]);
  });

  test('a contradiction says what it contradicts', async () => {
    const house = await given(
      ...ci(planned(), failed({ reason: 'timeout' }), succeeded(), failed({ reason: 'other' })),
      ...ci(planned('3.0.0'), started({ slot: place('production', 'basket') })),
    );
    const entries = (await house.deployment()).attempts.flatMap((attempt) => attempt.entries);
    expect(entries.flatMap(({ says }) => (says === null ? [] : [says]))).toEqual([
      'succeeded, but it ended as failed',
      'failed for another reason',
      'slot default/production/basket/, planned was default/production/checkout/',
    ]);
  });

  test("a producer's clock far from the log's is flagged and decides nothing", async () => {
    const skewed = { ...planned(), occurredAt: 1 };
    const house = await given(by('ci', skewed), by('ci', started()));
    const [attempt] = (await house.deployment()).attempts;
    expect(attempt?.entries.map(({ clockSkewed }) => clockSkewed)).toEqual([true, false]);
    expect(attempt?.openedAtMs).toBe(house.records[2]?.appendedAtMs);
  });
});

describe('attempts', () => {
  test.each<Sentence>([
    [
      'GitHub: a rerun plans again with the next number',
      ci(
        planned('2.0.0', of('1')),
        failed(of('1')),
        planned('2.0.0', of('2')),
        started(of('2')),
        succeeded(of('2')),
      ),
      {
        notes: applied(5),
        attempts: ['1 2.0.0 failed', '2 2.0.0 succeeded'],
        current: ['2.0.0'],
        timeline: ['production 2.0.0 failed', 'production 2.0.0 succeeded'],
      },
    ],
    [
      'CircleCI: a rerun from failed updates under a new workflow id, and takes the last plan',
      ci(
        planned('2.0.0', of('wf-a')),
        started(of('wf-a')),
        failed(of('wf-a')),
        started(of('wf-b')),
        succeeded(of('wf-b')),
      ),
      { attempts: ['1 2.0.0 failed', '2 2.0.0 succeeded'], current: ['2.0.0'] },
    ],
    [
      'a new token while the last attempt goes on joins it',
      ci(planned('2.0.0', of('wf-a')), started(of('wf-b')), succeeded(of('wf-b'))),
      { attempts: ['1 2.0.0 succeeded'] },
    ],
    [
      'a token goes to its own attempt, even when a later one has begun',
      ci(planned('2.0.0', of('1')), planned('2.0.0', of('2')), succeeded(of('1')), failed(of('2'))),
      { attempts: ['1 2.0.0 succeeded', '2 2.0.0 failed'], current: ['2.0.0 uncertain'] },
    ],
    [
      'without a token an update goes to the last attempt',
      ci(planned('2.0.0', of('1')), failed(of('1')), planned('2.0.0', of('2')), succeeded()),
      { attempts: ['1 2.0.0 failed', '2 2.0.0 succeeded'] },
    ],
    [
      'without a token an ended attempt is not opened again by an update',
      ci(planned(), failed(), succeeded()),
      { attempts: ['1 2.0.0 failed'] },
    ],
    [
      'a plan after the end opens the next attempt',
      ci(planned(), failed(), planned()),
      { attempts: ['1 2.0.0 failed', '2 2.0.0 planned'] },
    ],
    [
      'planning a known attempt differently changes nothing',
      ci(planned('2.0.0', of('1')), planned('3.0.0', of('1')), succeeded(of('1'))),
      { notes: ['applied', 'contradiction', 'applied'], attempts: ['1 2.0.0 succeeded'] },
    ],
    [
      'planning a known attempt for another place changes nothing',
      ci(planned('2.0.0', of('1')), planned('2.0.0', { ...of('1'), slot: place('staging') })),
      { notes: ['applied', 'contradiction'], attempts: ['1 2.0.0 planned'] },
    ],
    [
      'the plan of an attempt that has ended may be repeated',
      ci(planned('2.0.0', of('1')), succeeded(of('1')), planned('2.0.0', of('1'))),
      { notes: ['applied', 'applied', 'repeat'], attempts: ['1 2.0.0 succeeded'] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test('an attempt says whose rerun it is', async () => {
    const house = await given(
      ...ci(planned('2.0.0', of('1')), failed(of('1')), started(of('2')), failed(of('2'))),
      ...ci(started(of('3'))),
    );
    const { attempts } = await house.deployment();
    expect(attempts.map(({ rerunOf }) => rerunOf)).toEqual([null, 1, 2]);
  });
});

describe('unplanned', () => {
  test.each<Sentence>([
    [
      'updates without a plan are shown, and move nothing',
      ci(started(), succeeded()),
      {
        notes: applied(2),
        attempts: ['1 unplanned succeeded'],
        current: [],
        timeline: ['nowhere unplanned succeeded'],
      },
    ],
    [
      'the plan completes them',
      ci(started(), succeeded(), planned()),
      {
        attempts: ['1 2.0.0 succeeded'],
        current: ['2.0.0'],
        timeline: ['production 2.0.0 succeeded'],
      },
    ],
    [
      'the plan completes those of its token',
      ci(started(of('1')), succeeded(of('1')), planned('2.0.0', of('1'))),
      { attempts: ['1 2.0.0 succeeded'] },
    ],
    [
      'the plan completes those without a token',
      ci(succeeded(), planned('2.0.0', of('1'))),
      { attempts: ['1 2.0.0 succeeded'] },
    ],
    [
      'a plan without a token completes the last of them',
      ci(failed(of('1')), succeeded(of('2')), planned()),
      { attempts: ['1 unplanned failed', '2 2.0.0 succeeded'] },
    ],
    [
      'an attempt that went on before any plan came takes the plan with its next update',
      ci(failed(of('1')), started(of('2')), planned('2.0.0', of('1')), succeeded(of('2'))),
      { attempts: ['1 2.0.0 failed', '2 2.0.0 succeeded'], current: ['2.0.0'] },
    ],
    [
      'the first end still stays when the plan comes',
      ci(failed(), succeeded(), planned()),
      { attempts: ['1 2.0.0 failed'], current: [] },
    ],
    [
      'an update that named another slot than the plan that came contradicts it',
      ci(succeeded({ slot: place('staging') }), started(), planned()),
      { attempts: ['1 2.0.0 running'], current: ['beside 2.0.0 running'] },
    ],
    [
      'updates of a key that may not act in the planned slot do not count',
      [
        trusts('stage', { environments: ['staging'] }),
        by('stage', succeeded()),
        by('ci', started()),
        by('ci', planned()),
      ],
      { attempts: ['1 2.0.0 running'], current: ['beside 2.0.0 running'] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test('an update that its plan expels is a dead letter, and no longer in the history', async () => {
    const house = await given(
      trusts('stage', { environments: ['staging'] }),
      by('ci', started(of('1'))),
      by('stage', succeeded(of('x'))),
      by('ci', planned('2.0.0', of('1'))),
    );
    const [attempt] = (await house.deployment()).attempts;
    expect(attempt).toMatchObject({ status: 'running', tokens: ['1'], endedAt: null });
    expect(attempt?.entries.map(({ principal }) => principal)).toEqual(['ci', 'ci']);
    const [letter] = await house.deadLetters();
    expect(letter).toMatchObject({ position: 4, code: 'out-of-scope', principal: 'stage' });
    expect(await house.row('marker', `${letter?.claims.marker}:stage`)).toBeUndefined();
  });

  test('an update whose key was found compromised before the plan came does not count', async () => {
    const house = await given(
      by('ci', started()),
      by('agent', succeeded()),
      findsCompromised('agent', 4),
      by('ci', planned()),
    );
    expect(await house.attempts()).toEqual(['1 2.0.0 running']);
    expect(await house.deadLetters()).toMatchObject([{ position: 4, code: 'key-compromised' }]);
  });

  test('what only strangers said stays without a plan', async () => {
    const house = await given(
      trusts('stage', { environments: ['staging'] }),
      by('stage', succeeded()),
      by('ci', planned()),
    );
    expect(await house.attempts()).toEqual(['1 unplanned succeeded', '2 2.0.0 planned']);
    expect(await house.current()).toEqual(['beside 2.0.0 planned']);
  });

  test('an update of a key that was retired since still counts', async () => {
    const house = await given(by('agent', succeeded()), retires('agent'), by('ci', planned()));
    expect(await house.attempts()).toEqual(['1 2.0.0 succeeded']);
  });
});

describe('logged', () => {
  test.each<Sentence>([
    [
      'a deployment of its own, that replaces what ran',
      ci(logged('1.0.0'), logged('2.0.0')),
      {
        notes: applied(2),
        current: ['2.0.0'],
        timeline: ['production 1.0.0 logged', 'production 2.0.0 logged'],
      },
    ],
    [
      'the same as what runs is a repeat and no new row',
      ci(logged('1.0.0'), logged('1.0.0')),
      { notes: ['applied', 'repeat'], timeline: ['production 1.0.0 logged'] },
    ],
    [
      'the same as what a pipeline deployed is a repeat too',
      ci(planned('2.0.0'), succeeded(), logged('2.0.0')),
      { notes: ['applied', 'applied', 'repeat'], timeline: ['production 2.0.0 succeeded'] },
    ],
    [
      'the same version with another digest is not the same',
      ci(
        logged('1.0.0', { digest: `sha256:${'a'.repeat(64)}` }),
        logged('1.0.0', { digest: `sha256:${'b'.repeat(64)}` }),
      ),
      { notes: applied(2), timeline: ['production 1.0.0 logged', 'production 1.0.0 logged'] },
    ],
    [
      'elsewhere it is no repeat',
      ci(logged('1.0.0'), logged('1.0.0', { slot: place('staging') })),
      { notes: applied(2) },
    ],
    [
      'what ran before comes back',
      ci(logged('1.0.0'), logged('2.0.0'), logged('1.0.0')),
      { notes: applied(3), current: ['1.0.0'] },
    ],
    [
      'after a failure, saying what runs is news and takes the doubt away',
      ci(logged('1.0.0'), planned('2.0.0'), failed(), logged('1.0.0')),
      { notes: applied(4), current: ['1.0.0'] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test('a repeat is in the history of the deployment that holds the slot', async () => {
    const house = await given(...ci(planned('2.0.0'), succeeded(), logged('2.0.0')));
    const [attempt] = (await house.deployment()).attempts;
    expect(attempt?.entries.map(({ kind, note }) => `${kind} ${note}`)).toEqual([
      'planned applied',
      'succeeded applied',
      'logged repeat',
    ]);
  });
});

describe('rollback', () => {
  const rollbacks = async (...steps: readonly Step[]): Promise<readonly boolean[]> => {
    const house = await given(...steps);
    const { outcomes } = house;
    return outcomes.flatMap((one) =>
      one.outcome === 'applied' && ['planned', 'logged'].includes(one.change.marker.kind)
        ? [one.change.attempt.rollback]
        : [],
    );
  };

  test('a version that held the slot before comes back', async () => {
    expect(await rollbacks(...ci(logged('1.0.0'), logged('2.0.0'), logged('1.0.0')))).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('the version that runs is no rollback', async () => {
    const steps = ci(logged('1.0.0'), logged('2.0.0'), logged('1.0.0'), planned('1.0.0'));
    expect(await rollbacks(...steps)).toEqual([false, false, true, false]);
  });

  test('a version that held another slot is no rollback', async () => {
    const steps = ci(
      logged('1.0.0', { slot: place('staging') }),
      logged('2.0.0'),
      planned('1.0.0'),
    );
    expect(await rollbacks(...steps)).toEqual([false, false, false]);
  });

  test('the same version built anew is no rollback, one without a digest may be', async () => {
    const digest = (letter: string) => ({ digest: `sha256:${letter.repeat(64)}` });
    const steps = ci(
      logged('1.0.0', digest('a')),
      logged('2.0.0', digest('b')),
      planned('1.0.0', { ...digest('c'), deployment: run('8') }),
      planned('1.0.0', { deployment: run('9') }),
    );
    expect(await rollbacks(...steps)).toEqual([false, false, false, true]);
  });

  test('whoever plans it may say so', async () => {
    expect(await rollbacks(...ci(planned('9.9.9', { rollback: true })))).toEqual([true]);
  });

  test('a rerun that an update opens is one where its version comes back', async () => {
    const house = await given(
      ...ci(planned('1.0.0', of('1')), succeeded(of('1')), logged('2.0.0'), started(of('2'))),
    );
    const { attempts } = await house.deployment();
    expect(attempts.map(({ rollback }) => rollback)).toEqual([false, true]);
  });
});

describe('time', () => {
  const next = { deployment: run('8') };

  test.each<Sentence>([
    [
      'a success that waited until after the next one is history',
      [
        ...ci(planned('1.0.0')),
        ...ci(planned('2.0.0', next), succeeded(next)),
        by('ci', succeeded(), { waitedMs: 5000 }),
      ],
      { notes: applied(4), attempts: ['1 1.0.0 succeeded'], current: ['2.0.0'] },
    ],
    [
      'without the wait it holds',
      [...ci(planned('1.0.0')), ...ci(planned('2.0.0', next), succeeded(next), succeeded())],
      { current: ['1.0.0'] },
    ],
    [
      'a wait shorter than the time since the holder leaves it the later one',
      [
        ...ci(planned('1.0.0')),
        ...ci(planned('2.0.0', next), succeeded(next)),
        by('ci', succeeded(), { waitedMs: 500 }),
      ],
      { current: ['1.0.0'] },
    ],
    [
      'a late failure of before does not make the holder uncertain',
      [
        ...ci(planned('1.0.0')),
        ...ci(planned('2.0.0', next), succeeded(next)),
        by('ci', failed(), { waitedMs: 5000 }),
      ],
      { attempts: ['1 1.0.0 failed'], current: ['2.0.0'] },
    ],
    [
      'a late success does not take away the doubt of a failure after it',
      [
        by('ci', logged('1.0.0'), { at: 100 }),
        by('ci', planned('2.0.0'), { at: 110 }),
        by('ci', planned('3.0.0', next), { at: 120 }),
        by('ci', failed(next), { at: 200 }),
        by('ci', succeeded(), { at: 210, waitedMs: 60_000 }),
      ],
      { current: ['2.0.0 uncertain'] },
    ],
    [
      'of two failures the later one is the doubt, whichever the log heard of first',
      [
        by('ci', logged('1.0.0'), { at: 100 }),
        by('ci', planned('2.0.0'), { at: 110 }),
        by('ci', planned('3.0.0', next), { at: 120 }),
        by('ci', failed(next), { at: 200 }),
        by('ci', failed(), { at: 210, waitedMs: 60_000 }),
        by('ci', logged('1.5.0'), { at: 220, waitedMs: 40_000 }),
      ],
      { current: ['1.5.0 uncertain'] },
    ],
    [
      'a waiting time that somebody else delivers counts, if that key may deliver',
      [
        ...ci(planned('1.0.0')),
        ...ci(planned('2.0.0', next), succeeded(next)),
        trusts('gateway', { roles: ['gateway'] }),
        by('ci', succeeded(), { waitedMs: 60_000, deliveredBy: 'gateway' }),
      ],
      { current: ['2.0.0'] },
    ],
    [
      'an analyser delivers nothing',
      [
        trusts('analyser', { roles: ['analyser'] }),
        by('ci', planned(), { waitedMs: 5000, deliveredBy: 'analyser' }),
      ],
      { notes: ['waited-bad'] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test("the log's time never goes back, whatever times a broker gives", async () => {
    const { records } = await given(...ci(planned(), started(), succeeded()));
    const back = records.map((record, index) =>
      index === 4 ? { ...record, appendedAtMs: record.appendedAtMs - 3_600_000 } : record,
    );
    const [attempt] = (await (await fold(back)).deployment()).attempts;
    expect(attempt?.endedAt).toBe(records[3]?.appendedAtMs);
  });

  test('a marker with a long wait keeps its own times', async () => {
    const house = await given(by('ci', planned(), { at: 7200, waitedMs: 3_600_000 }));
    const [attempt] = (await house.deployment()).attempts;
    const appendedAt = house.records[2]?.appendedAtMs ?? 0;
    expect(attempt?.entries).toMatchObject([
      { at: appendedAt - 3_600_000, appendedAt, waitedMs: 3_600_000, clockSkewed: false },
    ]);
  });
});

describe('identity', () => {
  test('twice the same bytes is one marker', async () => {
    const house = await given(...ci(planned(), started()), again(2), again(3));
    expect(house.notes()).toEqual(['applied', 'applied', 'duplicate', 'duplicate']);
  });

  test('the same id from the same principal with other content is a conflict', async () => {
    const house = await given(
      by('ci', planned('2.0.0'), { marker: 'one' }),
      by('ci', planned('3.0.0'), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['applied', 'conflict']);
    expect(await house.attempts()).toEqual(['1 2.0.0 planned']);
    expect((await house.deployment()).conflicts).toMatchObject([
      { marker: id('one'), principal: 'ci', first: 2, position: 3 },
    ]);
  });

  test('the same other content again is no second conflict', async () => {
    const house = await given(
      by('ci', planned('2.0.0'), { marker: 'one' }),
      by('ci', planned('3.0.0'), { marker: 'one' }),
      again(3),
      by('ci', planned('4.0.0'), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['applied', 'conflict', 'conflict', 'conflict']);
    const { conflicts } = await house.deployment();
    expect(conflicts.map(({ position }) => position)).toEqual([3, 5]);
  });

  test('a conflict marks the deployment that the id stands for, not the one that it names now', async () => {
    const house = await given(
      by('ci', planned('2.0.0'), { marker: 'one' }),
      by('ci', planned('2.0.0', { deployment: run('8') }), { marker: 'one' }),
    );
    expect((await house.deployment()).conflicts).toHaveLength(1);
    await expect(house.deployment('8')).rejects.toThrow('no deployment');
  });

  test("another principal's same id is no conflict", async () => {
    const house = await given(
      by('ci', planned('2.0.0'), { marker: 'one' }),
      by('agent', started(), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['applied', 'applied']);
  });

  test('a principal keeps its markers when it changes its key', async () => {
    const house = await given(
      by('ci', planned('2.0.0'), { marker: 'one', at: 10 }),
      by('ci#2', { ...planned('2.0.0'), occurredAt: openedAtMs + 10_000 }, { marker: 'one' }),
      by('ci#2', planned('3.0.0'), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['applied', 'duplicate', 'conflict']);
  });

  test('an id that was refused is free', async () => {
    const house = await given(
      trusts('ci', { environments: ['production'] }),
      by('ci', planned('2.0.0', { slot: place('staging') }), { marker: 'one' }),
      by('ci', planned('2.0.0'), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['out-of-scope', 'applied']);
  });

  test('a logged marker never takes a deployment that is there', async () => {
    const deployment = id('one');
    const house = await given(
      by('ci', planned('2.0.0', { deployment })),
      by('agent', logged('3.0.0'), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['applied', 'deployment-taken']);
  });

  test('a record that was refused because its key was unknown counts when it comes again', async () => {
    const early = await signed('later', planned(), 'early');
    const house = await given(raw(early), trusts('later'), raw(early));
    expect(house.notes()).toEqual(['key-unknown', 'applied']);
  });
});

describe('decisions', () => {
  const analyser = trusts('analyser', { roles: ['analyser'] });
  const canary = [analyser, ...ci(planned(), started())];

  test.each<Sentence>([
    [
      'stand on the attempt',
      [...canary, by('analyser', decided('promote'))],
      { notes: applied(3) },
    ],
    [
      'the first roll-back is final',
      [
        ...canary,
        by('analyser', decided('hold')),
        by('analyser', decided('roll-back')),
        by('analyser', decided('promote')),
        by('analyser', decided('roll-back')),
      ],
      { notes: [...applied(4), 'contradiction', 'repeat'] },
    ],
    [
      'say a silence again while it lasts, and the next one is another',
      [
        ...canary,
        by('analyser', decided('hold', { windowIndex: 5 })),
        by('analyser', decided('hold', { windowIndex: 11 })),
        by('analyser', decided('hold', { windowIndex: 17 })),
        by('analyser', decided('hold', { windowIndex: 40, evidenceDigest: 'c'.repeat(64) })),
      ],
      { notes: [...applied(3), 'repeat', 'repeat', 'applied'] },
    ],
    [
      'hold the gate of an attempt in conflict: nothing goes on, but it may be rolled back',
      [
        ...canary,
        by('ci', started(), { marker: 'one' }),
        by('analyser', decided('promote')),
        by('ci', started({ statusReported: 'other' }), { marker: 'one' }),
        by('analyser', decided('promote')),
        by('analyser', decided('advance')),
        by('analyser', decided('hold')),
        by('analyser', decided('roll-back')),
        by('analyser', decided('promote')),
      ],
      {
        notes: [
          ...applied(2),
          ...['repeat', 'applied', 'conflict', 'held', 'held', 'applied', 'applied'],
          'contradiction',
        ],
      },
    ],
    [
      'are free again in the next attempt, whose markers are in no conflict',
      [
        analyser,
        by('ci', planned('2.0.0', of('1')), { marker: 'one' }),
        by('ci', planned('3.0.0', of('1')), { marker: 'one' }),
        by('ci', planned('2.0.0', of('2'))),
        by('analyser', decided('promote', of('1'))),
        by('analyser', decided('promote', of('2'))),
      ],
      { notes: ['applied', 'conflict', 'applied', 'held', 'applied'] },
    ],
    [
      'are not held by a stranger who plans the same deployment elsewhere and is in conflict with itself',
      [
        trusts('stage', { environments: ['staging'] }),
        ...canary,
        by('stage', planned('2.0.0', { slot: place('staging') }), { marker: 'one' }),
        by('stage', planned('3.0.0', { slot: place('staging') }), { marker: 'one' }),
        by('analyser', decided('promote')),
      ],
      { notes: [...applied(3), 'conflict', 'applied'] },
    ],
    [
      'are repeats where they rest on the same evidence',
      [
        ...canary,
        by('analyser', decided('promote')),
        by('analyser', decided('promote', { windowIndex: 9 })),
        by('analyser', decided('promote', { evidenceDigest: 'e'.repeat(64) })),
        by('analyser', decided('promote', { analysis: id('another analysis', 8) })),
        by('analyser', decided('roll-back')),
        by('analyser', decided('promote', { windowIndex: 18 })),
      ],
      { notes: [...applied(3), 'repeat', ...applied(3), 'contradiction'] },
    ],
    [
      'come late once the attempt has ended',
      [...canary, by('ci', succeeded()), by('analyser', decided('roll-back'))],
      { notes: [...applied(3), 'late'] },
    ],
    [
      'are refused for a deployment that nobody planned',
      [analyser, by('analyser', decided('promote'))],
      { notes: ['deployment-unknown'] },
    ],
    [
      'are refused for another slot than the planned one',
      [...canary, by('analyser', decided('promote', { slot: place('production', 'basket') }))],
      { notes: [...applied(2), 'decision-misplaced'] },
    ],
    [
      'are no status',
      [...canary, by('analyser', decided('roll-back'))],
      { attempts: ['1 2.0.0 running'], current: ['beside 2.0.0 running'] },
    ],
  ])('%s', async (_sentence, steps, yields) => tell(steps, yields));

  test.each([
    ['late, where what they judged has ended and another version runs', null, 'late'],
    ['misplaced, where nobody knows their token', 'run-99', 'decision-misplaced'],
  ])('never fall to the attempt that happens to be the last: %s', async (_how, attempt, note) => {
    const house = await given(
      analyser,
      ...ci(planned(), started(), failed(), planned('3.0.0'), started()),
      by('analyser', decided('roll-back', { attempt })),
    );
    expect(house.notes().at(-1)).toBe(note);
    const { attempts } = await house.deployment();
    expect(attempts.map(({ plan }) => plan?.version)).toEqual(['2.0.0', '3.0.0']);
    expect(attempts[1]?.decisions).toEqual([]);
  });

  test('go to the attempt of their token', async () => {
    const house = await given(
      analyser,
      ...ci(planned('2.0.0', of('1')), planned('2.0.0', of('2'))),
      by('analyser', decided('roll-back', of('1'))),
    );
    const { attempts } = await house.deployment();
    expect(attempts.map(({ decisions }) => decisions.length)).toEqual([1, 0]);
  });

  test('do not fill the history that updates need', async () => {
    const renewals = Array.from({ length: 500 }, () => by('analyser', decided('hold')));
    const house = await given(...canary, ...renewals, by('ci', succeeded()), by('ci', succeeded()));
    expect(house.notes().slice(-2)).toEqual(['applied', 'repeat']);
  });
});
