import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlags, repositoryFolder } from '../check-steps.ts';
import { startOwn } from '../stack/own-process.ts';
import type { OwnProcess } from '../stack/own-process.ts';
import { replacementsVariable } from './replaced-constants.ts';
import type { Replacement } from './replaced-constants.ts';
import type { Events } from './events.ts';

/** A service as a process of its own: `plimsoll projector`, `plimsoll gateway`, `plimsoll analyser`. */
export type Member = {
  readonly name: string;
  readonly isRunning: () => boolean;
  readonly start: () => void;
  /** kill -9; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  readonly stop: () => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  /** How it ended by itself since the last start, or null. */
  readonly endedByItself: () => string | null;
  /** Resolves with how it ended, whoever ended it. */
  readonly over: () => Promise<string>;
  /** Codes that it told since the last start. */
  readonly told: () => readonly string[];
  readonly lastOutput: () => string;
};

export type MemberOptions = {
  readonly name: string;
  readonly words: readonly string[];
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Asked at each start. */
  readonly replaced: () => readonly Replacement[];
  /** Further environment, for instance a clock of its own. */
  readonly extraEnv?: () => NodeJS.ProcessEnv;
  readonly events: Events;
};

const command = join(repositoryFolder, 'services', 'cli', 'plimsoll.mjs');
const hook = join(import.meta.dirname, 'replaced-constants.ts');

export const openMember = (options: MemberOptions): Member => {
  const { name, words, folder, events } = options;
  mkdirSync(folder, { recursive: true });
  let process_: OwnProcess | undefined;
  let over: Promise<string> = Promise.resolve('never started');
  let endedByItself: string | null = null;
  let told: string[] = [];
  let lastOutput = (): string => '';

  const end = async (how: 'kill' | 'stop'): Promise<void> => {
    const ending = process_;
    process_ = undefined;
    // A stopped process does not hear SIGTERM.
    ending?.resume();
    await ending?.[how]();
  };

  return {
    name,
    isRunning: () => process_ !== undefined,
    start: () => {
      if (process_ !== undefined) return;
      endedByItself = null;
      told = [];
      const env = {
        ...options.env,
        ...options.extraEnv?.(),
        [replacementsVariable]: JSON.stringify(options.replaced()),
      };
      const started = startOwn(
        process.execPath,
        [...nodeFlags, '--import', hook, command, ...words, '--json'],
        folder,
        {
          env,
          // Notes come on the error output; a service prints nothing else.
          onErrorLine: (line) => {
            const code = codeOf(line);
            told.push(code);
            events.add(name, line.slice(0, 400));
          },
        },
      );
      process_ = started;
      ({ lastOutput } = started);
      over = started.exited.then((how) => {
        if (process_ === started) {
          process_ = undefined;
          endedByItself = how;
          events.add(name, `ended by itself: ${how}`);
        }
        return how;
      });
    },
    kill: () => end('kill'),
    stop: () => end('stop'),
    pause: () => process_?.pause(),
    resume: () => process_?.resume(),
    endedByItself: () => endedByItself,
    over: () => over,
    told: () => told,
    lastOutput: () => lastOutput(),
  };
};

/** Of `{"code":…}`; else the whole line. */
const codeOf = (line: string): string => /"code":"([^"]*)"/.exec(line)?.[1] ?? line;
