import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { maskSecrets } from '../../core/secrets/find-secrets.ts';
import { settingNames } from '../../core/settings.ts';
import { configSetting } from '../../core/settings-file.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { plainText } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';

/** One setting, one line of `config --json`. */
export type SettingLine = {
  readonly setting: string;
  /** Without passwords; null: what is built in. */
  readonly value: string | null;
  readonly from: 'environment' | 'file' | 'default';
  /** Of the settings file. */
  readonly file: string | null;
  readonly line: number | null;
  readonly meaning: string;
};

export const printConfig = (
  { terminal, settingSources }: Pick<CliPorts, 'terminal' | 'settingSources'>,
  isJson: boolean,
): Result<void, CliProblem> => {
  const lines = settingLines(settingSources);
  if (isJson) printLines(terminal, lines);
  else printText(terminal, configText(lines, settingSources.file));
  return ok(undefined);
};

/** Every setting, with what counts. */
export const settingLines = (sources: CliPorts['settingSources']): readonly SettingLine[] => [
  ...Object.entries(settingNames).map(([setting, meaning]): SettingLine => {
    const { from, value, line } = sources.setting(setting);
    const file = from === 'file' ? sources.file : null;
    return {
      setting,
      value: value === null ? null : maskSecrets(value),
      from,
      file,
      line,
      meaning,
    };
  }),
  ...Object.entries(sources.defaults).map(([option, { value, line }]): SettingLine => ({
    setting: `--${option}`,
    value: maskSecrets(value),
    from: 'file',
    file: sources.file,
    line,
    meaning: 'option of plans and of facts of a place',
  })),
];

const configText = (lines: readonly SettingLine[], file: string | null): readonly string[] => {
  const set = lines.filter(({ from }) => from !== 'default');
  const width = Math.max(0, ...lines.map(({ setting }) => setting.length));
  return [
    `Settings file: ${file === null ? `none (plimsoll.yaml, or ${configSetting}=FILE)` : plainText(file)}`,
    '',
    ...set.map(({ setting, value, from, line }) => {
      const where = from === 'file' ? `line ${line ?? '?'} of the file` : 'environment';
      return `${setting.padEnd(width)}  ${plainText(value ?? '')}  (${where})`;
    }),
    ...(set.length === 0 ? ['Nothing is set: everything is as it is built in.'] : []),
    '',
    'Built in:',
    ...lines
      .filter(({ from }) => from === 'default')
      .map(({ setting, meaning }) => `  ${setting.padEnd(width)}  ${meaning}`),
  ];
};
