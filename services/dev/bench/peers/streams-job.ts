import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { schemaDigest } from '../../../adapters/avro/canonical-form.ts';
import { loadSchemas } from '../../../adapters/avro/schema-files.ts';
import { startOwn } from '../../stack/own-process.ts';
import { findProgram } from '../../stack/prerequisites.ts';
import { benchCache } from '../corpus.ts';
import { processMemoryPeakMb } from '../process-usage.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('streams', import.meta.url));
const sourceFiles = ['pom.xml', 'src/main/java/DedupeAndMaterialise.java'];
const heap = '512m';

/** Kafka Streams' own words: with `exactly_once_v2` state and position are one step, as ours are. */
export type Guarantee = 'exactly_once_v2' | 'at_least_once';

export type StreamsRun = {
  /** From the first record to the last commit; the start of the JVM is not in it. */
  readonly records: number;
  readonly kept: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly memoryPeakMb: number;
};

/** What is missing to build and run the job; undefined: nothing. */
export const streamsMissing = (): string | undefined => {
  const missing = ['java', 'javac', 'mvn'].filter((name) => findProgram(name) === undefined);
  return missing.length === 0
    ? undefined
    : `no ${missing.join(', ')}: apt-get install openjdk-17-jdk-headless maven`;
};

/** Builds the job with Maven into the cache folder, if it is not there. Answers its class path. */
export const buildStreamsJob = async (): Promise<string> => {
  const digest = createHash('sha256');
  for (const file of sourceFiles) digest.update(readFileSync(join(source, file)));
  const cache = benchCache();
  const folder = join(cache, `streams-${digest.digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) {
    console.error('building the Kafka Streams job with Maven, once (97 MB of jars)');
    mkdirSync(cache, { recursive: true });
    const unfinished = mkdtempSync(join(cache, 'unfinished-'));
    try {
      cpSync(source, unfinished, { recursive: true });
      const goals = ['package', 'dependency:copy-dependencies', '-DoutputDirectory=libs'];
      await run(findProgram('mvn') ?? 'mvn', ['-q', '-B', ...goals, '-DincludeScope=runtime'], {
        cwd: unfinished,
      });
      if (!existsSync(folder)) renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return [join(folder, 'target', 'streams-peer-1.jar'), join(folder, 'libs', '*')].join(':');
};

/** Runs the job over the whole topic with empty state. Rejects when it ends without a result. */
export const runStreamsJob = async (
  classPath: string,
  {
    brokers,
    topic,
    folder,
  }: { readonly brokers: readonly string[]; readonly topic: string; readonly folder: string },
  guarantee: Guarantee,
): Promise<StreamsRun> => {
  const state = mkdtempSync(join(folder, 'streams-'));
  const schemas = join(state, 'schemas.tsv');
  writeFileSync(
    schemas,
    loadSchemas()
      .map(({ text }) => `${schemaDigest(text)}\t${text.replaceAll(/\s+/g, ' ')}\n`)
      .join(''),
  );
  const result = Promise.withResolvers<Omit<StreamsRun, 'memoryPeakMb'>>();
  const job = startOwn(
    findProgram('java') ?? 'java',
    [
      ...[`-Xmx${heap}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', classPath],
      ...['DedupeAndMaterialise', brokers.join(','), topic, `peer-${randomUUID()}`],
      ...[join(state, 'state'), guarantee, schemas],
    ],
    folder,
    {
      onLine: (line) => {
        if (line.startsWith('{'))
          result.resolve(JSON.parse(line) as Omit<StreamsRun, 'memoryPeakMb'>);
      },
    },
  );
  void job.exited.then((how) =>
    result.reject(new Error(`the Kafka Streams job ended (${how}):\n${job.lastOutput()}`)),
  );
  try {
    const told = await result.promise;
    return { ...told, memoryPeakMb: processMemoryPeakMb(job.pid) };
  } finally {
    await job.kill();
    rmSync(state, { recursive: true, force: true });
  }
};
