import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SpoolFiles, SpoolOptions } from '../../../services/adapters/spool/folder.ts';
import { openSpool, spoolDestination } from '../../../services/adapters/spool/folder.ts';
import type { NewRecord } from '../../../services/core/log/record.ts';
import type { Spool } from '../../../services/ports/spool.ts';
import { tools } from '../../support/given.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID(), 'data', 'spool', 'local');
const text = (written: string): Uint8Array => tools.text.encodeUtf8(written);

const spoolIn = (folder: string, over: Partial<SpoolOptions> = {}): Spool =>
  openSpool({
    root: join(folder, '..'),
    destination: { name: basename(folder), label: folder },
    tools,
    now: () => ({ wallMs: 1_800_000_000_000, boot: null }),
    bytesMax: 1_000_000,
    ageMaxMs: 1_000,
    ...over,
  });

const record = (key: string, marker: string = randomUUID()): NewRecord => ({
  key: text(key),
  headers: [
    { name: 'ce_id', value: text(marker) },
    { name: 'ce_type', value: text('plimsoll.logged.v1') },
  ],
  value: text(`value of ${marker}`),
});

const wanted = (key: string, marker?: string): Parameters<Spool['keep']>[0] => ({
  to: 'log',
  deployment: null,
  record: record(key, marker),
});

describe('a spool', () => {
  test('gives what it keeps, in the order in which it was laid down', async () => {
    const spool = spoolIn(newFolder());
    const ids = Array.from({ length: 12 }, () => randomUUID());
    for (const id of ids) value(await spool.keep(wanted('k', id)));
    const waiting = value(await spool.waiting());
    expect(waiting.map(({ marker }) => marker)).toEqual(ids);
    const [first] = waiting;
    if (first === undefined) throw new Error('nothing waits');
    expect(value(await spool.read(first, 'waiting'))).toMatchObject(wanted('k', ids[0]));
    value(await spool.remove(first, 'waiting'));
    expect(value(await spool.read(first, 'waiting'))).toBeUndefined();
    expect(await spool.remove(first, 'waiting')).toEqual({ ok: true });
    expect(value(await spool.waiting())).toHaveLength(11);
  });

  test('is empty where there is none, and asking makes none', async () => {
    const folder = newFolder();
    const spool = spoolIn(folder);
    expect([value(await spool.waiting()), value(await spool.refused())]).toEqual([[], []]);
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  test('knows by the names alone which markers are of one key', async () => {
    const spool = spoolIn(newFolder());
    const hashes = await Promise.all(
      ['a', 'b', 'a'].map(async (key) => value(await spool.keep(wanted(key))).keyHash),
    );
    expect([hashes[0] === hashes[2], hashes[0] === hashes[1]]).toEqual([true, false]);
    expect(spool.keyHashOf(record('a'))).toBe(hashes[0]);
  });

  test('is for one log; what waits beside it for another is told, and left alone', async () => {
    const here = newFolder();
    const there = join(here, '..', 'there');
    value(await spoolIn(there).keep(wanted('k')));
    value(await spoolIn(there).keep(wanted('k')));
    const spool = spoolIn(here);
    expect(value(await spool.waiting())).toEqual([]);
    value(await spool.keep(wanted('k')));
    writeFileSync(join(here, '..', 'notes.txt'), '');
    expect(value(await spool.elsewhere())).toMatchObject([{ label: there, markers: 2 }]);
    expect(spoolDestination('a', 'https://bob:secret@host')).toMatchObject({
      name: expect.stringMatching(/^a\.[0-9a-f]{12}$/),
      label: 'https://host (a)',
    });
    // A password that was changed changes no log.
    expect(spoolDestination('a', 'https://bob:other@host')).toEqual(
      spoolDestination('a', 'https://host'),
    );
    expect(spoolDestination('a', 'x').name).not.toBe(spoolDestination('a', 'y').name);
  });

  test('is for its owner alone', async () => {
    const folder = newFolder();
    const { name } = value(await spoolIn(folder).keep(wanted('k')));
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['markers', { markersMax: 2 }],
    ['bytes', { bytesMax: 900 }],
  ])('takes no more %s than it may, and loses none that it has', async (_what, over) => {
    const spool = spoolIn(newFolder(), over);
    for (let tries = 0; tries < 2; tries += 1) value(await spool.keep(wanted('k')));
    expect(await spool.keep(wanted('k'))).toMatchObject({ problem: { code: 'spool-full' } });
    expect(value(await spool.waiting())).toHaveLength(2);
  });

  test('lays aside what was refused, with the reason', async () => {
    const spool = spoolIn(newFolder());
    const entry = value(await spool.keep(wanted('k')));
    const refusal = { code: 'out-of-scope', message: 'not there', hint: 'ask' };
    value(await spool.refuse(entry, refusal));
    expect(value(await spool.waiting())).toEqual([]);
    const [aside] = value(await spool.refused());
    if (aside === undefined) throw new Error('nothing was laid aside');
    expect(value(await spool.read(aside, 'refused'))).toMatchObject({ refusal });
  });

  test('reads no more than a marker can have, and follows no link', async () => {
    const folder = newFolder();
    const spool = spoolIn(folder);
    const entry = value(await spool.keep(wanted('k')));
    writeFileSync(join(folder, entry.name), Buffer.alloc(2_000_000, '{'));
    expect(await spool.read(entry, 'waiting')).toMatchObject({
      problem: { code: 'spool-damaged' },
    });
    const link = { ...entry, name: entry.name.replace(entry.marker, randomUUID()) };
    symlinkSync('/etc/hostname', join(folder, link.name));
    expect(await spool.read(link, 'waiting')).toMatchObject({ problem: { code: 'spool-failed' } });
  });

  test('takes no notice of other files, and clears away what was never finished', async () => {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    for (const name of ['notes.txt', 'young.new', 'old.new'])
      writeFileSync(join(folder, name), 'x');
    utimesSync(join(folder, 'young.new'), 1_800_000_000, 1_800_000_000);
    utimesSync(join(folder, 'old.new'), 1_799_990_000, 1_799_990_000);
    const spool = spoolIn(folder);
    expect(value(await spool.waiting())).toEqual([]);
    const { name } = value(await spool.keep(wanted('k')));
    expect(readdirSync(folder).toSorted()).toEqual([name, 'notes.txt', 'young.new'].toSorted());
  });

  test('says why it cannot keep anything', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, '');
    expect(await spoolIn(folder).keep(wanted('k'))).toMatchObject({
      problem: { code: 'spool-failed', message: expect.stringContaining(folder) },
    });
  });
});

/** A process that is killed: its nth call of the file system, and all after it, do not happen. */
class Killed extends Error {}

const killedAt = (
  callsMax: number,
): { readonly files: SpoolFiles; readonly calls: () => string[] } => {
  const calls: string[] = [];
  const step = (name: string): void => {
    if (calls.length >= callsMax) throw new Killed(name);
    calls.push(name);
  };
  const handleOf = (handle: nodeFiles.FileHandle): nodeFiles.FileHandle =>
    new Proxy(handle, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          // The handle is closed for the test's sake, as the system does for a process that died.
          if (name === 'close' && calls.length >= callsMax) {
            await target.close();
            throw new Killed('close');
          }
          step(String(name));
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
  return {
    calls: () => calls,
    files: {
      open: async (...args) => {
        step('open');
        return handleOf(await nodeFiles.open(...args));
      },
      readdir: (async (path: string) => {
        step('readdir');
        return nodeFiles.readdir(path);
      }) as SpoolFiles['readdir'],
      rename: async (from, to) => {
        step('rename');
        return nodeFiles.rename(from, to);
      },
      unlink: async (path) => {
        step('unlink');
        return nodeFiles.unlink(path);
      },
      stat: nodeFiles.stat,
    },
  };
};

const attempt = async <Value>(work: Promise<Value>): Promise<Value | 'killed'> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Killed) return 'killed';
    throw error;
  }
};

describe('killed after any call of the file system', () => {
  test('while it keeps, the marker is there whole or not at all, and what was answered is there', async () => {
    const states: string[] = [];
    for (let callsMax = 0; ; callsMax += 1) {
      const folder = newFolder();
      const before = value(await spoolIn(folder).keep(wanted('k')));
      const { files, calls } = killedAt(callsMax);
      const kept = await attempt(spoolIn(folder, { files }).keep(wanted('k')));
      const after = spoolIn(folder);
      const waiting = value(await after.waiting());
      expect(waiting).toContainEqual(before);
      for (const entry of waiting)
        expect(value(await after.read(entry, 'waiting'))).toMatchObject({ deployment: null });
      states.push(
        `${calls().at(-1) ?? 'nothing'}: ${waiting.length === 2 ? 'there' : 'not there'}`,
      );
      if (kept === 'killed') continue;
      expect(waiting).toContainEqual(value(kept));
      break;
    }
    expect(states).toEqual([
      'nothing: not there',
      'readdir: not there',
      'open: not there',
      'writeFile: not there',
      'sync: not there',
      'close: not there',
      'rename: there',
      'open: there',
      'sync: there',
      'close: there',
    ]);
  });

  test('while it lays aside, the marker waits or lies aside, and is never nowhere', async () => {
    const states: string[] = [];
    for (let callsMax = 0; ; callsMax += 1) {
      const folder = newFolder();
      const entry = value(await spoolIn(folder).keep(wanted('k')));
      const { files } = killedAt(callsMax);
      const refusal = { code: 'conflict', message: 'no', hint: '' };
      const refused = await attempt(spoolIn(folder, { files }).refuse(entry, refusal));
      const after = spoolIn(folder);
      const [waiting, aside] = [value(await after.waiting()), value(await after.refused())];
      states.push(`${waiting.length} ${aside.length}`);
      for (const one of aside)
        expect(value(await after.read(one, 'refused'))).toMatchObject({ refusal });
      // Once more does no harm.
      value(await after.refuse(entry, refusal));
      expect([value(await after.waiting()), value(await after.refused()).length]).toEqual([[], 1]);
      if (refused !== 'killed') break;
    }
    expect([...new Set(states)]).toEqual(['1 0', '1 1', '0 1']);
  });
});

test('a spool without folders is made so that it outlives the machine: each new folder is synced', async () => {
  const synced: string[] = [];
  const files: SpoolFiles = {
    ...nodeFiles,
    open: async (path, ...rest) => {
      const handle = await nodeFiles.open(path, ...rest);
      return new Proxy(handle, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (name === 'sync') synced.push(String(path));
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    },
  };
  const folder = newFolder();
  value(await spoolIn(folder, { files }).keep(wanted('k')));
  const up = (count: number): string => join(folder, ...Array.from({ length: count }, () => '..'));
  for (const made of [folder, up(1), up(2), up(3), up(4)]) expect(synced).toContain(made);
  expect(synced.filter((path) => path.endsWith('.new'))).toHaveLength(1);
});

test('many who keep at once lose nothing', async () => {
  const folder = newFolder();
  const ids = Array.from({ length: 60 }, () => randomUUID());
  await Promise.all(ids.map(async (id) => value(await spoolIn(folder).keep(wanted('k', id)))));
  const waiting = value(await spoolIn(folder).waiting());
  expect(waiting.map(({ marker }) => marker).toSorted()).toEqual(ids.toSorted());
});
