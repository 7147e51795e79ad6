import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../canary-climates/random.ts';
import type { Random } from '../../canary-climates/random.ts';
import { repositoryFolder } from '../../check-steps.ts';
import { freePort } from '../../stack/free-port.ts';
import type { OwnProcess } from '../../stack/own-process.ts';
import { startOwn } from '../../stack/own-process.ts';
import type { TcpProxy } from '../../stack/tcp-proxy.ts';
import { startTcpProxy } from '../../stack/tcp-proxy.ts';

// Many pipelines emit at once through one gateway that is killed, hung, slow and cut off, and are killed themselves.
// What one of them was told is kept or stored must be on the log in the end, and count once.

export type EmitCampaign = {
  readonly emits: number;
  readonly atOnce: number;
  readonly seed: number;
  readonly say: (line: string) => void;
};

export type EmitResult = {
  readonly emits: number;
  /** Killed with -9 before they ended. */
  readonly killed: number;
  readonly stored: number;
  readonly spooled: number;
  /** Of these, those that no disk kept in time: a line of the log held them. */
  readonly printed: number;
  /** Ended in their time with nothing stored or kept, and said so: a machine that is too busy to make the marker. */
  readonly unmade: number;
  /** Ended with another exit code than 0, or without a word of what became of it, although nobody killed them. */
  readonly failed: number;
  /** Reported as kept or stored, and not on the log. */
  readonly lost: number;
  /** On the log in more than one row. */
  readonly doubled: number;
  /** Killed before they said anything, and on the log all the same. */
  readonly unsaid: number;
  readonly gatewayFaults: number;
  readonly flushes: number;
  readonly seconds: number;
};

const script = join(repositoryFolder, 'services', 'cli', 'plimsoll.mjs');
/** Pipelines that share a folder share a spool. */
const folders = 8;
const components = 50;
const killedShare = 0.25;
const killWithinMs = 2_500;
const faultEveryMs = 700;
const flushRoundsMax = 50;

/** Runs it to its end; everything that it starts ends with it. Throws where the gateway does not start. */
export const runEmitCampaign = async ({
  emits,
  atOnce,
  seed,
  say,
}: EmitCampaign): Promise<EmitResult> => {
  const startedMs = performance.now();
  const random = seededRandom(seed, 1);
  const scratch = mkdtempSync(join(tmpdir(), 'plimsoll-emits-'));
  const street = await openStreet(scratch, random);
  try {
    const said = await emitAll(street, { emits, atOnce, random, say });
    await street.heal();
    say(
      `${said.length} emits are over; what they kept is delivered by flushes that are killed, too`,
    );
    const flushes = await flushAll(street, random);
    const printed = said.flatMap(({ line }) => (line === null ? [] : [line]));
    if (printed.length > 0) await street.flushLog(printed);
    const rows = await street.rows();
    const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1));
    return { ...tally(said, rows), gatewayFaults: street.faults(), flushes, seconds };
  } finally {
    await street.close();
    rmSync(scratch, { recursive: true, force: true });
  }
};

type Said = {
  readonly version: string;
  readonly delivery: string | null;
  readonly isKilled: boolean;
  readonly exit: number | null;
  /** Where no disk kept it in time: the line that holds it. */
  readonly line: string | null;
  readonly hasSaidWhy: boolean;
};

const tally = (
  said: readonly Said[],
  rows: readonly string[],
): Omit<EmitResult, 'gatewayFaults' | 'flushes' | 'seconds'> => {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  const count = (is: (one: Said) => boolean): number => said.filter(is).length;
  const isReported = ({ delivery }: Said): boolean =>
    delivery === 'stored' || delivery === 'spooled' || delivery === 'duplicate';
  const isUntold = (one: Said): boolean => !one.isKilled && !isReported(one) && one.line === null;
  return {
    emits: said.length,
    killed: count(({ isKilled }) => isKilled),
    stored: count(({ delivery }) => delivery === 'stored' || delivery === 'duplicate'),
    spooled: count(({ delivery }) => delivery === 'spooled'),
    printed: count(({ line }) => line !== null),
    unmade: count((one) => isUntold(one) && one.exit === 0 && one.hasSaidWhy),
    failed: count((one) => !one.isKilled && (one.exit !== 0 || (isUntold(one) && !one.hasSaidWhy))),
    lost: count((one) => isReported(one) && !counts.has(one.version)),
    doubled: [...counts.values()].filter((times) => times > 1).length,
    unsaid: count((one) => !isReported(one) && counts.has(one.version)),
  };
};

/** Pipelines, so many at once; each is a process, and some of them are killed. */
const emitAll = async (
  street: Street,
  {
    emits,
    atOnce,
    random,
    say,
  }: Pick<EmitCampaign, 'emits' | 'atOnce' | 'say'> & { readonly random: Random },
): Promise<readonly Said[]> => {
  const said: Said[] = [];
  let next = 0;
  const pipeline = async (): Promise<void> => {
    for (let at = next++; at < emits; at = next++) {
      const version = `${at}.0.0`;
      const killAfterMs = random() < killedShare ? random() * killWithinMs : null;
      const words = [
        ...['release', 'log', `--component-name=shop-${at % components}`],
        ...[`--target-version=${version}`, `--timeout=${1 + Math.floor(random() * 8)}s`, '--json'],
      ];
      const ran = await street.run(at % folders, words, killAfterMs);
      if (!ran.isKilled && ran.exit !== 0) say(`${version} ended with ${ran.exit}: ${ran.err}`);
      const { isKilled, exit } = ran;
      said.push({
        ...{ version, isKilled, exit },
        delivery: deliveryIn(ran.out),
        line: lineIn(ran.err),
        hasSaidWhy:
          ran.err.includes('nothing was stored or kept') || ran.err.includes('not done after'),
      });
      if (said.length % 100 === 0) say(`${said.length} of ${emits}`);
    }
  };
  const faults = street.hurt();
  await Promise.all(Array.from({ length: atOnce }, pipeline));
  await faults.stop();
  return said;
};

const deliveryIn = (out: string): string | null => {
  try {
    return (JSON.parse(out) as { readonly delivery: string }).delivery;
  } catch {
    return null;
  }
};

const lineIn = (err: string): string | null => /plimsoll-marker:v1:[^"\s]+/.exec(err)?.[0] ?? null;

/** Two flushes of each folder at once, some of them killed, until nothing waits anywhere. */
const flushAll = async (street: Street, random: Random): Promise<number> => {
  let flushes = 0;
  for (let round = 0; round < flushRoundsMax; round += 1) {
    const left = Array.from({ length: folders }, (_, at) => at).filter(
      (at) => street.waits(at) > 0,
    );
    if (left.length === 0) return flushes;
    for (const at of left) {
      const killAfterMs = (): number | null => (random() < 0.5 ? 300 + random() * 700 : null);
      flushes += 2;
      await Promise.all([
        street.run(at, ['flush', '--json'], killAfterMs()),
        street.run(at, ['flush', '--json'], round === 0 ? killAfterMs() : null),
      ]);
    }
  }
  return flushes;
};

type Street = {
  readonly run: (
    folder: number,
    words: readonly string[],
    killAfterMs: number | null,
  ) => Promise<{
    readonly out: string;
    readonly err: string;
    readonly exit: number | null;
    readonly isKilled: boolean;
  }>;
  /** Faults of gateway and network, one after the other, until it is stopped. */
  readonly hurt: () => { readonly stop: () => Promise<void> };
  readonly faults: () => number;
  readonly heal: () => Promise<void>;
  /** Markers in the spool of a folder. */
  readonly waits: (folder: number) => number;
  /** Delivers what stands in the log of a job. */
  readonly flushLog: (lines: readonly string[]) => Promise<void>;
  /** The version of each row of the timeline. */
  readonly rows: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

const openStreet = async (scratch: string, random: Random): Promise<Street> => {
  const home = join(scratch, 'home');
  mkdirSync(home);
  const port = await freePort();
  const base = {
    PATH: process.env['PATH'] ?? '',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(scratch, 'compiled'),
  };
  const startGateway = async (): Promise<OwnProcess> => {
    let isUp = false;
    const up = startOwn(process.execPath, [script, 'up'], home, {
      env: { ...base, PLIMSOLL_PORT: String(port), PLIMSOLL_OTLP_PORT: '0' },
      onLine: (line) => (isUp ||= line.includes('ready')),
    });
    let end: string | undefined;
    void up.exited.then((how) => (end = how));
    while (!isUp) {
      if (end !== undefined) throw new Error(`the gateway ${end}: ${up.lastOutput()}`);
      await sleep(20);
    }
    return up;
  };
  let gateway = await startGateway();
  const proxy: TcpProxy = await startTcpProxy({ host: '127.0.0.1', port });
  const env = {
    ...base,
    PLIMSOLL_URL: `http://127.0.0.1:${proxy.port}`,
    PLIMSOLL_KEY: join(home, 'plimsoll-data', 'keys', 'local.json'),
  };
  const folderOf = (at: number): string => join(scratch, `pipeline-${at}`);
  for (let at = 0; at < folders; at += 1) mkdirSync(folderOf(at));
  let faults = 0;

  const heal = async (): Promise<void> => {
    proxy.heal();
    gateway.resume();
  };
  const kinds: readonly (() => Promise<void>)[] = [
    async () => proxy.refuse(),
    async () => proxy.halfOpen(),
    async () => proxy.hold(),
    async () => proxy.slow(400, 100),
    async () => proxy.cut(),
    async () => void proxy.dropAnswer(),
    async () => gateway.pause(),
    async () => {
      await gateway.kill();
      gateway = await startGateway();
    },
  ];
  const run: Street['run'] = (folder, words, killAfterMs) =>
    new Promise((done) => {
      const child = spawn(process.execPath, [script, ...words], {
        cwd: folder < 0 ? home : folderOf(folder),
        env: folder < 0 ? base : env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      let err = '';
      let isKilled = false;
      child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      const timer =
        killAfterMs === null
          ? undefined
          : setTimeout(() => (isKilled = child.kill('SIGKILL')), killAfterMs);
      child.once('close', (exit) => {
        clearTimeout(timer);
        done({ out, err, exit, isKilled: isKilled && exit === null });
      });
    });

  return {
    run,
    hurt: () => {
      let isOver = false;
      const over = (async (): Promise<void> => {
        while (!isOver) {
          const kind = kinds[Math.floor(random() * kinds.length)];
          faults += 1;
          await kind?.();
          await sleep(random() * faultEveryMs * 2);
          await heal();
          await sleep(random() * faultEveryMs);
        }
      })();
      return {
        stop: async () => {
          isOver = true;
          await over;
        },
      };
    },
    faults: () => faults,
    heal,
    waits: (at) => {
      try {
        const spool = join(folderOf(at), 'plimsoll-data', 'spool');
        return readdirSync(spool, { recursive: true }).filter(
          (name) => String(name).endsWith('.marker') && !String(name).includes('refused'),
        ).length;
      } catch {
        return 0;
      }
    },
    flushLog: async (lines) => {
      writeFileSync(join(folderOf(0), 'job.log'), lines.join('\n'));
      await run(0, ['flush', '--from-log=job.log'], null);
    },
    rows: async () => {
      const { out } = await run(-1, ['timeline', '--json'], null);
      return out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { readonly version: string }).version);
    },
    close: async () => {
      await heal();
      await gateway.stop();
      await proxy.close();
    },
  };
};
