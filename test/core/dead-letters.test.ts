import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../services/core/dead-letters.ts';
import { letterState, redriveRefusal } from '../../services/core/dead-letters.ts';
import type { OperationRow } from '../../services/core/operations.ts';
import { positionKey } from '../../services/core/read-models.ts';
import type { House, Step } from '../support/given.ts';
import { again, by, given, raw, trusts } from '../support/given.ts';
import { pureFold } from '../support/pure-fold.ts';
import { audience, operated, planned, run, started, succeeded } from '../support/markers.ts';
import { record } from '../support/records.ts';

const operator = trusts('ops', { roles: ['operator'] });
const redriven = (...positions: readonly number[]): Step =>
  by('ops', operated('letters-redriven', { positions }));
const discarded = (...positions: readonly number[]): Step =>
  by('ops', operated('letters-discarded', { positions }));

const letterAt = ({ row }: House, position: number): Promise<DeadLetter | undefined> =>
  row<DeadLetter>('dead-letter', positionKey(position));
const effectAt = async ({ row }: House, position: number): Promise<unknown> =>
  (await row<OperationRow>('operation', positionKey(position)))?.effect;

/** A plan by a key that the log learns of too late stands at 3. */
const tooEarly = async (...steps: readonly Step[]): Promise<House> => {
  const stranger = trusts('late');
  const [, , plan] = (await given(stranger, by('late', planned(), { marker: 'early' }))).records;
  if (plan === undefined) throw new Error('there is no plan');
  return given(operator, raw(record('nothing of ours')), raw(plan), ...steps);
};

describe('a dead letter that is redriven', () => {
  test('is accepted now that its key is trusted, and says where', async () => {
    const house = await tooEarly(trusts('late'), redriven(3), again(3));
    expect(house.notes()).toEqual(['header-missing', 'key-unknown', 'operation', 'applied']);
    const letter = await letterAt(house, 3);
    expect(letter?.redriven).toEqual([
      { position: 6, operation: 5, at: 1_795_255_206_000, code: null },
    ]);
    expect(letter && letterState(letter)).toBe('redriven');
    expect(await effectAt(house, 5)).toEqual({ done: 1, refused: [] });
    expect(await letterAt(house, 6)).toBeUndefined();
  });

  test('and is refused again tells of its redrive, as that tells of it', async () => {
    const house = await tooEarly(redriven(2, 3), again(2), again(3));
    expect(await letterAt(house, 2)).toMatchObject({
      redrives: 1,
      redriven: [{ position: 5, operation: 4, code: 'header-missing' }],
    });
    expect(await letterAt(house, 3)).toMatchObject({ redriven: [{ code: 'key-unknown' }] });
    expect(await letterAt(house, 6)).toMatchObject({ redriveOf: 3, redrives: 0 });
  });

  test('may be redriven again, and each time is kept', async () => {
    const house = await tooEarly(
      redriven(3),
      again(3),
      redriven(3),
      again(3),
      redriven(3),
      again(3),
    );
    const letter = await letterAt(house, 3);
    expect(letter?.redriven.map(({ position }) => position)).toEqual([5, 7, 9]);
    expect(letter && redriveRefusal(letter)?.code).toBe('redrive-limit');
  });

  test('was redriven once when the append was sent twice', async () => {
    const house = await tooEarly(redriven(2, 3), again(2), again(3), again(4), again(2), again(3));
    const letter = await letterAt(house, 3);
    expect(letter?.redriven).toHaveLength(1);
    expect(letter?.redrives).toBe(1);
    expect(await letterAt(house, 9)).toMatchObject({ redriveOf: 3 });
  });

  test('is named by its first position; its redrives lead there', async () => {
    const house = await tooEarly(redriven(3), again(3), redriven(5), again(5));
    expect(await effectAt(house, 6)).toEqual({
      done: 0,
      refused: [{ code: 'letter-repeat', count: 1 }],
    });
    const repeat = await letterAt(house, 5);
    expect(repeat?.redriven).toEqual([]);
    expect(repeat && redriveRefusal(repeat)?.code).toBe('letter-repeat');
  });

  test('is told apart from a record that only stands where its bytes should be', async () => {
    const house = await tooEarly(redriven(3), raw(record('other bytes')));
    expect((await letterAt(house, 3))?.redriven).toEqual([]);
    expect((await letterAt(house, 5))?.redriveOf).toBeNull();
  });

  test('stands no further behind its operation than that has letters', async () => {
    const house = await tooEarly(redriven(3), again(2), again(3));
    expect((await letterAt(house, 3))?.redriven).toEqual([]);
    expect((await letterAt(house, 6))?.redriveOf).toBeNull();
  });

  test('is no letter: what was accepted is named in vain', async () => {
    const house = await given(operator, by('ci', planned()), redriven(3), again(3));
    expect(house.notes()).toEqual(['applied', 'operation', 'duplicate']);
    expect(await effectAt(house, 4)).toEqual({ done: 0, refused: [{ code: 'unknown', count: 1 }] });
  });

  test('may be an update that its plan expelled, which has no digest', async () => {
    const house = await given(
      operator,
      trusts('stage', { environments: ['staging'] }),
      by('stage', started()),
      by('ci', succeeded()),
      by('ci', planned()),
      redriven(3),
      again(3),
    );
    expect(house.notes().slice(2)).toEqual(['applied', 'operation', 'out-of-scope']);
    expect(await letterAt(house, 3)).toMatchObject({
      digest: null,
      redriven: [{ position: 8, code: 'out-of-scope' }],
    });
  });

  test('brings several of one deployment back in their order', async () => {
    const first = await given(
      trusts('late'),
      by('late', planned()),
      by('late', started()),
      by('late', succeeded()),
    );
    const house = await given(
      operator,
      ...first.records.slice(2).map(raw),
      trusts('late'),
      redriven(2, 3, 4),
      again(2),
      again(3),
      again(4),
    );
    expect(house.notes().slice(-3)).toEqual(['applied', 'applied', 'applied']);
    expect(await house.attempts()).toEqual(['1 2.0.0 succeeded']);
  });

  test('that announces redrives itself announces nothing while it is redriven', async () => {
    const early = await given(operator, redriven(1));
    const operation = early.records[2];
    if (operation === undefined) throw new Error('there is no operation');
    const house = await given(
      raw(operation),
      raw(record('nothing of ours')),
      operator,
      redriven(1, 2),
      again(1),
      again(2),
    );
    expect(house.notes()).toEqual([
      'key-unknown',
      'header-missing',
      'operation',
      'operation',
      'header-missing',
    ]);
    expect(await letterAt(house, 6)).toMatchObject({ redriveOf: 2 });
  });
});

describe('a dead letter that is discarded', () => {
  test('stays, and says who let it rest, and why', async () => {
    const house = await tooEarly(discarded(2));
    const letter = await letterAt(house, 2);
    expect(letter?.discarded).toMatchObject({
      operation: 4,
      principal: 'ops',
      reason: 'the test asks for it',
    });
    expect(letter && letterState(letter)).toBe('discarded');
    expect(letter && redriveRefusal(letter)?.code).toBe('letter-discarded');
  });

  test('is discarded once; what is no open letter is counted and left', async () => {
    const house = await tooEarly(
      discarded(2),
      trusts('late'),
      redriven(3),
      again(3),
      discarded(1, 2, 3),
    );
    expect(await effectAt(house, 8)).toEqual({
      done: 0,
      refused: [
        { code: 'letter-discarded', count: 1 },
        { code: 'letter-redriven', count: 1 },
        { code: 'unknown', count: 1 },
      ],
    });
    expect((await letterAt(house, 2))?.discarded?.operation).toBe(4);
  });
});

test('an operation about no place needs a key for everywhere', async () => {
  const house = await given(
    trusts('ops', { roles: ['operator'], environments: ['staging'] }),
    raw(record('nothing of ours')),
    discarded(2),
    redriven(2),
    by('ops', operated('generation-dropped', { generation: 'g1' })),
  );
  expect(house.notes().slice(1)).toEqual(['out-of-scope', 'out-of-scope', 'out-of-scope']);
  expect((await letterAt(house, 2))?.discarded).toBeNull();
});

test('rows are the same bytes however the records are cut', async () => {
  const house = await tooEarly(
    redriven(2, 3),
    again(2),
    trusts('late'),
    again(3),
    redriven(2, 3),
    again(2),
    again(3),
    discarded(2),
    by('ci', planned('1.0.0', { deployment: run('8') })),
  );
  expect(pureFold(house.records, audience).dumpAt(house.records.length)).toEqual(
    await house.dump(),
  );
});
