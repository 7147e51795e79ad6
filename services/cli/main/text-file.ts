import { createReadStream, promises as files } from 'node:fs';
import { fileFault } from '../../adapters/system/file-fault.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { failed } from './composition.ts';

/** A file's text; no more of it is read than is taken. */
export const readTextFile = async (
  path: string,
  bytesMax: number,
): Promise<Result<string, CliProblem>> => {
  try {
    const file = await files.open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(bytesMax + 1), 0, bytesMax + 1, 0);
      if (bytesRead > bytesMax)
        return refuse('file-invalid', `${path} is larger than ${bytesMax} bytes`, 'split it');
      return ok(new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead)));
    } finally {
      await file.close();
    }
  } catch (cause) {
    return failed({
      code: 'file-invalid',
      message: fileFault(path, cause),
      hint: 'is it there, readable, and UTF-8?',
    });
  }
};

export const writeTextFile = async (
  path: string,
  text: string,
): Promise<Result<void, CliProblem>> => {
  try {
    await files.writeFile(path, text);
    return ok(undefined);
  } catch (cause) {
    return failed({
      code: 'file-invalid',
      message: fileFault(path, cause),
      hint: 'is its folder there, and may it be written to?',
    });
  }
};

/**
 * A file's bytes, or those of standard input (`-`), piece by piece; each byte is one character. What is looked for is
 * ASCII, and what stands around it may be anything.
 */
export async function* readPieces(path: string): AsyncIterable<string> {
  const stream = path === '-' ? process.stdin : createReadStream(path);
  stream.setEncoding('latin1');
  for await (const piece of stream as AsyncIterable<string>) yield piece;
}
