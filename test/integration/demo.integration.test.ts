import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeFlags, repositoryFolder } from '../../services/dev/check-steps.ts';
import { bareEnv } from '../support/bare-env.ts';
import { eventually } from '../support/eventually.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { sharedStack } from '../support/stack.ts';

const demoWithinMs = 180_000;
const scratch = scratchFolder();

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };
type Running = {
  readonly interrupt: () => void;
  readonly told: () => string;
  readonly ended: Promise<Ended>;
};

/** The demo, as `npm run demo` starts it. Whatever it makes is made in the scratch folder. */
const startDemo = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Running => {
  const child = spawn(
    process.execPath,
    [...nodeFlags, join(repositoryFolder, 'services', 'dev', 'demo', 'main.ts'), ...args],
    { env: { ...bareEnv(), TMPDIR: scratch, ...env } },
  );
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return {
    interrupt: () => child.kill('SIGINT'),
    told: () => out + err,
    ended: new Promise((done) => {
      child.on('close', (code) => done({ code, out, err }));
    }),
  };
};

/** Processes that were given the scratch folder, and so were started by a demo of this file. */
const processesLeft = (): readonly string[] =>
  readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(scratch);
    } catch {
      return false; // It ended meanwhile, or is not ours to look at.
    }
  });

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

const rolledBack = (foundation: 'embedded' | 'stack'): object => ({
  decision: 'roll-back',
  deployment: uuid,
  verdict: 'fail',
  markers: expect.any(Number),
  detectedAfterMs: expect.any(Number),
  elapsedMs: expect.any(Number),
  foundation,
});

const expectNothingLeft = async (): Promise<void> => {
  expect(readdirSync(scratch)).toEqual([]);
  if (process.platform === 'linux')
    await eventually('all its processes are gone', () => processesLeft().length === 0);
};

describe('the demo', () => {
  test(
    'rolls a buggy canary back, and says so in one line',
    { timeout: demoWithinMs },
    async () => {
      const { code, out, err } = await startDemo(['--json', '--seed', '7']).ended;
      expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
      expect(JSON.parse(out)).toEqual(rolledBack('embedded'));
      expect(err).toContain('Decision: roll-back');
      await expectNothingLeft();
    },
  );

  test('promotes a good one', { timeout: demoWithinMs }, async () => {
    const { code, out, err } = await startDemo(['--json', '--healthy']).ended;
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual({
      ...rolledBack('embedded'),
      decision: 'promote',
      verdict: 'pass',
      detectedAfterMs: null,
    });
    await expectNothingLeft();
  });

  test('does the same on Kafka and Redis', { timeout: demoWithinMs }, async () => {
    const { kafkaBrokers, redisUrl } = sharedStack();
    const { code, out, err } = await startDemo(['--json', '--stack'], {
      PLIMSOLL_TEST_KAFKA: kafkaBrokers.join(','),
      PLIMSOLL_TEST_REDIS: redisUrl,
    }).ended;
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual(rolledBack('stack'));
    await expectNothingLeft();
  });

  test('leaves nothing behind when it is interrupted', { timeout: demoWithinMs }, async () => {
    const demo = startDemo([]);
    await eventually(
      'customers come',
      () => demo.told().includes('customers a second'),
      demoWithinMs,
    );
    demo.interrupt();
    expect((await demo.ended).code).toBe(130);
    await expectNothingLeft();
  });

  test.runIf(process.platform === 'linux')(
    'says what happened where it comes to no decision',
    { timeout: demoWithinMs },
    async () => {
      const demo = startDemo(['--json']);
      await eventually(
        'customers come',
        () => demo.told().includes('customers a second'),
        demoWithinMs,
      );
      const [services] = processesLeft().filter((id) =>
        readFileSync(`/proc/${id}/cmdline`, 'utf8').endsWith('plimsoll.mjs\0up\0'),
      );
      process.kill(Number(services), 'SIGKILL');
      const { code, out, err } = await demo.ended;
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toContain('plimsoll up ended: signal SIGKILL');
      expect(err).toContain('ready; Ctrl-C stops');
      await expectNothingLeft();
    },
  );

  test('refuses a flag that it does not know, and starts nothing', async () => {
    const { code, out, err } = await startDemo(['--helthy']).ended;
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('--helthy');
  });
});
