import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openPlannedHere } from '../../../services/adapters/planned-here/folder.ts';
import { place } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const planOf = (deployment: string) => ({
  deployment,
  slot: place('production'),
  version: '2.0.0',
});

describe('what was planned here', () => {
  test('is nothing at first, and is found again by its name', async () => {
    const store = openPlannedHere(join(scratch, 'first'));
    expect(value(await store.last('default'))).toBeUndefined();
    value(await store.begin('default', planOf('a'), undefined));
    value(await store.begin('ä/../\u0000 ' + 'x'.repeat(500), planOf('b'), undefined));
    expect(value(await openPlannedHere(join(scratch, 'first')).last('default'))).toEqual({
      ...planOf('a'),
      hasEnded: false,
    });
    expect(value(await store.last('ä/../\u0000 ' + 'x'.repeat(500)))?.deployment).toBe('b');
  });

  test('is known without its version, where a release before kept it', async () => {
    const folder = join(scratch, 'before');
    const store = openPlannedHere(folder);
    value(await store.begin('eu', planOf('a'), undefined));
    const [file = ''] = readdirSync(folder);
    const { version, ...before } = JSON.parse(
      readFileSync(join(folder, file), 'utf8'),
    ) as ReturnType<typeof planOf>;
    expect(version).toBe('2.0.0');
    writeFileSync(join(folder, file), JSON.stringify(before));
    expect(value(await store.last('eu'))).toMatchObject({ deployment: 'a', version: null });
  });

  test('is known by all its names', async () => {
    const store = openPlannedHere(join(scratch, 'names'));
    expect(value(await store.names())).toEqual([]);
    for (const name of ['eu', 'us', 'us']) value(await store.begin(name, planOf(name), undefined));
    expect(value(await store.names()).toSorted()).toEqual(['eu', 'us']);
  });

  test('ends once, and what is planned after it takes its place', async () => {
    const store = openPlannedHere(join(scratch, 'ends'));
    for (let round = 0; round < 20; round++) {
      const before = value(await store.last('eu'));
      value(await store.begin('eu', planOf(`d${round}`), before));
      value(await store.end('eu', `d${round}`));
      value(await store.end('eu', `d${round}`));
      expect(value(await store.last('eu'))).toMatchObject({
        deployment: `d${round}`,
        hasEnded: true,
      });
    }
    // What was before is forgotten, but for the little that another process may be reading.
    expect(readdirSync(join(scratch, 'ends')).length).toBeLessThanOrEqual(8);
  });

  test('is not ended by the end of another deployment', async () => {
    const store = openPlannedHere(join(scratch, 'other'));
    value(await store.begin('eu', planOf('a'), undefined));
    value(await store.end('eu', 'b'));
    expect(value(await store.last('eu'))?.hasEnded).toBe(false);
  });

  test('is one thing for all who begin at once', async () => {
    for (let round = 0; round < 20; round++) {
      const folder = join(scratch, `race-${round}`);
      const winners = await Promise.all(
        Array.from({ length: 16 }, async (_, index) =>
          value(await openPlannedHere(folder).begin('eu', planOf(`d${index}`), undefined)),
        ),
      );
      expect(new Set(winners.map(({ deployment }) => deployment)).size).toBe(1);
      const last = value(await openPlannedHere(folder).last('eu'));
      expect(last?.deployment).toBe(winners[0]?.deployment);
    }
  });

  test('is left alone by who knows only what was before it', async () => {
    const store = openPlannedHere(join(scratch, 'late'));
    const first = value(await store.begin('eu', planOf('a'), undefined));
    value(await store.end('eu', 'a'));
    value(await store.begin('eu', planOf('b'), first));
    expect(value(await store.begin('eu', planOf('c'), first)).deployment).toBe('b');
  });

  test('is told as damaged where a file holds something else', async () => {
    const folder = join(scratch, 'damaged');
    const store = openPlannedHere(folder);
    value(await store.begin('eu', planOf('a'), undefined));
    const [file = ''] = readdirSync(folder);
    for (const content of ['{', '{}', 'null', '[]']) {
      writeFileSync(join(folder, file), content);
      expect(await store.last('eu')).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
    }
  });

  test('is refused where the folder cannot be written', async () => {
    mkdirSync(join(scratch, 'taken'));
    writeFileSync(join(scratch, 'taken', 'planned'), 'a file');
    const store = openPlannedHere(join(scratch, 'taken', 'planned'));
    expect(await store.begin('eu', planOf('a'), undefined)).toMatchObject({
      ok: false,
      problem: { code: 'refused' },
    });
  });
});
