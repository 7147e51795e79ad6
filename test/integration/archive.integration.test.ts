import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, test, vi } from 'vitest';
import { faultsOf } from '../support/cli-schemas.ts';
import { plimsoll } from '../support/plimsoll.ts';
import type { Env } from '../support/bare-env.ts';
import type { Ran } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// The archive as an operator uses it: the real command, a real Kafka that forgets, read models made anew.

const { kafkaBrokers, redisUrl } = sharedStack();
const scratch = scratchFolder();
vi.setConfig({ testTimeout: 180_000 });

const line = ({ out }: Ran): { readonly [field: string]: unknown } =>
  JSON.parse(out) as { readonly [field: string]: unknown };

const installation = (): {
  readonly env: Env;
  readonly audience: string;
  readonly topic: string;
  readonly run: (args: readonly string[], over?: Env) => Promise<Ran>;
} => {
  const audience = freshAudience();
  const folder = join(scratch, randomUUID());
  const env = {
    PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
    PLIMSOLL_STORE: redisUrl,
    PLIMSOLL_AUDIENCE: audience,
  };
  return {
    env,
    audience,
    topic: `plimsoll.${audience}.log`,
    run: (args, over = {}) => plimsoll(folder, args, { ...env, ...over }),
  };
};

const release = (version: string): readonly string[] => [
  ...['release', 'log', '--component-name=shop', '--environment-name=production'],
  ...[`--target-version=${version}`, '--timeout=60s'],
];

/** What an operator does to a topic that grows too large. */
const forget = async (topic: string, before: number): Promise<void> => {
  const admin = new Kafka({ brokers: [...kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // kafkajs asks for the leader only where it has looked at the topic before.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(before) }] });
  await admin.disconnect();
};

describe('a log on Kafka that forgets its beginning', () => {
  test('is archived before, and rebuilt from the archive and what is left', async () => {
    const { run, topic } = installation();
    for (const version of ['1.0.0', '2.0.0', '3.0.0'])
      expect((await run(release(version))).exit).toBe(0);
    const archived = await run(['archive', '--to=archive', '--json']);
    expect([archived.exit, faultsOf('archive', line(archived))]).toEqual([0, []]);
    expect(line(archived)).toMatchObject({ topic, to: 7, added: { records: 7 }, operation: 7 });
    const again = await run(['archive', '--to=archive', '--json']);
    expect(line(again)).toMatchObject({ to: 7, added: { records: 0 }, operation: 7 });
    expect((await run(release('4.0.0'))).exit).toBe(0);
    const before = (await run(['timeline', '--json'])).out;

    await forget(topic, 7);
    const alone = await run(['rebuild', '--reason=drill', '--json']);
    expect([alone.exit, alone.err]).toEqual([
      1,
      expect.stringMatching(/begins at position 7 now; 0 is gone.*PLIMSOLL_ARCHIVE=FOLDER/s),
    ]);
    const withArchive = { PLIMSOLL_ARCHIVE: 'archive' };
    const rebuilt = await run(['rebuild', '--reason=drill', '--json'], withArchive);
    expect(rebuilt.exit).toBe(0);
    expect((await run(['timeline', '--json'])).out).toBe(before);
    const exported = await run(['export'], withArchive);
    const lines = exported.out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { readonly position: number });
    // The rebuild, too, leaves its operation on the log.
    const end = lines.length;
    expect(end).toBeGreaterThanOrEqual(9);
    expect(lines.map(({ position }) => position)).toEqual(lines.map((_, position) => position));
    for (const one of lines) expect(faultsOf('export', one)).toEqual([]);

    const later = await run(['archive', '--to=archive', '--json']);
    expect(line(later)).toMatchObject({ to: end, added: { from: 7, records: end - 7 } });
    const verified = await run(['archive', 'verify', 'archive', '--signatures', '--json']);
    expect([verified.exit, faultsOf('archive-verify', line(verified))]).toEqual([0, []]);
    expect(line(verified)).toMatchObject({ to: end, signatures: { good: end, bad: {} } });
  });

  test('and whose archive is another log, or does not reach, is refused by name', async () => {
    const { run, topic } = installation();
    for (const version of ['1.0.0', '2.0.0']) expect((await run(release(version))).exit).toBe(0);
    expect((await run(['archive', '--to=archive'])).exit).toBe(0);
    expect((await run(release('3.0.0'))).exit).toBe(0);
    expect((await run(['current'])).exit).toBe(0);
    await forget(topic, 7);
    const code = async (env: Env): Promise<readonly unknown[]> => {
      const { exit, err } = await run(['rebuild', '--reason=drill', '--json'], env);
      return [exit, (JSON.parse(err.trim().split('\n').at(-1) ?? '') as { code: string }).code];
    };
    expect(await code({ PLIMSOLL_ARCHIVE: 'archive' })).toEqual([3, 'seam-gap']);
    expect(await code({ PLIMSOLL_ARCHIVE: 'nowhere' })).toEqual([4, 'archive-missing']);
    const gap = await run(['archive', '--to=archive', '--json']);
    expect([gap.exit, gap.err]).toEqual([3, expect.stringContaining('archive-gap')]);
  });
});
