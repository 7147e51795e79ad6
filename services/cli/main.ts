import { readFile } from 'node:fs/promises';
import { openFoundation } from '../adapters/foundation/foundation.ts';
import { makeObjectsYoung } from '../adapters/system/young-objects.ts';
import { parseSettings } from '../core/settings.ts';
import type { Request } from './terminal/arguments.ts';
import { neverFails, parseArguments, wantsJson } from './terminal/arguments.ts';
import { helpText } from './terminal/help.ts';
import { commandPorts } from './main/command-ports.ts';
import type { Note } from './terminal/note.ts';
import { printNote, printProblem } from './terminal/output.ts';
import type { Terminal } from './ports.ts';
import type { CliProblem, ExitCode } from './problem.ts';
import { problem } from './problem.ts';
import { run } from './run.ts';

// The composition root of the command: it reads the environment and opens what a command asks for.

makeObjectsYoung();

const args = process.argv.slice(2);
const isJson = wantsJson(args);

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: process.stdout.isTTY ? process.stdout.columns : null,
  hasColour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
};
const note = (told: Note): void => printNote(terminal, isJson, told);

const closeWithinMs = 2000;

type RunRequest = Extract<Request, { readonly ask: 'run' }>;

const answer = async (): Promise<ExitCode> => {
  const request = parseArguments(args);
  if (!request.ok) return refused(request.problem);
  switch (request.value.ask) {
    case 'help':
      terminal.out(helpText(request.value.about));
      return 0;
    case 'version':
      terminal.out(`${await packageVersion()}\n`);
      return 0;
    case 'run':
      return runCommand(request.value);
  }
};

const refused = (cause: CliProblem): ExitCode => {
  printProblem(terminal, isJson, cause);
  return neverFails(args) ? 0 : cause.exit;
};

const packageVersion = async (): Promise<string> => {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
  return version;
};

const runCommand = async ({ command, given }: RunRequest): Promise<ExitCode> => {
  const settings = parseSettings(process.env);
  if (!settings.ok)
    return refused(
      problem(settings.problem.code, settings.problem.message, 'plimsoll help settings lists them'),
    );
  for (const name of settings.value.unknown)
    note({ code: 'setting-unknown', message: `${name} is no setting`, hint: 'it is not obeyed' });
  const foundation = openFoundation(settings.value);
  try {
    return await run(
      commandPorts(foundation, {
        env: process.env,
        terminal,
        note,
        stop: stopFor(
          command.name,
          given.has('follow') || given.has('exec') || given.value('at') !== null,
        ),
      }),
      command.name,
      given,
    );
  } finally {
    // A driver that still looks for its server must not keep the command from ending.
    await Promise.race([foundation.close(), foundation.clock.sleep(closeWithinMs)]);
  }
};

/** Asks commands that stay to end in their own time; a second Ctrl-C ends them at once. */
const stopFor = (name: string, isLong: boolean): AbortSignal => {
  const stopping = new AbortController();
  if (isLong || staying.has(name))
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => stopping.abort());
  return stopping.signal;
};

const staying: ReadonlySet<string> = new Set([
  ...['up', 'gateway', 'projector', 'analyser', 'gate'],
  ...['replay plan', 'replay run', 'replay diff', 'rebuild'],
]);

/** Whoever reads our output may stop early, as `head` does. */
const endQuietly = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode);
};
process.stdout.on('error', endQuietly);
process.stderr.on('error', endQuietly);

try {
  process.exitCode = await answer();
} catch (cause) {
  const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  process.exitCode = refused(
    problem('internal', told, 'this is a fault of Plimsoll; please report it'),
  );
}
// What is written to a pipe may still be on its way; what was opened may keep the process alive.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
