import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { whatLiesAt } from '../../adapters/system/plain-file.ts';
import { fileFault } from '../../adapters/system/file-fault.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { SettingsFile } from '../../core/settings-file.ts';
import {
  configSetting,
  parseSettingsFile,
  settingsFileBytesMax,
  settingsFileName,
} from '../../core/settings-file.ts';
import type { SettingSources } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';

/** Settings as flags find them: the environment before the file. */
export type Configured = {
  /** For parseSettings. */
  readonly env: { readonly [name: string]: string | undefined };
  readonly sources: SettingSources;
};

/**
 * Reads the settings file: the one that PLIMSOLL_CONFIG names, or plimsoll.yaml in the working folder or one above it,
 * up to that of the repository. Paths in it are relative to its own folder.
 */
export const readConfigured = (
  env: { readonly [name: string]: string | undefined },
  folder: string,
): Result<Configured, CliProblem> => {
  const named = env[configSetting] ?? '';
  const path = named === '' ? findFile(folder) : named === 'none' ? null : resolve(folder, named);
  if (path === null) return ok(configured(env, null, { settings: {}, defaults: {} }));
  const text = readSmall(path, named === '' ? folder : null);
  if (!text.ok) return text;
  const parsed = parseSettingsFile(text.value);
  if (!parsed.ok)
    return refuse('setting-invalid', `${path}: ${parsed.problem.message}`, parsed.problem.hint);
  return ok(configured(env, path, besideFile(parsed.value, folder, dirname(path))));
};

/** On a busy machine an answer takes its time, and then a marker would be given up for nothing. */
const configWithinMs = 2000;

/**
 * The problem of a working folder that is gone, or of a settings file whose disk does not answer; null: all is well. Before
 * that nothing is asked of either in our own thread.
 */
export const unansweredFolder = async (
  env: { readonly [name: string]: string | undefined },
  workingFolder: () => string,
): Promise<CliProblem | null> => {
  const named = env[configSetting] ?? '';
  const file = named === '' || named === 'none' ? settingsFileName : named;
  let path: string;
  try {
    path = resolve(workingFolder(), file);
  } catch {
    return problem(
      'unreachable',
      'the working folder is gone; nothing was stored or kept',
      'was it removed by a step before this one?',
    );
  }
  let timer: NodeJS.Timeout | undefined;
  // An answer that came while others had the processor is heard only after the timers.
  const late = new Promise<'late'>((done) => {
    timer = setTimeout(() => void setImmediate(done, 'late'), configWithinMs);
  });
  const asked = whatLiesAt(path).catch(() => null);
  const answer = await Promise.race([asked, late]);
  clearTimeout(timer);
  return answer === 'late'
    ? problem(
        'timeout',
        `the disk does not answer that ${path} would lie on; nothing was stored or kept`,
        `is a network drive gone? ${configSetting} names another file, or none`,
      )
    : null;
};

/** In the working folder; in a repository also above it, up to its top: what lies elsewhere is not its authors' word. */
const findFile = (folder: string): string | null => {
  const top = topOfRepository(resolve(folder));
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, settingsFileName);
    if (existsSync(path)) return path;
    if (top === null || at === top) return null;
  }
};

const topOfRepository = (folder: string): string | null => {
  for (let at = folder; ; at = dirname(at)) {
    // What somebody else put above us is no repository of ours.
    const git = statSync(join(at, '.git'), { throwIfNoEntry: false });
    if (git !== undefined && mayTell(git.uid, folder)) return at;
    if (dirname(at) === at) return null;
  }
};

/** We, root, and the owner of the working folder: jobs in containers often run as another than the checkout's owner. */
const mayTell = (uid: number, folder: string): boolean =>
  uid === 0 || uid === (process.getuid?.() ?? uid) || uid === statSync(folder).uid;

const othersMayWrite = 0o002;

/** The text of a file that is one, is small, and, where it was only found, is of somebody who may tell us. */
const readSmall = (path: string, foundFrom: string | null): Result<string, CliProblem> => {
  try {
    const { size, uid, mode, ...stats } = describe(path);
    if (!stats.isFile)
      return refuse('setting-invalid', `${path} is no file`, `see ${configSetting}`);
    if (size > settingsFileBytesMax)
      return refuse(
        'setting-invalid',
        `${path} is larger than ${settingsFileBytesMax} bytes`,
        'shorten it',
      );
    const isLoose = (mode & othersMayWrite) !== 0 && topOfRepository(dirname(path)) === null;
    if (foundFrom !== null && (!mayTell(uid, foundFrom) || isLoose))
      return refuse(
        'setting-invalid',
        `${path} is somebody else's, or others may write it: it is not obeyed`,
        `${configSetting}=${path} takes it, ${configSetting}=none does without`,
      );
    return ok(readFileSync(path, 'utf8'));
  } catch (cause) {
    return refuse('setting-invalid', fileFault(path, cause), `see ${configSetting}`);
  }
};

const describe = (
  path: string,
): {
  readonly isFile: boolean;
  readonly size: number;
  readonly uid: number;
  readonly mode: number;
} => {
  const stats = statSync(path);
  return { isFile: stats.isFile(), size: stats.size, uid: stats.uid, mode: stats.mode };
};

const filePaths: ReadonlySet<string> = new Set([
  ...['PLIMSOLL_KEY', 'PLIMSOLL_ANALYSER_KEY', 'PLIMSOLL_GATEWAY_KEY', 'PLIMSOLL_ARCHIVE'],
  ...['PLIMSOLL_POLICY', 'PLIMSOLL_OTLP_SOURCES', 'PLIMSOLL_TOKENS', 'PLIMSOLL_SPOOL'],
]);

/** Paths as they are from the working folder. */
const besideFile = (file: SettingsFile, folder: string, fileFolder: string): SettingsFile => {
  const moved = (path: string): string =>
    isAbsolute(path) ? path : relative(resolve(folder), join(fileFolder, path)) || '.';
  return {
    ...file,
    settings: Object.fromEntries(
      Object.entries(file.settings).map(([name, { value, line }]) => {
        const sqlite = /^sqlite:(.+)$/.exec(value)?.[1];
        if (sqlite !== undefined) return [name, { value: `sqlite:${moved(sqlite)}`, line }];
        return [name, { value: filePaths.has(name) ? moved(value) : value, line }];
      }),
    ),
  };
};

const configured = (
  env: Configured['env'],
  file: string | null,
  { settings, defaults }: SettingsFile,
): Configured => {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const fromFile = Object.entries(settings).filter(([name]) => !isSet(name));
  return {
    env: { ...env, ...Object.fromEntries(fromFile.map(([name, { value }]) => [name, value])) },
    sources: {
      file,
      defaults,
      setting: (name) => {
        if (isSet(name)) return { from: 'environment', value: env[name] ?? null, line: null };
        const set = settings[name];
        return set === undefined
          ? { from: 'default', value: null, line: null }
          : { from: 'file', value: set.value, line: set.line };
      },
    },
  };
};
