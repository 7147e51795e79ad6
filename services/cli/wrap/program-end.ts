import { maskSecrets } from '../../core/secrets/find-secrets.ts';
import type { ProgramEnd } from '../../ports/programs.ts';
import { plainText } from '../terminal/display.ts';

/** What is said on the log of how a program ended. */
export type EndSaid = {
  readonly status: 'SUCCESS' | 'FAILED' | 'CANCELED';
  /** In short, and with the last lines of stderr; null for a success. */
  readonly reason: string | null;
  readonly reasonInFull: string | null;
};

/** Signals that ask to stop. What else ends a program is no wish of anybody's. */
const stopping: ReadonlySet<string> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

export const endSaid = ({ exit, signal, asked, tail, problem }: ProgramEnd): EndSaid => {
  const stop = signal !== null && stopping.has(signal) ? signal : asked;
  // One that tidies up when it is asked to stop may end with 0, and one that was to outlive its terminal went on.
  if (stop !== null && !(exit === 0 && stop === 'SIGHUP')) {
    const reason = `stopped by ${stop}`;
    return { status: 'CANCELED', reason, reasonInFull: reason };
  }
  if (exit === 0) return { status: 'SUCCESS', reason: null, reasonInFull: null };
  const reason = problem ?? (signal === null ? `exit code ${exit}` : `killed by ${signal}`);
  const lines = lastLines(tail);
  return {
    status: 'FAILED',
    reason: problem === null ? reason : `exit code ${exit}`,
    reasonInFull: lines === '' ? maskSecrets(reason) : `${reason}: ${lines}`,
  };
};

const linesMax = 10;
/** Of a reason of at most 2,000. */
const charactersMax = 1500;

/** The last lines that say something, without colours, with secrets masked before anything is cut. */
export const lastLines = (tail: string): string => {
  const lines = maskSecrets(tail.replaceAll('\ufffd', '').replace(escapes, ''))
    .split('\n')
    // What a progress bar has written over is gone.
    .map((line) => plainText(line.trimEnd().split('\r').at(-1) ?? '').trimEnd())
    .filter((line) => line !== '')
    .slice(-linesMax);
  const text = lines.join('\n');
  return text.length <= charactersMax ? text : `…${text.slice(-charactersMax)}`.toWellFormed();
};

const escapes =
  // oxlint-disable-next-line eslint/no-control-regex -- finding them is its task
  /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;
