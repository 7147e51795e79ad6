import type { FileHandle } from 'node:fs/promises';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileFault } from '../system/file-fault.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { CaptureLine, CaptureProblem, CaptureReader, Captures } from '../../ports/capture.ts';

const pieceBytes: number = 1024 * 1024;
const lineFeed = 0x0a;

/** Captures in the file system. A line is held in memory, a file never. */
export const diskCaptures: Captures = {
  open: async (path, lineBytesMax) => {
    try {
      const file = await open(path, 'r');
      const { size } = await file.stat();
      return ok(readerOf(file, path, size, lineBytesMax));
    } catch (cause) {
      return unreadable(path, cause);
    }
  },
  tail: async (path, bytesMax) => {
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const from = Math.max(0, size - bytesMax);
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(size - from),
          0,
          size - from,
          from,
        );
        return ok(buffer.subarray(0, bytesRead));
      } finally {
        await file.close();
      }
    } catch (cause) {
      return unreadable(path, cause);
    }
  },
  filesAt: async (path) => {
    try {
      if (!(await stat(path)).isDirectory()) return ok([path]);
      const names = (await readdir(path)).filter((name) => /\.jsonl?$/.test(name));
      return ok(names.toSorted().map((name) => join(path, name)));
    } catch (cause) {
      return unreadable(path, cause);
    }
  },
};

const readerOf = (
  file: FileHandle,
  path: string,
  size: number,
  lineBytesMax: number,
): CaptureReader => {
  const piece = Buffer.allocUnsafe(pieceBytes);
  /** Pieces of a line that goes on. */
  let begun: Buffer[] = [];
  let [begunBytes, readBytes, number] = [0, 0, 0];
  let isAtEnd = false;
  let fault: CaptureProblem | undefined;

  const lineOf = (rest: Buffer): CaptureLine => {
    const bytes = begunBytes === 0 ? Buffer.from(rest) : Buffer.concat([...begun, rest]);
    [begun, begunBytes] = [[], 0];
    number += 1;
    return { number, bytes };
  };
  const tooLong = (): CaptureProblem => ({
    code: 'line-too-long',
    message: `${path}, line ${number + 1}: it is longer than ${lineBytesMax} bytes`,
  });

  return {
    bytes: size,
    readBytes: () => readBytes,
    next: async () => {
      const lines: CaptureLine[] = [];
      try {
        while (lines.length === 0 && !isAtEnd && fault === undefined) {
          const { bytesRead } = await file.read(piece, 0, pieceBytes, null);
          readBytes += bytesRead;
          isAtEnd = bytesRead === 0;
          let from = 0;
          for (;;) {
            const end = piece.subarray(0, bytesRead).indexOf(lineFeed, from);
            const rest = piece.subarray(from, end < 0 ? bytesRead : end);
            if (begunBytes + rest.length > lineBytesMax) {
              fault = tooLong();
              break;
            }
            if (end < 0) {
              if (rest.length > 0) begun.push(Buffer.from(rest));
              begunBytes += rest.length;
              break;
            }
            lines.push(lineOf(rest));
            from = end + 1;
          }
        }
      } catch (cause) {
        return unreadable(path, cause);
      }
      if (fault !== undefined && lines.length === 0) return fail(fault);
      if (isAtEnd && begunBytes > 0) lines.push(lineOf(Buffer.alloc(0)));
      return ok(lines);
    },
    close: () => file.close(),
  };
};

const unreadable = (path: string, cause: unknown): Result<never, CaptureProblem> =>
  fail({ code: 'file-invalid', message: fileFault(path, cause) });
