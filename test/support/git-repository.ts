import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A real repository in a folder, without the settings of whoever runs the tests. */
export const gitRepository = (
  folder: string,
): ((...words: readonly string[]) => string) & { readonly commit: (message: string) => string } => {
  mkdirSync(folder, { recursive: true });
  const git = (...words: readonly string[]): string =>
    execFileSync('git', words, {
      cwd: folder,
      env: gitEnv,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  const commit = (message: string): string => {
    git('commit', '--quiet', '--allow-empty', '--message', message);
    return git('rev-parse', 'HEAD');
  };
  return Object.assign(git, { commit });
};

const gitEnv = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@shop.example',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@shop.example',
};
