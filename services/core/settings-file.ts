import { nearest } from './nearest.ts';
import type { Result } from './result.ts';
import { fail, ok } from './result.ts';
import { settingNames } from './settings.ts';

// plimsoll.yaml: settings and the words that a repository says in every plan. It is read by every command, and a
// parser of all of YAML would double the time that `release log` needs; so it is the part of YAML that a list of
// `name: value` lines takes. Whatever YAML would read otherwise is refused.

/** Where a value of the file stands. */
export type FileValue = { readonly value: string; readonly line: number };

export type SettingsFile = {
  /** By their names in the environment. */
  readonly settings: { readonly [name: string]: FileValue };
  /** Options that plans and facts of a place are given where the command line leaves them out. */
  readonly defaults: { readonly [option: string]: FileValue };
};

export type SettingsFileProblem = {
  readonly code: 'setting-invalid';
  readonly line: number;
  readonly message: string;
  readonly hint: string;
};

export const settingsFileName = 'plimsoll.yaml';
/** The environment names the file; a file cannot. */
export const configSetting = 'PLIMSOLL_CONFIG';
export const settingsFileBytesMax: number = 64 * 1024;

/** Options that a settings file may give. */
const defaultOptions: readonly string[] = [
  ...['component-name', 'environment-name', 'namespace', 'target', 'owner', 'runbook'],
];

/** `PLIMSOLL_LOG_ID` is `log-id` in the file. */
const settingByKey: ReadonlyMap<string, string> = new Map(
  Object.keys(settingNames)
    .filter((name) => name !== configSetting)
    .map((name) => [name.slice('PLIMSOLL_'.length).toLowerCase().replaceAll('_', '-'), name]),
);

export const parseSettingsFile = (text: string): Result<SettingsFile, SettingsFileProblem> => {
  const settings: { [name: string]: FileValue } = {};
  const defaults: { [option: string]: FileValue } = {};
  const seen = new Set<string>();
  for (const [index, written] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n/)
    .entries()) {
    const line = index + 1;
    if (/^\s*(?:#|$)/.test(written) || (line === 1 && written.trim() === '---')) continue;
    const [, key, rest = ''] = /^([a-z][a-z0-9-]{0,40}):(?:[ \t]+(.*))?$/.exec(written) ?? [];
    if (key === undefined)
      return refuse(
        line,
        'is no line of the form name: value',
        'begin at the margin: url: https://…',
      );
    if (seen.has(key)) return refuse(line, `names ${key} a second time`, 'name it once');
    seen.add(key);
    const value = readScalar(rest);
    if (value === undefined)
      return refuse(line, `has a value of ${key} that YAML may read otherwise`, "put it in '…'");
    const setting = settingByKey.get(key);
    if (setting !== undefined) settings[setting] = { value, line };
    else if (defaultOptions.includes(key)) defaults[key] = { value, line };
    else return unknownKey(line, key);
  }
  return ok({ settings, defaults });
};

/** A scalar on one line: in '…', in "…" without a backslash, or plain; undefined where it is anything else. */
const readScalar = (written: string): string | undefined => {
  const [, single, double, plain] =
    /^(?:'((?:[^']|'')*)'|"([^"\\]*)"|([^'"].*?|))(?:[ \t]+#.*|[ \t]*)$/.exec(written) ?? [];
  const quoted = single?.replaceAll("''", "'") ?? double;
  if (quoted !== undefined) return isPlainText(quoted) ? quoted : undefined;
  if (plain === undefined || plain === '' || !isPlainText(plain)) return undefined;
  return /^[-?:,[\]{}#&*!|>%@`=~.]|:(?:\s|$)|\s#/.test(plain) || yamlWords.test(plain)
    ? undefined
    : plain;
};

const isPlainText = (text: string): boolean =>
  // oxlint-disable-next-line eslint/no-control-regex -- finding them is its task
  !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text);

/** Plain words that YAML does not read as text. Whole numbers stay what they look like: ports. */
const yamlWords =
  /^(?:null|true|false|yes|no|on|off|[+-][.0-9].*|[0-9]{16,}|(?:0[xo].*|[0-9][0-9_]*\.[0-9.]*.*|[0-9]+e.*|0[0-9]+))$/i;

const unknownKey = (line: number, key: string): Result<never, SettingsFileProblem> => {
  const known = [...settingByKey.keys(), ...defaultOptions];
  const near = nearest(key, known);
  return refuse(
    line,
    `sets ${key}, which is no setting`,
    near === undefined ? `one of: ${known.join(', ')}` : `did you mean ${near}?`,
  );
};

// The value is not repeated: it may hold a password.
const refuse = (line: number, message: string, hint: string): Result<never, SettingsFileProblem> =>
  fail({ code: 'setting-invalid', line, message: `line ${line} ${message}`, hint });
