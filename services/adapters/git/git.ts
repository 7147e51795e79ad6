import { execFile } from 'node:child_process';
import { originIn } from './config-file.ts';
import type { Git, GitCommit, GitHead } from '../../ports/git.ts';

const headWithinMs = 1000;
/** What is read of git's answer: some hundred commits with long messages. */
const answerBytesMax: number = 1024 * 1024;

/**
 * Nothing that a repository's own settings name is run, and nobody is asked for anything. A commit that is not here is
 * not fetched either: a partial clone would, by a command that its settings name.
 */
const quiet = ['--no-pager', '-c', 'log.showSignature=false', '-c', 'core.fsmonitor=false'];
const quietEnv = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  // Older ones know no better than to be forbidden every way out.
  GIT_ALLOW_PROTOCOL: 'none',
  LC_ALL: 'C',
};

/** Through the `git` of PATH, in a folder: the working one where none is named. */
export const openGit = (
  env: { readonly [name: string]: string | undefined },
  folder?: string,
): Omit<Git, 'isHere'> => {
  const git = (words: readonly string[], withinMs: number): Promise<string | null> =>
    new Promise((done) => {
      const child = execFile(
        'git',
        [...quiet, ...words],
        {
          env: { ...env, ...quietEnv },
          encoding: 'utf8',
          // It takes whole ones alone.
          timeout: Math.max(1, Math.ceil(withinMs)),
          killSignal: 'SIGKILL',
          maxBuffer: answerBytesMax,
          ...(folder === undefined ? {} : { cwd: folder }),
        },
        (error, stdout) => {
          process.off('exit', forget);
          done(error === null ? stdout : null);
        },
      );
      // One that hangs must not outlive who asked.
      const forget = (): void => void child.kill('SIGKILL');
      process.once('exit', forget);
    });
  return {
    address: async () => {
      const read =
        env['GIT_DIR'] === undefined ? await originIn(folder ?? process.cwd()) : undefined;
      if (read !== undefined) return read;
      return (await git(['config', '--get', 'remote.origin.url'], headWithinMs))?.trim() || null;
    },
    head: async () => {
      const told = await git(
        ['log', '-1', '--decorate=full', '--format=%H%x00%D', 'HEAD', '--'],
        headWithinMs,
      );
      return told === null ? null : readHead(told);
    },
    commitsBetween: async (from, to, { commitsMax, withinMs }) => {
      if (!isHash(from) || !isHash(to)) return null;
      const told = await git(
        ['log', `--max-count=${commitsMax}`, '--format=%H%x00%s%x00%b%x1e', `${from}..${to}`, '--'],
        withinMs,
      );
      return told === null ? null : readCommits(told);
    },
  };
};

const isHash = (word: string): boolean => /^[0-9a-f]{7,64}$/i.test(word);

/** `%D`: `HEAD -> refs/heads/main, tag: refs/tags/v1, refs/remotes/origin/main`. */
const readHead = (told: string): GitHead | null => {
  const [commit = '', refs = ''] = told.trimEnd().split('\0');
  if (!isHash(commit)) return null;
  const named = refs.split(', ');
  const after = (mark: string): string | null =>
    named.find((ref) => ref.startsWith(mark))?.slice(mark.length) ?? null;
  return { commit, branch: after('HEAD -> refs/heads/'), tag: after('tag: refs/tags/') };
};

const readCommits = (told: string): readonly GitCommit[] =>
  told.split('\x1e').flatMap((record) => {
    const [id = '', subject = '', body = ''] = record.replace(/^\n/, '').split('\0');
    return isHash(id) ? [{ id, subject, body }] : [];
  });
