import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Desk } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

/** Three deployments that were planned elsewhere, and who looks at them from here. */
const opened = async (
  isRemote: boolean,
): Promise<{ readonly desk: Desk; readonly ids: readonly string[] }> => {
  const there = await openDesk({ folder: join(scratch, randomUUID()), isRemote });
  const ids: string[] = [];
  for (const [component, version] of [
    ['checkout', '1.9.4'],
    ['checkout', '2.0.0'],
    ['search', '7'],
  ]) {
    const said = await there.plimsoll(
      ...['release', 'log', `--component-name=${component}`, '--environment-name=production'],
      ...[`--target-version=${version}`, '--json'],
    );
    ids.push((JSON.parse(said.out.join('')) as { readonly deployment: string }).deployment);
  }
  // Folds what is on the log.
  await there.plimsoll('current');
  return { desk: there.elsewhere({ folder: join(scratch, randomUUID()), isRemote }), ids };
};

describe.each([
  ['at hand', false],
  ['through a gateway', true],
])('plimsoll show, %s', (_where, isRemote) => {
  test('takes what one deployment alone has: its version, its component, the beginning of its id', async () => {
    const { desk, ids } = await opened(isRemote);
    const [, second = '', third = ''] = ids;
    for (const [word, id] of [
      ['checkout@2.0.0', second],
      ['search', third],
      [third, third],
    ] as const) {
      const said = await desk.plimsoll('show', word, '--json');
      expect([word, JSON.parse(said.out.join(''))]).toMatchObject([word, { deployment: id }]);
    }
    // The last group of an id of these tests is drawn: its beginning may be that of another.
    const longest = await desk.plimsoll('show', third.slice(0, -1), '--json');
    expect(JSON.parse(longest.out.join(''))).toMatchObject({ deployment: third });
  });

  test('lists those that are meant where there are several, the newest first', async () => {
    const { desk, ids } = await opened(isRemote);
    const said = await desk.plimsoll('show', 'checkout', '--json');
    expect(said.exit).toBe(3);
    const told = JSON.parse(said.err.join('')) as { readonly code: string; readonly hint: string };
    expect(told.code).toBe('deployment-ambiguous');
    expect(told.hint.indexOf(ids[1] ?? '-')).toBeGreaterThan(0);
    expect(told.hint.indexOf(ids[1] ?? '-')).toBeLessThan(told.hint.indexOf(ids[0] ?? '-'));
  });

  test('says so where nothing is meant', async () => {
    const { desk } = await opened(isRemote);
    expect((await desk.plimsoll('show', 'basket')).exit).toBe(4);
  });
});
