import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { ProgramEnd, WrapProgram } from '../../ports/programs.ts';
import { openWitness } from './signal-witness.ts';
import { ownStderr, tailOfStderr } from './stderr-tail.ts';

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export const wrapProgram: WrapProgram = ([program, ...words], { keepsTail }) =>
  new Promise((done) => {
    const running: { child?: ChildProcess } = {};
    let asked: string | null = null;
    const witness = openWitness();
    const passOn = async (signal: (typeof passedOn)[number]): Promise<void> => {
      const { child } = running;
      if (child === undefined || hasEnded(child)) return;
      asked = signal;
      if (!(await witness.hasSeen(signal)) && !hasEnded(child)) child.kill(signal);
    };
    // Before it is there: a signal that comes while it starts is told when it has. They stay: once it has ended, what
    // it came to is still to be told, and a second signal must not cut that off.
    for (const signal of passedOn) process.on(signal, () => void passOn(signal));

    const tail = keepsTail ? tailOfStderr() : ownStderr;
    const child = spawn(program, words, { stdio: ['inherit', 'inherit', tail.stdio] });
    running.child = child;
    tail.started();
    const end = async (
      ended: Omit<ProgramEnd, 'asked' | 'tail' | 'tailMissing'>,
    ): Promise<void> => {
      witness.dismiss();
      // The exit code is worth more than what was written, whatever goes wrong with that.
      const last = await tail.read(ended.exit === 0 ? 'ok' : 'failed').catch(() => '');
      done({ ...ended, asked, tail: last, tailMissing: tail.missing });
    };
    child.once('error', (cause: NodeJS.ErrnoException) => {
      // A signal that it did not take is no end of it.
      if (child.pid !== undefined) return;
      const exit = cause.code === 'ENOENT' ? 127 : 126;
      void end({
        exit,
        signal: null,
        problem: `${program} could not be started: ${cause.message}`,
      });
    });
    child.once(
      'exit',
      (code, signal) =>
        void end({
          exit: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
          signal,
          problem: null,
        }),
    );
  });

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;
