import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { readKey } from '../../adapters/foundation/open-keys.ts';
import type { NewRecord } from '../../core/log/record.ts';
import { signMarker } from '../../core/markers/wire.ts';
import type { Result } from '../../core/result.ts';
import { parseSettings } from '../../core/settings.ts';
import type { Settings } from '../../core/settings.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import { deploymentMarkers, markersPerDeployment } from './markers.ts';

// Logs of many markers take minutes to sign. They are made once, outside the repository, and used by every bench.

/** An embedded installation whose log holds so many markers. Its read models are as the last user left them. */
export type Corpus = { readonly folder: string; readonly settings: Settings };

const audience = 'bench';
const recordsPerAppend = 500;
const tellEveryRecords = 50_000;
/** Whoever changes what a corpus holds, makes a new one of it. */
const corpusVersion = 1;

export const benchCache = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plimsoll', 'bench');

/** The installation with `markers` markers, made where it is not there. 1 M of them take a minute or two, and 1.2 GB. */
export const benchCorpus = async (markers: number): Promise<Corpus> => {
  const cache = benchCache();
  const folder = join(cache, `corpus-${corpusDigest()}-${markers}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const unfinished = mkdtempSync(join(cache, 'unfinished-'));
    try {
      await fill(unfinished, markers);
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return { folder, settings: settingsIn(folder) };
};

/** A record of another schema is another record. */
const corpusDigest = (): string => {
  const published = new URL('../../../schemas/published.json', import.meta.url);
  const digest = createHash('sha256').update(readFileSync(published));
  return digest.update(String(corpusVersion)).digest('hex').slice(0, 12);
};

const settingsIn = (folder: string): Settings =>
  valueOf(
    parseSettings({ PLIMSOLL_LOG: `sqlite:${join(folder, 'data')}`, PLIMSOLL_AUDIENCE: audience }),
  );

const fill = async (folder: string, markers: number): Promise<void> => {
  const settings = settingsIn(folder);
  const foundation = openFoundation(settings);
  try {
    const log = valueOf(await foundation.stream('log'));
    await appendMarkers(foundation, log, settings, markers);
  } finally {
    await foundation.close();
  }
};

const appendMarkers = async (
  { ids, tools, clock }: Foundation,
  log: RecordLog,
  settings: Settings,
  markers: number,
): Promise<void> => {
  const signer = valueOf(await readKey(settings.dataFolder, 'local'));
  let waiting: NewRecord[] = [];
  let made = 0;
  for (let index = 0; made < markers; index += 1) {
    const of = { audience, index, uuid: ids.uuidV7, atMs: clock.nowMs() };
    for (const marker of deploymentMarkers(of).slice(0, markers - made)) {
      waiting.push(await signMarker(tools.codec, tools.text, marker, signer));
      made += 1;
    }
    if (waiting.length + markersPerDeployment > recordsPerAppend || made >= markers) {
      valueOf(await log.append(0, waiting));
      waiting = [];
    }
    if (made % tellEveryRecords < markersPerDeployment && made > markersPerDeployment)
      console.error(`signing ${markers} markers, once: ${made}`);
  }
};

/** The value of an outcome that must be good: a bench has nobody to tell but its user. */
export const valueOf = <Value>(
  result: Result<Value, { readonly code: string; readonly message: string }>,
): Value => {
  if (!result.ok) throw new Error(`${result.problem.code}: ${result.problem.message}`);
  return result.value;
};
