import type { Line } from '../../core/views.ts';
import { jsonText, plainText } from './display.ts';
import type { Note } from './note.ts';
import type { Terminal } from '../ports.ts';
import type { CliProblem } from '../problem.ts';

/** JSON Lines: one value, one line. */
export const printLines = ({ out }: Terminal, lines: readonly (Line | object)[]): void => {
  for (const line of lines) out(`${jsonText(line)}\n`);
};

export const printText = ({ out }: Terminal, lines: readonly string[]): void => {
  for (const line of lines) out(`${line}\n`);
};

/** An error on stderr: for people one line and what to do, with --json {code,message,hint}. */
export const printProblem = (
  { err }: Terminal,
  isJson: boolean,
  { code, message, hint }: CliProblem,
): void =>
  err(
    isJson
      ? `${jsonText({ code, message, hint })}\n`
      : `plimsoll: ${plainText(message)} [${plainText(code)}]\n  ${plainText(hint)}\n`,
  );

/** Something to know, in the same form as an error. */
export const printNote = (
  { err }: Terminal,
  isJson: boolean,
  { code, message, hint }: Note,
): void =>
  err(
    isJson
      ? `${jsonText({ code, message, hint })}\n`
      : `plimsoll: ${plainText(message)}${hint === '' ? '' : `; ${plainText(hint)}`}\n`,
  );

/** The line that holds a marker whole, for the log of a CI job: in any other line it is found as well. */
export const printMarkerLine = ({ err }: Terminal, isJson: boolean, line: string): void =>
  err(
    isJson
      ? `${jsonText({ code: 'marker-line', message: line, hint: 'plimsoll flush --from-log delivers it' })}\n`
      : `${line}\n`,
  );
