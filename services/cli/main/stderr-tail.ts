import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is kept of stderr: more than is said of it, so that a secret is seen whole before it is cut. */
const tailBytesMax: number = 64 * 1024;

/**
 * What it left in the pipe is there by then. It takes that long only where the pipe does not end: what it started in the
 * background may write on for ever. Of a failure the last lines are worth more.
 */
const drainedWithinMs = { ok: 500, failed: 2000 };

/** The stderr that a program is to have, and what it wrote there last. */
export type StderrTail = {
  readonly stdio: 'inherit' | number;
  /** Why nothing of it can be known; null where it can, or is not to be. */
  readonly missing: string | null;
  /** To be called when the program was started. */
  readonly started: () => void;
  /** To be called when it has ended. */
  readonly read: (end: keyof typeof drainedWithinMs) => Promise<string>;
};

/** Our own stderr as it is; nothing is known of what was written there. */
export const ownStderr: StderrTail = {
  stdio: 'inherit',
  missing: null,
  started: () => undefined,
  read: async () => '',
};

const stderr = 2;

/**
 * Ours, with what is written there from now on known at the end. A file is read afterwards. Before anything else but a
 * terminal stands a named pipe, and `tee` behind it: Node's own pipes are sockets, which `> /dev/stderr` of a shell
 * cannot open; and what copies lives on with what the program leaves in the background, so that nobody's stderr breaks.
 * Of what was written nothing comes to a disk.
 */
export const tailOfStderr = (): StderrTail => {
  try {
    if (process.stderr.isTTY) return ownStderr;
    return fstatSync(stderr).isFile() ? tailOfFile() : tailOfPipe();
  } catch (cause) {
    return without(cause instanceof Error ? cause.message : String(cause));
  }
};

/** The exit code must say enough. */
const without = (missing: string): StderrTail => ({ ...ownStderr, missing });

const tailOfFile = (): StderrTail => {
  const from = fstatSync(stderr).size;
  // To be read it is opened a second time. Who may write to it need not be allowed to read it: then it throws.
  const fd = openSync('/dev/fd/2', constants.O_RDONLY);
  return {
    ...ownStderr,
    read: async () => {
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

const makingPipes = 'command -v tee && command -v cat && exec mkfifo -m 600 "$1/stderr" "$1/tail"';

/**
 * It outlives signals that are meant for the program, and tells when it reads. `tee` writes to the real stderr before it
 * writes to us. Once we are gone it breaks on that second write, with nothing lost, and `cat` goes on; where the real
 * stderr is gone, `cat` breaks too, and so does the program, as it would without us.
 */
const copying = [
  'trap "" INT TERM HUP QUIT',
  'exec 3<"$1/stderr" 4>"$1/tail"',
  'rm -rf "$1"',
  'echo ready',
  'exec >&2 2>/dev/null',
  'tee /dev/fd/4 <&3 || exec cat <&3 4>&-',
].join('\n');

const tailOfPipe = (): StderrTail => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-run-'));
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  const shell = (script: string): readonly string[] => ['-c', script, 'sh', folder];
  const made = spawnSync('/bin/sh', shell(makingPipes), { stdio: 'ignore' });
  if (made.status !== 0) {
    forget();
    return without('this machine has no tee, cat or mkfifo, or no pipe can be made');
  }
  // Both can be read and written here: neither side waits for the other, and nothing ends before both are there.
  const keeper = openSync(join(folder, 'stderr'), constants.O_RDWR);
  const told = openSync(join(folder, 'tail'), constants.O_RDONLY | constants.O_NONBLOCK);
  const stdio = openSync(join(folder, 'stderr'), constants.O_WRONLY);
  const copier = spawn('/bin/sh', shell(copying), { stdio: ['ignore', 'pipe', 'inherit'] });
  const over = new Promise<void>((done) =>
    copier.once('close', () => done()).once('error', () => done()),
  );
  if (copier.pid === undefined) {
    for (const fd of [keeper, told, stdio]) closeSync(fd);
    forget();
    return without('no process can be started that copies it');
  }
  const ring = openRing();
  let isRead = false;
  // What died before it read leaves nobody behind who could hold the program up.
  void over.then(() => {
    if (!isRead) closeSync(keeper);
  });
  const reading = new Promise<Socket>((done) =>
    copier.stdout.once('data', () => {
      // From here on it breaks when what copies does.
      isRead = true;
      closeSync(keeper);
      // Not before: a pipe that nobody has opened to write looks as if it had ended.
      const socket = new Socket({ fd: told, readable: true, writable: false });
      socket.on('data', ring.add).on('error', () => undefined);
      done(socket);
    }),
  );
  return {
    stdio,
    missing: null,
    started: () => closeSync(stdio),
    read: async (end) => {
      const socket = await Promise.race([reading, over]);
      if (socket !== undefined) {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((done) => (timer = setTimeout(done, drainedWithinMs[end])));
        await Promise.race([new Promise<void>((done) => socket.once('close', done)), late]);
        clearTimeout(timer);
        socket.destroy();
      }
      copier.stdout.destroy();
      copier.unref();
      forget();
      return ring.text();
    },
  };
};

/** The last bytes of many. */
const openRing = (): {
  readonly add: (bytes: Buffer) => void;
  readonly text: () => string;
} => {
  const pieces: Buffer[] = [];
  let size = 0;
  return {
    add: (bytes) => {
      pieces.push(bytes);
      size += bytes.length;
      while (size - (pieces[0]?.length ?? size) >= tailBytesMax)
        size -= pieces.shift()?.length ?? 0;
    },
    text: () => Buffer.concat(pieces).subarray(-tailBytesMax).toString('utf8'),
  };
};
