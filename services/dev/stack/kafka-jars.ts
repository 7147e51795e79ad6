import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram, needPrograms } from './prerequisites.ts';
import type { Environment } from './prerequisites.ts';
import { StackProblem, tellIfSlow } from './problem.ts';
import type { Say } from './problem.ts';

const run = promisify(execFile);
const pomFile = fileURLToPath(new URL('pom.xml', import.meta.url));
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

export type KafkaJars = { readonly folder: string; readonly version: string };

/**
 * The folder with Kafka's jars (54 MB) in the user's cache; fetched with Maven the first time. Its name holds the
 * digest of pom.xml. Filled under another name and renamed: a folder that is there is complete, and of two that
 * fetch at once the first wins.
 */
export async function kafkaJars(env: Environment, say: Say): Promise<KafkaJars> {
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plimsoll');
  const digest = createHash('sha256').update(readFileSync(pomFile)).digest('hex');
  const folder = join(cache, `kafka-${digest}`);
  if (!existsSync(folder)) {
    await needPrograms(['mvn'], env, say);
    await tellIfSlow(say, 'fetching Kafka (54 MB of jars) with Maven', fetchInto(cache, folder));
  }
  return { folder, version: versionIn(folder) };
}

async function fetchInto(cache: string, folder: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'kafka-unfinished-'));
  const mvn = findProgram('mvn') ?? 'mvn';
  try {
    await run(mvn, [
      '-q',
      '-B',
      '-C',
      '-f',
      pomFile,
      copyDependencies,
      `-DoutputDirectory=${unfinished}`,
    ]);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (existsSync(folder)) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StackProblem('not-started', `Maven could not fetch Kafka's jars: ${reason}`);
  }
}

function versionIn(folder: string): string {
  for (const name of readdirSync(folder)) {
    const version = /^kafka_[\d.]+-(\d+\.\d+\.\d+)\.jar$/.exec(name)?.[1];
    if (version !== undefined) return version;
  }
  throw new StackProblem(
    'not-started',
    `no Kafka jar in ${folder}: remove that folder and start again`,
  );
}
