import { expect, test } from 'vitest';
import { ok } from '../../services/core/result.ts';
import { openGatewayHouse } from '../support/gateway.ts';

test('problems are looked for by one at a time; whom too many are before is sent away, and only then', async () => {
  let looking = 0;
  let most = 0;
  const house = await openGatewayHouse([], ({ problems }) => ({
    problems: async (question) => {
      looking += 1;
      most = Math.max(most, looking);
      await new Promise((done) => setTimeout(done, 2));
      looking -= 1;
      return problems === undefined ? ok({ problems: [], next: 1, cut: [] }) : problems(question);
    },
  }));
  const ask = async (): Promise<number> => (await house.send('GET', '/v1/problems')).status;
  const answers = await Promise.all(Array.from({ length: 30 }, ask));
  expect(most).toBe(1);
  expect(answers.toSorted((a, b) => a - b)).toEqual([
    ...Array<number>(20).fill(200),
    ...Array<number>(10).fill(503),
  ]);
  expect(await ask()).toBe(200);
});

test('a look that fails lets the next one look', async () => {
  let tries = 0;
  const house = await openGatewayHouse([], () => ({
    problems: async () => {
      tries += 1;
      if (tries === 1) throw new Error('the store is gone');
      return ok({ problems: [], next: 1, cut: [] });
    },
  }));
  // What is thrown the server answers.
  const ask = (): Promise<number | string> =>
    house.send('GET', '/v1/problems').then(
      ({ status }) => status,
      (cause: unknown) => String(cause),
    );
  expect(await Promise.all([ask(), ask()])).toEqual(['Error: the store is gone', 200]);
});
