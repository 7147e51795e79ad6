import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { deploymentIdOf } from '../../services/core/deployment-id.ts';
import type { CiJob, Environment } from '../../services/sdk/ci/ci-job.ts';

// Environments as the vendors of CI systems document them: a comment that says what it is, then NAME=value a line. A
// value in double quotes is JSON.

export const ciEnvironmentsFolder: string = resolve(
  import.meta.dirname,
  '../golden/ci-environments',
);

export type CiEnvironment = { readonly name: string; readonly env: { [name: string]: string } };

export const ciEnvironments = (): readonly CiEnvironment[] =>
  readdirSync(ciEnvironmentsFolder)
    .filter((file) => file.endsWith('.env'))
    .toSorted()
    .map((file) => ({ name: file.slice(0, -'.env'.length), env: readEnvironment(file) }));

export const ciEnvironment = (name: string): { [name: string]: string } =>
  readEnvironment(`${name}.env`);

const readEnvironment = (file: string): { [name: string]: string } =>
  Object.fromEntries(
    readFileSync(resolve(ciEnvironmentsFolder, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, string] => {
        const at = line.indexOf('=');
        const written = line.slice(at + 1);
        const value = written.startsWith('"') ? (JSON.parse(written) as string) : written;
        return [line.slice(0, at), value];
      }),
  );

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The deployment that this job means by that name. */
export const deploymentOf = (job: CiJob | null, name = 'default'): string => {
  if (job === null || job.run === null) throw new Error('no run');
  return deploymentIdOf(digest, job.run, name);
};

export type { Environment };
