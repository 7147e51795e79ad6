import { findSecrets } from '../../core/secrets/find-secrets.ts';
import type { SettingSources } from '../ports.ts';
import type { Project } from './deploy-script.ts';

/** The settings file of a repository: what is set in the environment now, and what most need. */
export const settingsFileText = (
  { setting }: Pick<SettingSources, 'setting'>,
  { component }: Project,
): string => {
  const line = (name: string, key: string, instead: string): string => {
    const { value } = setting(name);
    // Who made this file may have a password in an address; everybody can read the file.
    return value === null || findSecrets(value).length > 0
      ? `# ${key}: ${instead}`
      : `${key}: ${quoted(value)}`;
  };
  return [
    '# Settings of Plimsoll for this repository; the environment counts before them (plimsoll config).',
    line('PLIMSOLL_URL', 'url', 'https://plimsoll.example.com'),
    line('PLIMSOLL_AUDIENCE', 'audience', 'local'),
    line('PLIMSOLL_LOG_ID', 'log-id', 'what plimsoll doctor names'),
    '',
    '# What plans say where the command line does not.',
    `component-name: ${quoted(component)}`,
    '# owner: the team that answers for it',
    '# runbook: https://wiki.example.com/runbook',
    '',
  ].join('\n');
};

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
