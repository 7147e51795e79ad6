import type { Result } from '../core/result.ts';

// Files of recorded telemetry: one export a line, as the Collector's file exporter writes them. They may be much
// larger than memory.

/**
 * - `file-invalid`: it is not there, is no file, or cannot be read.
 * - `line-too-long`: nothing of that line was handed out.
 */
export type CaptureProblem = {
  readonly code: 'file-invalid' | 'line-too-long';
  readonly message: string;
};

export type CaptureLine = {
  /** 1 for the first. */
  readonly number: number;
  /** Without its line end; only good until the next lines are asked for. */
  readonly bytes: Uint8Array;
};

export type CaptureReader = {
  /** Size of the file in bytes when it was opened. */
  readonly bytes: number;
  /** How many of them were read so far. */
  readonly readBytes: () => number;
  /** Some lines, in order; none at the end. */
  readonly next: () => Promise<Result<readonly CaptureLine[], CaptureProblem>>;
  readonly close: () => Promise<void>;
};

export type Captures = {
  /** Opens a file for one reading from its beginning; a line may have so many bytes. */
  readonly open: (
    path: string,
    lineBytesMax: number,
  ) => Promise<Result<CaptureReader, CaptureProblem>>;
  /** The last bytes of a file. */
  readonly tail: (path: string, bytesMax: number) => Promise<Result<Uint8Array, CaptureProblem>>;
  /** What a path stands for: itself, or those files of a folder that end in .jsonl or .json, by name. */
  readonly filesAt: (path: string) => Promise<Result<readonly string[], CaptureProblem>>;
};
