import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { avscType } from '../../adapters/avro/avsc-type.ts';
import { schemaDigest } from '../../adapters/avro/canonical-form.ts';
import { loadSchemas } from '../../adapters/avro/schema-files.ts';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import type { LogRecord } from '../../core/log/record.ts';
import type { ProjectionPorts } from '../../ports/projecting.ts';
import type { Generation, ReadModelStore, Step } from '../../ports/read-model-store.ts';
import {
  checkedAgainShare,
  foldToEnd,
  openGeneration,
  rebuildRecordsMax,
} from '../../projector/catch-up.ts';
import type { Bench } from './bench.ts';
import { benchCorpus, valueOf } from './corpus.ts';
import type { Corpus } from './corpus.ts';
import { childrenCpuMicros } from './process-usage.ts';

const plimsoll = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const nodeFlags = ['--disable-warning=ExperimentalWarning'];
const tellEveryRecords = 100_000;
/** Records that are decoded, or stored, over and over: reading them all into memory says no more. */
const decodedRecords = 20_000;

/**
 * The whole command `plimsoll current`, as a process of its own, on a log of many markers whose read models are up to
 * date and on an empty one. Nothing else runs. CPU is that of the command.
 */
export const currentEmbedded = (markers: number): Bench => {
  let folder = '';
  let full: Corpus | undefined;
  const run = async (log: string, audience: string): Promise<number> => {
    const env = { PATH: process.env['PATH'], PLIMSOLL_LOG: log, PLIMSOLL_AUDIENCE: audience };
    const child = spawn(process.execPath, [...nodeFlags, plimsoll, 'current'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code !== 0) throw new Error(`plimsoll current ended with ${String(code)}: ${told}`);
    return 1;
  };
  const ofMany = `current, ${markers} markers`;
  const ofNone = 'current, empty log';
  return {
    name: 'current-embedded',
    unit: 'command',
    alternatives: [
      { name: ofMany, run: () => run(`sqlite:${join(full?.folder ?? '', 'data')}`, 'bench') },
      { name: ofNone, run: () => run(`sqlite:${join(folder, 'data')}`, 'local') },
    ],
    ratios: [{ name: `current-embedded: ${markers} markers / none`, of: ofMany, over: ofNone }],
    open: async () => {
      folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
      full = await benchCorpus(markers);
      await withCorpus(full, async (ports) => {
        valueOf(await openGeneration(ports, { onProgress: tell('folding', markers) }));
      });
    },
    extraCpuMicros: async () => childrenCpuMicros(),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
};

type Running = {
  readonly foundation: Foundation;
  readonly ports: ProjectionPorts;
  /** Names of its generations count on from here. */
  readonly generationsFrom: number;
  readonly decode: () => number;
  readonly steps: readonly Step[];
};

/**
 * A rebuild of the same file as `plimsoll rebuild` makes it, beside avsc alone, which decodes the values and does nothing
 * with them, and beside the two ends of a rebuild alone: the same log is read, and the rows that a rebuild made of it
 * are written with the same promises.
 */
export const rebuildEmbedded = (markers: number): Bench => {
  let open: Running | undefined;
  let rebuilds = 0;
  const running = (): Running => {
    if (open === undefined) throw new TypeError('the bench is not open');
    return open;
  };
  const rebuilt = 'rebuild, checks remembered';
  const bare = 'bare Avro decoding';
  const stored = 'the log read and the finished rows written, nothing else';
  const generation = (): string => `g${running().generationsFrom + rebuilds}`;
  const tidy = async (): Promise<void> => valueOf(await running().ports.store.drop(generation()));
  return {
    name: 'rebuild-embedded',
    unit: 'record',
    alternatives: [
      { name: bare, run: () => running().decode() },
      {
        name: rebuilt,
        run: async () => {
          const { ports } = running();
          rebuilds += 1;
          const { state } = valueOf(
            await foldToEnd(ports, generation(), {
              isNew: true,
              recordsMax: rebuildRecordsMax,
              checks: {
                aside: ports.store.aside,
                sampleShare: checkedAgainShare,
                seed: rebuilds,
              },
            }),
          );
          return state.next;
        },
        tidy,
      },
      {
        name: stored,
        run: () => {
          rebuilds += 1;
          return readAndWrite(running(), generation());
        },
        tidy,
      },
    ],
    // Below the line stands the slower one: the ratio is the share of the bare rate that is left.
    ratios: [
      { name: 'rebuild-embedded: rate / rate of bare Avro decoding', of: bare, over: rebuilt },
      { name: 'rebuild-embedded: rate / rate of reading and writing', of: stored, over: rebuilt },
    ],
    notes: () => [`${markers} markers`],
    open: async () => {
      const { settings } = await benchCorpus(markers);
      const foundation = openFoundation(settings);
      const ports = await portsOf(foundation);
      const { generation: current } = valueOf(
        await openGeneration(ports, { onProgress: tell('folding', markers) }),
      );
      // Of a bench that was killed.
      for (const name of valueOf(await ports.store.generations()))
        if (name !== current) valueOf(await ports.store.drop(name));
      // Whatever name the one in use has, none of ours is it.
      const generationsFrom = Number(current.slice(1)) + 1_000;
      const steps = await stepsOf(ports, `g${generationsFrom}`);
      open = { foundation, ports, generationsFrom, decode: await decoder(ports), steps };
    },
    close: async () => {
      const closing = open?.foundation;
      open = undefined;
      await closing?.close();
    },
  };
};

/** Decodes the values of some records with the bare library; answers how many. */
const decoder = async ({ log, tools }: ProjectionPorts): Promise<() => number> => {
  const records: LogRecord[] = [];
  while (records.length < decodedRecords) {
    const more = valueOf(await log.read(0, records.length, 1_000));
    if (more.length === 0) break;
    records.push(...more);
  }
  const types = new Map(loadSchemas().map(({ text }) => [schemaDigest(text), avscType(text)]));
  const values = records.map(({ headers, value }) => {
    const digest = headers.find(({ name }) => name === 'plimsoll-schema')?.value;
    const type = types.get(tools.text.decodeUtf8(digest ?? new Uint8Array()) ?? '');
    if (type === undefined) throw new TypeError('a record of ours has no known schema');
    return { type, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
  });
  return () => {
    for (const { type, value } of values) type.fromBuffer(value);
    return values.length;
  };
};

/** What a rebuild of some records commits. */
const stepsOf = async (ports: ProjectionPorts, into: Generation): Promise<readonly Step[]> => {
  const steps: Step[] = [];
  const store: ReadModelStore = {
    ...ports.store,
    commit: (generation, step) => {
      steps.push(step);
      return ports.store.commit(generation, step);
    },
  };
  const how = { isNew: true, recordsMax: rebuildRecordsMax, to: decodedRecords };
  valueOf(await foldToEnd({ ...ports, store }, into, how));
  valueOf(await store.drop(into));
  return steps;
};

const readAndWrite = async (
  { ports: { log, store }, steps }: Running,
  generation: string,
): Promise<number> => {
  let next = 0;
  for (const step of steps) {
    const records = valueOf(await log.read(0, next, step.to.next - next));
    if (valueOf(await store.commit(generation, step)) !== 'committed')
      throw new TypeError('a step of ours was refused');
    next += records.length;
  }
  return next;
};

const withCorpus = async (
  { settings }: Corpus,
  work: (ports: ProjectionPorts) => Promise<void>,
): Promise<void> => {
  const foundation = openFoundation(settings);
  try {
    await work(await portsOf(foundation));
  } finally {
    await foundation.close();
  }
};

const portsOf = async ({
  stream,
  store,
  tools,
  settings,
}: Foundation): Promise<ProjectionPorts> => ({
  log: valueOf(await stream('log')),
  store: valueOf(await store()),
  tools,
  audience: settings.audience,
  pinnedLogId: null,
});

/** Says how far the first fold of a corpus is: it is made once. */
const tell = (what: string, markers: number): ((progress: { readonly next: number }) => void) => {
  let told = 0;
  return ({ next }) => {
    if (next < told + tellEveryRecords) return;
    told = next;
    console.error(`${what} ${markers} markers, once: ${next}`);
  };
};
