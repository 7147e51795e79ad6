import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is kept of stderr: more than is said of it, so that a secret is seen whole before it is cut. */
const tailBytesMax: number = 64 * 1024;

/** What it left in the pipe is there by then; what it started in the background may write on for ever. */
const drainedWithinMs = 200;

/** The stderr that a program is to have, and what it wrote there last. */
export type StderrTail = {
  readonly stdio: 'inherit' | number;
  /** To be called when the program was started. */
  readonly started: () => void;
  /** To be called when it has ended. */
  readonly read: () => Promise<string>;
};

/** Our own stderr as it is; nothing is known of what was written there. */
export const ownStderr: StderrTail = {
  stdio: 'inherit',
  started: () => undefined,
  read: async () => '',
};

const stderr = 2;

/**
 * Ours, with what is written there from now on known at the end. A file is read afterwards. Before anything else but a
 * terminal stands a named pipe, and `tee` behind it: Node's own pipes are sockets, which `> /dev/stderr` of a shell
 * cannot open; and `tee` lives on with what the program leaves in the background, so that nobody's stderr breaks.
 */
export const tailOfStderr = (): StderrTail => {
  try {
    if (process.stderr.isTTY) return ownStderr;
    return fstatSync(stderr).isFile() ? tailOfFile() : tailOfPipe();
  } catch {
    // Without a folder for what is temporary, or without mkfifo, its exit code must say enough.
    return ownStderr;
  }
};

const tailOfFile = (): StderrTail => {
  const from = fstatSync(stderr).size;
  return {
    ...ownStderr,
    read: async () => {
      // To be read it is opened a second time.
      const fd = openSync('/dev/fd/2', constants.O_RDONLY);
      try {
        const { size } = fstatSync(fd);
        return lastOf(fd, size < from ? 0 : from, size);
      } finally {
        closeSync(fd);
      }
    },
  };
};

const lastOf = (fd: number, from: number, to: number): string => {
  const start = Math.max(from, to - tailBytesMax);
  const bytes = Buffer.alloc(Math.max(0, to - start));
  const read = readSync(fd, bytes, 0, bytes.length, start);
  return bytes.toString('utf8', 0, read);
};

/** It outlives signals that are meant for the program, and tells when it reads. */
const copying =
  'trap "" INT TERM HUP QUIT; exec 3<"$1"; echo ready; exec tee "$2" <&3 >&2 2>/dev/null';

const tailOfPipe = (): StderrTail => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-run-'));
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  const pipe = join(folder, 'stderr');
  const tail = join(folder, 'tail');
  if (spawnSync('mkfifo', ['-m', '600', pipe], { stdio: 'ignore' }).status !== 0) {
    forget();
    return ownStderr;
  }
  // One end that reads and writes: neither side waits for the other, and nothing ends before both are there.
  const keeper = openSync(pipe, constants.O_RDWR);
  const stdio = openSync(pipe, constants.O_WRONLY);
  const copier = spawn('/bin/sh', ['-c', copying, 'sh', pipe, tail], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = new Promise<void>((done) =>
    copier.once('close', () => done()).once('error', () => done()),
  );
  const ready = new Promise<void>((done) => copier.stdout.once('data', () => done()));
  return {
    stdio,
    started: () => closeSync(stdio),
    read: async () => {
      await Promise.race([ready, over]);
      closeSync(keeper);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((done) => (timer = setTimeout(done, drainedWithinMs)));
      await Promise.race([over, late]);
      clearTimeout(timer);
      copier.stdout.destroy();
      copier.unref();
      try {
        const fd = openSync(tail, constants.O_RDONLY);
        const text = lastOf(fd, 0, statSync(tail).size);
        closeSync(fd);
        return text;
      } catch {
        return '';
      } finally {
        forget();
      }
    },
  };
};
