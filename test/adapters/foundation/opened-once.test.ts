import { expect, test } from 'vitest';
import { openOnce } from '../../../services/adapters/foundation/opened-once.ts';
import { fail, ok } from '../../../services/core/result.ts';

test('what is open is one for all who ask, also for those who ask while it is being opened', async () => {
  let opened = 0;
  const parts = openOnce(async (name: string) => ok(`${name} ${++opened}`));
  const answers = await Promise.all([parts.get('a'), parts.get('a'), parts.get('b')]);
  expect(answers).toEqual([ok('a 1'), ok('a 1'), ok('b 2')]);
  expect(await parts.get('a')).toEqual(ok('a 1'));
  expect(parts.all().map(([name]) => name)).toEqual(['a', 'b']);
});

test.each([
  ['was refused', async () => fail('down')],
  ['threw', () => Promise.reject(new Error('down'))],
])('what %s is tried again by whoever asks next', async (_how, refuse) => {
  let tries = 0;
  const parts = openOnce<string, string, string>((name) =>
    ++tries < 3 ? refuse() : Promise.resolve(ok(name)),
  );
  for (const expected of [false, false, true]) {
    const opened = await parts.get('a').then(
      (answer) => answer.ok,
      () => false,
    );
    expect(opened).toBe(expected);
    await new Promise((done) => setImmediate(done));
  }
  expect(parts.all()).toHaveLength(1);
});
