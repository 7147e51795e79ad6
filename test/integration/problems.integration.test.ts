import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultsOf } from '../support/cli-schemas.ts';
import { eventually } from '../support/eventually.ts';
import type { Ran } from '../support/plimsoll.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const onKafka = {
  PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
  PLIMSOLL_STORE: stack.redisUrl,
  PLIMSOLL_AUDIENCE: freshAudience(),
  PLIMSOLL_PORT: '0',
  PLIMSOLL_OTLP_PORT: '0',
};
/** Each command is a process of its own, and the machine is shared. */
const upWithinMs = 60_000;
const storyWithinMs = 240_000;

type Line = { readonly code: string; readonly [field: string]: unknown };
const linesOf = ({ out }: Ran): readonly Line[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

describe.each([
  ['on Kafka and Redis', onKafka],
  ['embedded', { PLIMSOLL_LOG: `sqlite:${join(folder, 'embedded')}` }],
])('%s', (_where, settings) => {
  const here = (...args: readonly string[]): Promise<Ran> => plimsoll(folder, args, settings);
  const checkout = ['--component-name=checkout', '--environment-name=production'];

  test(
    'what runs is held against what was deployed, and what is expected against what came',
    async () => {
      const logged = await here('release', 'log', ...checkout, '--target-version=latest', '--json');
      expect(logged.exit).toBe(0);
      const [receipt] = linesOf(logged);
      const started = await here('instance', 'start', ...checkout, '--target-version=7', '--json');
      expect(started).toMatchObject({ exit: 0 });
      const lost = ['--component-name=checkout', '--environment-name=prodution'];
      await here('instance', 'start', ...lost, '--target-version=7');
      const file = join(folder, 'expected.json');
      const expected = {
        component: 'checkout',
        environments: ['production', 'staging'],
        withinMinutes: 0.0001,
      };
      writeFileSync(file, JSON.stringify({ expected: [expected] }));
      const found = await here('problems', `--expected=${file}`, '--fail-on=alarm', '--json');
      for (const line of linesOf(found)) expect(faultsOf('problems', line)).toEqual([]);
      expect(found.exit).toBe(3);
      expect(linesOf(found).map(({ code }) => code)).toEqual([
        'expected-missing',
        'running-unclaimed',
        'tag-without-digest',
      ]);
      expect(linesOf(found)[2]?.['positions']).toEqual([receipt?.['position']]);

      const position = Number(receipt?.['position']);
      await here('release', 'log', ...checkout, '--target-version=2.0.0');
      const then = await here('current', `--at=${position + 1}`, '--json');
      expect(linesOf(then)).toMatchObject([{ known: 'then', version: 'latest' }]);
      expect(linesOf(await here('current', '--json'))).toMatchObject([{ version: '2.0.0' }]);
      const around = await here('timeline', `--around=${position + 1}`, '--json');
      expect(linesOf(around).map(({ heardAfter }) => heardAfter)).toEqual([false, true]);
    },
    storyWithinMs,
  );
});

describe('through a gateway on Kafka and Redis', () => {
  const up = startUp();
  test(
    'instances go in, are counted by its projector, and problems come out',
    async () => {
      const url = await up.url();
      const key = join(folder, 'plimsoll-data', 'keys', 'local.json');
      const remote = { ...onKafka, PLIMSOLL_URL: url, PLIMSOLL_KEY: key };
      const there = (...args: readonly string[]): Promise<Ran> => plimsoll(folder, args, remote);
      const place = ['--component-name=basket', '--environment-name=production'];
      const said = await there('instance', 'start', ...place, '--target-version=1', '--json');
      expect(faultsOf('instance-receipt', linesOf(said)[0])).toEqual([]);
      let lines: readonly Line[] = [];
      await eventually(
        'the instance is counted',
        async () => {
          lines = linesOf(await there('problems', '--component-name=basket', '--json'));
          return lines.length > 0;
        },
        upWithinMs,
      );
      expect(lines.map(({ code }) => code)).toEqual(['running-unclaimed']);
      for (const line of lines) expect(faultsOf('problems', line)).toEqual([]);
      expect((await there('current', '--at=3')).exit).toBe(2);
    },
    storyWithinMs,
  );
});

function startUp(): { readonly url: () => Promise<string> } {
  let running: ReturnType<typeof startPlimsoll> | undefined;
  beforeAll(() => {
    running = startPlimsoll(folder, ['up'], onKafka);
  });
  afterAll(async () => {
    running?.signal('SIGTERM');
    await running?.ended;
  });
  const found = (): string | undefined =>
    /gateway: (http:\/\/[0-9.]+:[0-9]+)$/m.exec(running?.out() ?? '')?.[1];
  return {
    url: async () => {
      await eventually('the gateway is up', () => found() !== undefined, upWithinMs);
      return found() ?? '';
    },
  };
}
