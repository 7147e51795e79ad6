import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { jsonOf, requestOf } from '../../support/otlp/requests.ts';
import { plimsoll, startPlimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const withinMs = 60_000;
const [first, second] = ['the-first-token-of-all', 'the-second-token-of-all'];
// This machine and no other, but written so that it does not look like it.
const asIfOpen = { PLIMSOLL_HOST: '127.1' };
const free = { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' };

const folderWith = (sources: string, mode: number): string => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder);
  writeFileSync(join(folder, 'sources.txt'), sources, { mode });
  return folder;
};

test(
  'a gateway takes telemetry of those whom its file names now, and warns of who may read it',
  { timeout: 2 * withinMs },
  async () => {
    const folder = folderWith(`shop ${first}\n`, 0o644);
    const env = { ...free, ...asIfOpen, PLIMSOLL_OTLP_SOURCES: 'sources.txt' };
    const gateway = startPlimsoll(folder, ['gateway'], env);
    await eventually('it runs', () => gateway.out().includes('ready'), withinMs);
    expect(gateway.out()).toContain('from 1 source, by token');
    expect(gateway.err()).toContain('others than its owner may read sources.txt');
    expect(gateway.err()).not.toContain('whoever sends it');
    const port = /OTLP\/HTTP at http:\/\/127\.1:(\d+)/.exec(gateway.out())?.[1] ?? '';
    const statusWith = async (token: string): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/metrics`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: Buffer.from(jsonOf(requestOf([]))),
      });
      return answer.status;
    };
    expect([await statusWith(first), await statusWith(second)]).toEqual([200, 401]);
    const edited = join(folder, 'edited.txt');
    writeFileSync(edited, `shop ${second}\n`);
    renameSync(edited, join(folder, 'sources.txt'));
    await eventually('the change is told', () => gateway.err().includes('was changed'), withinMs);
    expect([await statusWith(first), await statusWith(second)]).toEqual([401, 200]);
    gateway.signal('SIGTERM');
    const { exit, out, err } = await gateway.ended;
    expect(exit).toBe(0);
    expect(out + err).not.toContain('token-of-all');
  },
);

test(
  'one without sources says who is believed, where others can reach it',
  async () => {
    const folder = folderWith('', 0o600);
    const gateway = startPlimsoll(folder, ['gateway'], { ...free, ...asIfOpen });
    await eventually('it runs', () => gateway.out().includes('ready'), withinMs);
    gateway.signal('SIGTERM');
    const { err } = await gateway.ended;
    expect(err).toContain('telemetry is believed whoever sends it to 127.1: it needs no token');
    expect(err).toContain('PLIMSOLL_OTLP_SOURCES');
  },
  withinMs,
);

test(
  'one whose sources cannot be read does not start, and says where the fault is',
  async () => {
    const folder = folderWith(`shop ${first}\nCart ${second}\n`, 0o600);
    const env = { ...free, PLIMSOLL_OTLP_SOURCES: 'sources.txt' };
    const { exit, out, err } = await plimsoll(folder, ['gateway', '--json'], env);
    expect(exit).toBe(2);
    const lines = err.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      code: 'sources-invalid',
      message: expect.stringContaining('sources.txt: line 2: the name must be'),
      hint: expect.stringContaining('NAME TOKEN'),
    });
    expect(out + err).not.toContain('token-of-all');
  },
  withinMs,
);
