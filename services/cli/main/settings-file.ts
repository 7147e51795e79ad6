import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
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
import { refuse } from '../problem.ts';

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
  let text: string;
  try {
    if (statSync(path).size > settingsFileBytesMax)
      return refuse(
        'setting-invalid',
        `${path} is larger than ${settingsFileBytesMax} bytes`,
        'shorten it',
      );
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    return refuse('setting-invalid', fileFault(path, cause), `see ${configSetting}`);
  }
  const parsed = parseSettingsFile(text);
  if (!parsed.ok)
    return refuse('setting-invalid', `${path}: ${parsed.problem.message}`, parsed.problem.hint);
  return ok(configured(env, path, besideFile(parsed.value, folder, dirname(path))));
};

const findFile = (folder: string): string | null => {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, settingsFileName);
    if (existsSync(path)) return path;
    // What lies outside the repository is not its authors' word.
    if (existsSync(join(at, '.git')) || dirname(at) === at) return null;
  }
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
