import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Crypto } from '../../core/markers/crypto.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { parseSources, sourcesFileBytesMax } from '../../core/telemetry/sources.ts';
import type { TelemetrySources } from '../../ports/telemetry-sources.ts';
import { knownSources } from './known-sources.ts';

/** Why a file of sources does not count. No message holds what stands in it. */
export type SourcesFileProblem = {
  readonly code: 'sources-invalid';
  readonly message: string;
  readonly hint: string;
};

export type SourcesFileEvent =
  /** The file was changed, and what it says now counts. */
  | { readonly event: 'changed'; readonly count: number }
  /** It cannot be read any more, or is wrong: what it said before still counts. */
  | { readonly event: 'not-taken'; readonly problem: SourcesFileProblem };

export type SourcesFile = TelemetrySources & {
  /** Others than its owner may read it. */
  readonly isExposed: boolean;
  readonly close: () => void;
};

const lookEveryMs = 5000;
const othersMask = 0o077;

/** Opens the sources of a file, and follows the file: who changes it need not restart anything. */
export const openSourcesFile = async (
  path: string,
  options: {
    readonly crypto: Pick<Crypto, 'sha256HexOfText'>;
    readonly tell: (event: SourcesFileEvent) => void;
    readonly lookEveryMs?: number;
  },
): Promise<Result<SourcesFile, SourcesFileProblem>> => {
  const first = await readSmallFile(path);
  if (!first.ok) return first;
  const begun = sourcesIn(path, first.value.text, options.crypto);
  if (!begun.ok) return begun;
  let { text, sources } = begun.value;
  let toldMessage: string | undefined;
  let isLooking = false;

  const look = async (): Promise<void> => {
    const read = await readSmallFile(path);
    // What says the same as before need not be read again.
    if (read.ok && read.value.text === text && toldMessage === undefined) return;
    const taken = read.ok ? sourcesIn(path, read.value.text, options.crypto) : read;
    if (taken.ok) {
      toldMessage = undefined;
      ({ text, sources } = taken.value);
      options.tell({ event: 'changed', count: sources.count() });
    } else if (taken.problem.message !== toldMessage) {
      toldMessage = taken.problem.message;
      options.tell({ event: 'not-taken', problem: taken.problem });
    }
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, options.lookEveryMs ?? lookEveryMs);
  timer.unref();

  return ok({
    sourceOf: (token) => sources.sourceOf(token),
    count: () => sources.count(),
    isExposed: first.value.isExposed,
    close: () => clearInterval(timer),
  });
};

const sourcesIn = (
  path: string,
  text: string,
  crypto: Pick<Crypto, 'sha256HexOfText'>,
): Result<{ readonly text: string; readonly sources: TelemetrySources }, SourcesFileProblem> => {
  const parsed = parseSources(text, crypto);
  if (parsed.ok) return ok({ text, sources: knownSources(parsed.value) });
  const { line, message } = parsed.problem;
  return problem(
    `${path}: ${line === null ? '' : `line ${line}: `}${message}`,
    'one source a line: NAME TOKEN, and if you like SERVICE,SERVICE… behind it',
  );
};

const readSmallFile = async (
  path: string,
): Promise<Result<{ readonly text: string; readonly isExposed: boolean }, SourcesFileProblem>> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { mode } = await file.stat();
    // Windows keeps its rights elsewhere and reports the same mode for every file.
    const isExposed = process.platform !== 'win32' && (mode & othersMask) !== 0;
    const { bytesRead, buffer } = await file.read({
      buffer: Buffer.alloc(sourcesFileBytesMax + 1),
    });
    return bytesRead > sourcesFileBytesMax
      ? problem(`${path} is larger than ${sourcesFileBytesMax} bytes`, 'take out what is not used')
      : ok({ text: buffer.toString('utf8', 0, bytesRead), isExposed });
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    return problem(
      `${path}: ${why === 'ENOENT' ? 'there is no such file' : `it cannot be read (${why})`}`,
      'PLIMSOLL_OTLP_SOURCES names this file: is it there, and may this user read it?',
    );
  } finally {
    await file?.close();
  }
};

const problem = (message: string, hint: string): Result<never, SourcesFileProblem> =>
  fail({ code: 'sources-invalid', message, hint });
