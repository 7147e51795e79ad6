import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { ProgramEnd, WrapProgram } from '../../ports/programs.ts';

/** What is kept of stderr: more than is said of it, so that a secret is seen whole before it is cut. */
const tailBytesMax: number = 64 * 1024;

/** What it left in the pipe is there by then; what it started in the background may write on for ever. */
const drainedWithinMs = 200;

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Both of us get what is typed at a terminal. */
const fromTerminal: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

export const wrapProgram: WrapProgram = ([program, ...words], { keepsTail }) =>
  new Promise((done) => {
    const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
    const isRead = keepsTail && !process.stderr.isTTY;
    const running: { child?: ChildProcess } = {};
    let asked: string | null = null;
    // Before it is there: a signal that comes while it starts is told when it has. They stay: once it has ended, what
    // it came to is still to be told, and a second signal must not cut that off.
    for (const signal of passedOn)
      process.on(signal, () => {
        const { child: now } = running;
        if (now === undefined || now.exitCode !== null || now.signalCode !== null) return;
        asked = signal;
        if (!(hasTerminal && fromTerminal.has(signal))) now.kill(signal);
      });
    const child = spawn(program, words, {
      stdio: ['inherit', 'inherit', isRead ? 'pipe' : 'inherit'],
    });
    running.child = child;
    const tail = tailOf(child.stderr);
    const end = async (ended: Omit<ProgramEnd, 'asked' | 'tail'>): Promise<void> =>
      done({ ...ended, asked, tail: await tail.drained() });
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

/** Passes a stream through to our stderr, byte by byte as it comes, and keeps the last of it. */
const tailOf = (stream: Readable | null): { readonly drained: () => Promise<string> } => {
  if (stream === null) return { drained: async () => '' };
  // Where nobody reads ours any more, it is to find that out as it would without us.
  process.stderr.removeAllListeners('error').on('error', () => stream.destroy());
  let kept = Buffer.alloc(0);
  const over = new Promise<void>((done) => stream.once('close', done));
  stream.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    kept = Buffer.concat([kept, chunk]).subarray(-tailBytesMax);
  });
  return {
    drained: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((done) => (timer = setTimeout(done, drainedWithinMs)));
      await Promise.race([over, late]);
      clearTimeout(timer);
      return kept.toString('utf8');
    },
  };
};
