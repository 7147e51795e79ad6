import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openTools } from '../../adapters/foundation/basis.ts';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import { openGeneration, rebuild } from '../../projector/catch-up.ts';
import type { ProjectionPorts } from '../../ports/projecting.ts';
import type { Random } from '../canary-climates/random.ts';
import { seededRandom } from '../canary-climates/random.ts';
import { freePort } from '../stack/free-port.ts';
import { removeFolder, removeFolderOnExit, startOwn } from '../stack/own-process.ts';
import type { OwnProcess } from '../stack/own-process.ts';
import { findProgram } from '../stack/prerequisites.ts';
import type { Say } from '../stack/problem.ts';
import { openGrowingLog } from './aof-log.ts';
import type { GrowingLog } from './aof-log.ts';
import { difference, openPureFold } from './pure-fold.ts';
import type { PureFold } from './pure-fold.ts';

// What a machine that loses its power leaves of Redis: an append-only file that ends anywhere.

export type CutsOptions = {
  readonly cuts: number;
  readonly seed: number;
  readonly say: Say;
  readonly stop: AbortSignal;
};

export type Cuts = {
  /** How many were made; fewer than asked where it was stopped, or a cut was not clean. */
  readonly cuts: number;
  readonly clean: number;
  /** After how many nothing was left at all. */
  readonly empty: number;
  readonly seconds: number;
  /** What was wrong, with the seed and offset that show it again; null where all were clean. */
  readonly problem: string | null;
};

const audience = 'cuts';
const cutsPerFile = 250;
const recordsMin = 150;
const recordsMax = 450;
const batchRecordsMax = 40;
const startWithinMs = 20_000;
const sayEveryMs = 2_000;

/**
 * Cuts append-only files that the product's own commits wrote at random bytes, starts a Redis on what is left, and
 * looks: what it holds must be what the records before its checkpoint give, or nothing; and a projector must come to
 * the right end from there.
 */
export const cutAppendOnlyFiles = async (options: CutsOptions): Promise<Cuts> => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-cuts-'));
  removeFolderOnExit(folder);
  const startedMs = performance.now();
  const tools = openTools();
  const port = await freePort();
  let cuts = 0;
  let clean = 0;
  let empty = 0;
  let saidAtMs = startedMs;
  let problem: string | null = null;
  while (cuts < options.cuts && problem === null && !options.stop.aborted) {
    const file = Math.floor(cuts / cutsPerFile);
    const random = seededRandom(options.seed, file);
    const written = await writeFileOf(join(folder, `written-${file}`), port, tools, random);
    for (let at = 0; at < cutsPerFile && cuts < options.cuts; at += 1) {
      if (options.stop.aborted) break;
      const offset = pickOffset(written, random);
      const found = await tryCut(join(folder, 'cut'), port, tools, written, offset);
      cuts += 1;
      if (found.problem !== null) {
        problem = `file ${file}, cut at byte ${offset} of ${written.bytes}: ${found.problem}`;
        break;
      }
      clean += 1;
      if (found.next === 0) empty += 1;
      if (performance.now() - saidAtMs > sayEveryMs) {
        saidAtMs = performance.now();
        options.say(`${cuts} of ${options.cuts} cuts, all clean`);
      }
    }
  }
  if (problem === null) removeFolder(folder);
  return { cuts, clean, empty, seconds: (performance.now() - startedMs) / 1000, problem };
};

type Written = {
  /** Holds `appendonlydir`. */
  readonly folder: string;
  readonly growing: GrowingLog;
  readonly fold: PureFold;
  readonly bytes: number;
  /** Where a transaction begins or ends. */
  readonly seams: readonly number[];
};

/** Lets the product write an append-only file: commits of all sizes, a rebuild, and sometimes a rewrite by Redis. */
const writeFileOf = async (
  folder: string,
  port: number,
  tools: CheckTools,
  random: Random,
): Promise<Written> => {
  mkdirSync(folder, { recursive: true });
  const redis = await startRedis(folder, port);
  const growing = await openGrowingLog(audience, tools, random);
  const store = must(await openStore(port));
  const ports = portsOf(growing, store, tools);
  const records = recordsMin + Math.floor(random() * (recordsMax - recordsMin));
  const rebuildAt = records * random();
  const rewriteAt = random() < 0.5 ? records * random() : Number.POSITIVE_INFINITY;
  const due = { rebuild: true, rewrite: true };
  while (growing.records.length < records) {
    await growing.grow(1 + Math.floor(random() * batchRecordsMax));
    must(await openGeneration(ports));
    if (due.rebuild && growing.records.length > rebuildAt) {
      due.rebuild = false;
      must(await rebuild(ports));
    }
    if (due.rewrite && growing.records.length > rewriteAt) {
      due.rewrite = false;
      await rewrite(port);
    }
  }
  await store.close();
  await redis.stop();
  const content = readFileSync(tailOf(folder));
  return {
    folder,
    growing,
    fold: openPureFold(growing.records, audience, tools),
    bytes: content.length,
    seams: seamsOf(content),
  };
};

const rewriteTriesMax = 200;
const rewriteLookMs = 20;

/** The file so far becomes the base, and a new incremental file begins. */
const rewrite = async (port: number): Promise<void> => {
  const cli = findProgram('redis-cli') ?? 'redis-cli';
  const ask = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(cli, ['-p', String(port), ...words])).stdout;
  await ask('BGREWRITEAOF');
  for (let tries = 0; tries < rewriteTriesMax; tries += 1) {
    const info = await ask('INFO', 'persistence');
    if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) return;
    await sleep(rewriteLookMs);
  }
  throw new Error('Redis does not finish its rewrite');
};

const seamsOf = (content: Buffer): readonly number[] => {
  const seams: number[] = [];
  for (const word of ['*1\r\n$5\r\nMULTI\r\n', '*1\r\n$4\r\nEXEC\r\n'])
    for (let at = content.indexOf(word); at !== -1; at = content.indexOf(word, at + 1))
      seams.push(at, at + word.length);
  return seams;
};

/** Anywhere; or in the last twentieth; or within a few bytes of a seam. */
const pickOffset = ({ bytes, seams }: Written, random: Random): number => {
  const way = random();
  if (way < 0.5 || seams.length === 0) return Math.floor(random() * bytes);
  if (way < 0.75) return bytes - 1 - Math.floor((random() * bytes) / 20);
  const seam = seams[Math.floor(random() * seams.length)] ?? 0;
  return Math.min(bytes - 1, Math.max(0, seam + Math.floor(random() * 60) - 30));
};

const tryCut = async (
  folder: string,
  port: number,
  tools: CheckTools,
  written: Written,
  offset: number,
): Promise<{ readonly next: number; readonly problem: string | null }> => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(written.folder, 'appendonlydir'), join(folder, 'appendonlydir'), { recursive: true });
  truncateSync(tailOf(folder), offset);
  const redis = await startRedis(folder, port);
  try {
    const store = must(await openStore(port));
    const held = await judge(store, written);
    if (held.problem !== null) return held;
    const continued = await openGeneration(portsOf(written.growing, store, tools));
    if (!continued.ok) return { next: held.next, problem: `stopped: ${continued.problem.message}` };
    const dump = must(await store.dump(continued.value.generation));
    const differs = difference(dump, written.fold.dumpAt(written.growing.records.length));
    await store.close();
    return {
      next: held.next,
      problem: differs.length === 0 ? null : `after going on:\n${differs.join('\n')}`,
    };
  } finally {
    await redis.kill();
  }
};

/** Whether every generation is what the records before its checkpoint give. */
const judge = async (
  store: ReadModelStore,
  { fold }: Written,
): Promise<{ readonly next: number; readonly problem: string | null }> => {
  let highest = 0;
  const generations = must(await store.generations());
  const current = must(await store.current());
  if (current !== undefined && !generations.includes(current))
    return { next: 0, problem: `readers are pointed to ${current}, which is not there` };
  for (const generation of generations) {
    const next = must(await store.checkpoint(generation))?.next ?? 0;
    highest = Math.max(highest, next);
    const expected = next === 0 ? [] : fold.dumpAt(next);
    const differs = difference(must(await store.dump(generation)), expected);
    if (differs.length > 0)
      return { next, problem: `${generation} at ${next}:\n${differs.join('\n')}` };
  }
  return { next: highest, problem: null };
};

const portsOf = (
  growing: GrowingLog,
  store: ReadModelStore,
  tools: CheckTools,
): ProjectionPorts => ({ log: growing.log, store, tools, audience, pinnedLogId: null });

const openStore = (port: number): ReturnType<typeof openRedisReadModelStore> =>
  openRedisReadModelStore({ url: `redis://127.0.0.1:${port}`, audience, orderedModels });

/** The incremental file that is written to: the one with the highest number. */
const tailOf = (folder: string): string => {
  const files = readdirSync(join(folder, 'appendonlydir'));
  const numberOf = (name: string): number => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? -1);
  const tail = files.toSorted((a, b) => numberOf(b) - numberOf(a))[0];
  if (tail === undefined || numberOf(tail) === -1) throw new Error('Redis wrote no file');
  return join(folder, 'appendonlydir', tail);
};

/** Resolves when it has loaded its file: a Redis that cannot load it ends, and that is told with its last words. */
const startRedis = async (folder: string, port: number): Promise<OwnProcess> => {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'no',
    'aof-load-truncated': 'yes',
    'auto-aof-rewrite-percentage': '0',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const redis = startOwn(findProgram('redis-server') ?? 'redis-server', args, folder);
  let ended: string | undefined;
  void redis.exited.then((how) => (ended = how));
  const deadlineMs = performance.now() + startWithinMs;
  while (!(await answersPing(port))) {
    if (ended !== undefined)
      throw new Error(`Redis does not load its file (${ended}):\n${redis.lastOutput()}`);
    if (performance.now() > deadlineMs) throw new Error('Redis does not answer');
    await sleep(3);
  }
  return redis;
};

/** Plain bytes on a plain socket: a client library would wait longer than a Redis needs to start. */
const answersPing = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (bytes) => end(bytes.toString().startsWith('+PONG')));
    socket.on('error', () => end(false));
    socket.on('close', () => resolve(false));
  });

const must = <Value>(result: Result<Value, { readonly message: string }>): Value => {
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
};
