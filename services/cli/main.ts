import { promises as files, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BodyWriter } from '../adapters/avro/codec.ts';
import { openBasis } from '../adapters/foundation/basis.ts';
import type { Foundation } from '../adapters/foundation/foundation.ts';
import { packageRoot } from '../adapters/system/package-root.ts';
import type { Command } from './commands.ts';
import { factWords } from './commands/fact-words.ts';
import { releaseCommands } from './commands/release.ts';
import { parseSettings } from '../core/settings.ts';
import type { Given, Request } from './terminal/arguments.ts';
import { neverFails, parseCommandLine, wantsJson } from './terminal/arguments.ts';
import { withDefaults } from './terminal/defaults.ts';
import { commandPorts } from './main/command-ports.ts';
import { absentCommands } from './main/edition.ts';
import { endProcess } from './main/end-process.ts';
import { readConfigured, unansweredFolder } from './main/settings-file.ts';
import type { Note } from './terminal/note.ts';
import { printNote, printProblem } from './terminal/output.ts';
import type { CliPorts, Terminal } from './ports.ts';
import type { CliProblem, ExitCode } from './problem.ts';
import { problem, refuse } from './problem.ts';
import { ok } from '../core/result.ts';
import { run } from './run.ts';

// The composition root of the command: it reads the environment and opens what a command asks for.

const args = process.argv.slice(2);
const isJson = wantsJson(args);

const terminal: Terminal = {
  out: (text) => {
    if (isOfPipelines && output === undefined) writeNow(text);
    else stdout().write(text);
  },
  err: (text) => void stderr().write(text),
  get columns() {
    const { isTTY, columns } = stdout();
    // A terminal that does not know its own width says 0.
    return isTTY && columns > 0 ? columns : null;
  },
  get hasColour() {
    return stdout().isTTY && (process.env['NO_COLOR'] ?? '') === '';
  },
};
let heldNotes: Note[] | undefined;
const note = (told: Note): void => {
  if (heldNotes === undefined) printNote(terminal, isJson, told);
  else heldNotes.push(told);
};
const holdNotes = (): (() => readonly Note[]) => {
  const held: Note[] = [];
  heldNotes = held;
  return () => {
    heldNotes = undefined;
    return held;
  };
};

const closeWithinMs = 2000;
/** What a pipeline runs has a deadline, and it is near. */
const closeSoonMs = 100;
const isEmitting = ({ name, options }: RunRequest['command']): boolean =>
  name === 'run' || options.some((one) => one.name === 'no-fail');
const closeWithin = (command: RunRequest['command']): number =>
  isEmitting(command) ? closeSoonMs : closeWithinMs;

type RunRequest = Extract<Request, { readonly ask: 'run' }>;

const answer = async (): Promise<number> => {
  const request = parseCommandLine(args, await commandsFor(args));
  if (!request.ok) return refused(request.problem);
  switch (request.value.ask) {
    case 'help':
      terminal.out(await helpAbout(request.value.about));
      return 0;
    case 'version':
      terminal.out(`${await packageVersion()}\n`);
      return 0;
    case 'run':
      return runCommand(request.value);
  }
};

/** What pipelines run is looked for before the table of all commands is loaded. */
const commandsFor = async ([first = '']: readonly string[]): Promise<readonly Command[]> => {
  if (first === 'release') return releaseCommands;
  if (first === 'emit') return (await import('./main/emit-command.ts')).commandsWithFlags();
  if (factWords.has(first)) return (await import('./commands/facts.ts')).factCommands;
  return (await import('./commands.ts')).commands;
};

const helpAbout = async (about: string): Promise<string> => {
  const ofKind = about.startsWith('emit')
    ? (await import('./main/emit-command.ts')).kindHelp(about, args)
    : undefined;
  return ofKind ?? (await import('./terminal/help.ts')).helpText(about);
};

const refused = async (cause: CliProblem): Promise<ExitCode> => {
  printProblem(terminal, isJson, cause);
  return neverFails(args, await commandsFor(args)) ? 0 : cause.exit;
};

const packageVersion = async (): Promise<string> => {
  const file = join(packageRoot, 'package.json');
  const { version } = JSON.parse(await files.readFile(file, 'utf8')) as {
    readonly version: string;
  };
  return version;
};

const runCommand = async ({ command, given }: RunRequest): Promise<number> => {
  isOfPipelines = isEmitting(command);
  if (absentCommands.has(command.name))
    return refused(
      problem(
        'not-in-this-package',
        `plimsoll ${command.name} is for whoever runs Plimsoll, and this is the package for pipelines`,
        `npm install plimsoll-server; plimsoll-server ${command.name}`,
      ),
    );
  // Settings are of everybody: what is wrong there must not stop anybody's deploy.
  const misled = async (cause: CliProblem): Promise<number> => {
    const exit = refused(cause);
    return command.name === 'run' && !given.has('strict') ? unrecorded(given) : exit;
  };
  const unanswered = await unansweredFolder(process.env, () => process.cwd());
  if (unanswered !== null) {
    const isPatient = given.has('strict') || !isEmitting(command);
    if (isPatient) return misled(unanswered);
    note(unanswered);
    return command.name === 'run' ? unrecorded(given) : 0;
  }
  const read = readSettings();
  if (!read.ok) return misled(read.problem);
  const { settings, settingSources } = read.value;
  for (const name of settings.unknown)
    note({ code: 'setting-unknown', message: `${name} is no setting`, hint: 'it is not obeyed' });
  const basis = openBasis(await writerFor(command.name));
  let opened: Promise<Foundation> | undefined;
  const open = async (): Promise<Foundation> => {
    const { makeObjectsYoung } = await import('../adapters/system/young-objects.ts');
    makeObjectsYoung();
    const { openFoundation } = await import('../adapters/foundation/foundation.ts');
    return openFoundation(settings, { basis });
  };
  try {
    return await run(
      commandPorts({ settings, ...basis }, () => (opened ??= open()), {
        env: process.env,
        settingSources,
        readSettings,
        terminal,
        note,
        holdNotes,
        isJson,
        stop: stopFor(
          command.name,
          given.has('follow') || given.has('exec') || given.value('at') !== null,
        ),
      }),
      command.name,
      withDefaults(command, given, settingSources.defaults),
    );
  } finally {
    // A driver that still looks for its server must not keep the command from ending.
    if (opened !== undefined)
      await Promise.race([
        opened.then((made) => made.close()),
        basis.clock.sleep(closeWithin(command)),
      ]);
  }
};

const readSettings: CliPorts['readSettings'] = () => {
  const configured = readConfigured(process.env, process.cwd());
  if (!configured.ok) return configured;
  const { env, sources: settingSources } = configured.value;
  const settings = parseSettings(env);
  if (settings.ok) return ok({ settings: settings.value, settingSources });
  const isOfFile = settingSources.setting(settings.problem.setting).from === 'file';
  const listed = 'plimsoll help settings lists them';
  return refuse(
    settings.problem.code,
    settings.problem.message,
    isOfFile ? `it stands in ${settingSources.file ?? ''}; ${listed}` : listed,
  );
};

/** The program of `run`, as if we were not there. */
const unrecorded = async ({ program: [program = '', ...words] }: Given): Promise<number> => {
  const { wrapProgram } = await import('./main/wrapping.ts');
  return (await wrapProgram([program, ...words], { keepsTail: false })).exit;
};

/** Services write many records; for a few, avsc takes longer to load than it saves. */
const writerFor = async (name: string): Promise<BodyWriter | undefined> =>
  services.has(name) ? (await import('../adapters/avro/avsc-type.ts')).avscWriter : undefined;

const services: ReadonlySet<string> = new Set(['up', 'gateway', 'projector', 'analyser']);

/** Asks commands that stay to end in their own time; a second Ctrl-C ends them at once. */
const stopFor = (name: string, isLong: boolean): AbortSignal => {
  const stopping = new AbortController();
  if (isLong || staying.has(name))
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => stopping.abort());
  return stopping.signal;
};

const staying: ReadonlySet<string> = new Set([
  ...[...services, 'gate'],
  ...['replay plan', 'replay run', 'replay diff', 'rebuild'],
]);

/**
 * Whoever reads our output may stop early, as `head` does: there is nobody left to work for. But what pipelines run has
 * its work to do where nobody can be told of it, as on a full disk, and its exit code says how that went.
 */
const endQuietly = (error: NodeJS.ErrnoException): void => {
  if (isOfPipelines) return;
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode);
};
let isOfPipelines = false;

/** Node makes a stream of each when it is first asked for: that takes a twentieth of a short command's time. */
const stdout = (): NodeJS.WriteStream => (output ??= process.stdout.on('error', endQuietly));
let output: NodeJS.WriteStream | undefined;

const stdoutFd = 1;

/** Of a command that says one line, without a stream. */
const writeNow = (text: string): void => {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(stdoutFd, bytes, written);
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException;
    // A stream waits until whoever reads it has room.
    if (error.code === 'EAGAIN') stdout().write(bytes.subarray(written));
    else endQuietly(error);
  }
};

const stderr = (): NodeJS.WriteStream => (errors ??= process.stderr.on('error', endQuietly));
let errors: NodeJS.WriteStream | undefined;

const behind = (stream: NodeJS.WriteStream | undefined, then: () => void): void => {
  if (stream === undefined) then();
  else stream.write('', then);
};

const fault = (cause: unknown): Promise<ExitCode> => {
  const missing = missingPackage(cause);
  if (missing !== undefined)
    return refused(
      problem(
        'package-missing',
        `what was asked for needs the package ${missing}, which is not installed here`,
        `npm install ${missing}, beside plimsoll; or use plimsoll-server, which has it`,
      ),
    );
  const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return refused(problem('internal', told, 'this is a fault of Plimsoll; please report it'));
};

/** The package for pipelines has no dependencies: drivers are there where somebody installed them beside it. */
const missingPackage = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error && 'code' in cause)) return undefined;
  if (cause.code !== 'MODULE_NOT_FOUND' && cause.code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  return /Cannot find (?:module|package) '([a-z@][^'./]*(?:\/[^'./]+)?)'/.exec(cause.message)?.[1];
};

// No await at the top: the compiled command is CommonJS, which starts sooner.
void answer()
  .catch(fault)
  .then((exit) => {
    process.exitCode = exit;
    // What is written to a pipe may still be on its way; what was opened may keep the process alive.
    behind(output, () => behind(errors, () => endProcess(exit)));
  });
