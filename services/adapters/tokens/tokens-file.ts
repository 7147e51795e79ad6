import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { CallerToken } from '../../core/trust/caller-tokens.ts';
import {
  callerTokenLine,
  parseCallerTokens,
  tokensFileBytesMax,
} from '../../core/trust/caller-tokens.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { CallerTokens, TokenList, TokenListProblem } from '../../ports/caller-tokens.ts';
import { fileFault } from '../system/file-fault.ts';

/** What became of the list when it was looked at. Told once for each change. */
export type TokensFileEvent =
  | { readonly event: 'read'; readonly count: number; readonly isExposed: boolean }
  /** It is wrong now: of what it said before, that counts which still stands in it as it was. */
  | { readonly event: 'not-taken'; readonly problem: TokenListProblem };

const lookEveryMs = 1000;
const othersMask = 0o077;

/**
 * The tokens of a file, which is looked at again when a second has passed since the last look: who adds a line or takes
 * one out need not restart anything. A file that is not there names nobody.
 */
export const openTokensFile = (
  path: string,
  options: {
    readonly sinceStartMs: () => number;
    readonly tell: (event: TokensFileEvent) => void;
  },
): CallerTokens => {
  let known: readonly (readonly [token: CallerToken, digest: Buffer])[] = [];
  let seenBefore: string | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const file = await readSmallFile(path);
    const seen = file.ok ? file.value.text : file.problem.message;
    if (seen === seenBefore) return;
    seenBefore = seen;
    const read = file.ok ? tokensIn(path, file.value.text) : file;
    if (read.ok) {
      known = read.value.map(withBytes);
      options.tell({
        event: 'read',
        count: known.length,
        isExposed: file.ok && file.value.isExposed,
      });
      return;
    }
    // Whoever took a line out, or wrote it anew, has taken back what it said, whatever else is wrong.
    if (file.ok) {
      const still = linesThatStand(file.value.text);
      known = known.filter(([token]) => still.has(callerTokenLine(token)));
    }
    options.tell({ event: 'not-taken', problem: read.problem });
  };

  return {
    lookUp: async (token) => {
      if (options.sinceStartMs() - lookedAtMs >= lookEveryMs)
        looking ??= look().finally(() => {
          lookedAtMs = options.sinceStartMs();
          looking = undefined;
        });
      await looking;
      const asked = hash('sha256', token, 'buffer');
      // All of them, each in the same time.
      return known.reduce<CallerToken | undefined>(
        (found, [one, digest]) => (timingSafeEqual(digest, asked) ? one : found),
        undefined,
      );
    },
  };
};

const withBytes = (token: CallerToken): readonly [CallerToken, Buffer] => [
  token,
  Buffer.from(token.digest, 'hex'),
];

/** Of a list that is wrong as a whole: what its good lines say, each in one spelling. */
const linesThatStand = (text: string): ReadonlySet<string> =>
  new Set(
    text.split('\n').flatMap((line) => {
      const read = parseCallerTokens(line);
      return read.ok ? read.value.map(callerTokenLine) : [];
    }),
  );

const tokensIn = (path: string, text: string): Result<readonly CallerToken[], TokenListProblem> => {
  const tokens = parseCallerTokens(text);
  return tokens.ok
    ? tokens
    : fail({
        code: tokens.problem.code,
        message: `${path}: line ${tokens.problem.line}: ${tokens.problem.message}`,
        hint: 'one token a line: NAME sha256:HEX environments=A,B components=* [kinds=…] [expires=TIME]',
      });
};

/** The list as it is now; one that is not there is empty. */
const readSmallFile = async (
  path: string,
): Promise<
  Result<
    {
      readonly text: string;
      /** Others than its owner may read it. */
      readonly isExposed: boolean;
    },
    TokenListProblem
  >
> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { mode } = await file.stat();
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(tokensFileBytesMax + 1) });
    if (bytesRead > tokensFileBytesMax)
      return fail({
        code: 'tokens-invalid',
        message: `${path} is larger than ${tokensFileBytesMax} bytes`,
        hint: 'take out what is not used',
      });
    // Windows keeps its rights elsewhere and reports the same mode for every file.
    const isExposed = process.platform !== 'win32' && (mode & othersMask) !== 0;
    return ok({ text: buffer.toString('utf8', 0, bytesRead), isExposed });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      return ok({ text: '', isExposed: false });
    return fail({
      code: 'file-invalid',
      message: fileFault(path, cause),
      hint: 'PLIMSOLL_TOKENS names this file: may this user read it?',
    });
  } finally {
    await file?.close();
  }
};

/**
 * Writes a line behind the list, which is made where there is none, for its owner's eyes alone. If we stop in the middle
 * the last line is cut off and the list is refused as a whole, with that line's number.
 */
const appendToTokensFile = async (
  path: string,
  line: string,
): Promise<Result<void, TokenListProblem>> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const isOpen = size > 0 && last.toString() !== '\n';
    await file.write(`${isOpen ? '\n' : ''}${line}\n`);
    await file.sync();
    return ok(undefined);
  } catch (cause) {
    return fail({
      code: 'file-invalid',
      message: fileFault(path, cause),
      hint: 'name a file that you may write to: PLIMSOLL_TOKENS=FILE',
    });
  } finally {
    await file?.close();
  }
};

export const tokenListAt = (path: string): TokenList => ({
  path,
  read: async () => {
    const file = await readSmallFile(path);
    return file.ok ? tokensIn(path, file.value.text) : file;
  },
  append: (line) => appendToTokensFile(path, line),
  newToken: () => `plt_${randomBytes(32).toString('base64url')}`,
});
