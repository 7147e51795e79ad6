import { join } from 'node:path';
import type { ObeyCode } from '../../core/canary/obey/refusal.ts';
import type { Position } from '../../core/log/record.ts';
import { validForMsMax } from '../../core/markers/limits.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { ProgramCall } from '../../ports/programs.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Checkpoint } from './exec-checkpoint.ts';
import {
  holdCheckpoint,
  onLog,
  readCheckpoint,
  sourceOf,
  writeCheckpoint,
} from './exec-checkpoint.ts';
import { openObeying } from './obeying.ts';
import { openReader } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import { lineIn, textIn } from '../reading/line-fields.ts';
import { envOf, evidenceOf, sentence } from './exec-lines.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';

// Runs a command once for each decision that may be obeyed. Whether it may is asked right before the run.

const lookEveryMs = 1000;
const decisionsReadMax = 1000;
/** Without a checkpoint only the newest are looked at: older ones have lapsed. */
const firstReadMax = 200;

/** Refusals that may pass while the decision still counts: a person says yes, a stop ends, clocks meet. */
const passing: ReadonlySet<string> = new Set<ObeyCode>([
  ...(['approval-missing', 'approval-declined', 'approval-lapsed', 'approval-suspect'] as const),
  'approver-is-planner',
  ...([
    'stopped',
    'slot-frozen',
    'place-frozen',
    'gate-held',
    'from-the-future',
    'evidence-stale',
  ] as const),
]);
/** Nobody who begins to follow needs to hear of decisions that are history. */
const history: ReadonlySet<string> = new Set<ObeyCode>([
  ...(['expired', 'attempt-ended', 'superseded', 'overtaken', 'evidence-stale'] as const),
  ...(['after-roll-back', 'holder-changed', 'already-obeyed'] as const),
]);

type Followed = {
  readonly path: string;
  readonly command: ProgramCall['command'];
  checkpoint: Checkpoint;
  /** Whether the checkpoint is known to be of the log that is followed. */
  isOnLog: boolean;
  isFirst: boolean;
  /** The code that was told last, by position; of what is pending. */
  readonly told: Map<Position, string>;
  /**
   * By what is said, and by the key that says it: which pending decision stands for the others. One of each key, as a key
   * may be found compromised; then its oldest is the last to fall.
   */
  readonly waiting: Map<string, Map<string, Position>>;
  failures: number;
};

export const runExec = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const asked = readAsked(ports, given);
  if (!asked.ok) return asked;
  const { command } = asked.value;
  // Else nobody would hear of it before there is something to act on.
  const found = 'shell' in command ? ok(undefined) : await ports.findProgram(command[0]);
  if (!found.ok)
    return refuse(
      'option-invalid',
      `--exec: ${found.problem.message}`,
      'name a program of this machine; with --shell the words are a line for sh',
    );
  const release = await holdCheckpoint(ports, asked.value.path);
  if (!release.ok) return release;
  try {
    const opened = await openFollowed(ports, asked.value);
    return opened.ok ? await follow(ports, opened.value, given, isJson) : opened;
  } finally {
    release.value();
  }
};

const follow = async (
  ports: CliPorts,
  followed: Followed,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  let isAway = false;
  let wasThere = false;
  while (!ports.stop.aborted) {
    const passed = await pass(ports, followed, isJson);
    if (passed.ok) {
      wasThere = true;
      isAway = false;
    } else {
      // Whoever follows for days outlives a restart of what it asks.
      if (!wasThere || given.has('once') || passed.problem.exit !== 6) return passed;
      if (!isAway) ports.note(passed.problem);
      isAway = true;
    }
    if (given.has('once')) break;
    await ports.clock.sleep(lookEveryMs, ports.stop);
  }
  return followed.failures > 0 && given.has('once')
    ? fail(
        problem(
          'exec-failed',
          `the command failed for ${countOf(followed.failures, 'decision')}`,
          'they are tried again with the next call, while they count',
        ),
      )
    : ok(undefined);
};

type Asked = Pick<Followed, 'path' | 'command'>;

const readAsked = (
  { settings }: Pick<CliPorts, 'settings'>,
  given: Given,
): Result<Asked, CliProblem> => {
  if (!given.has('follow') && !given.has('once'))
    return refuse(
      'option-missing',
      '--exec needs to know how long: --follow or --once',
      'for instance: plimsoll decisions --follow --exec=./obey.sh',
    );
  const command = commandOf(given.value('exec') ?? '', given.has('shell'));
  if (!command.ok) return command;
  const path =
    given.value('checkpoint') ?? join(settings.dataFolder, 'obeyed', `${settings.audience}.json`);
  return ok({ path, command: command.value });
};

const openFollowed = async (
  ports: CliPorts,
  { path, command }: Asked,
): Promise<Result<Followed, CliProblem>> => {
  const kept = await readCheckpoint(ports, path);
  if (!kept.ok) return kept;
  return ok({
    path,
    command,
    checkpoint: kept.value ?? {
      ...{ of: sourceOf(ports), log: null },
      ...{ after: null, pending: [], obeyed: [] },
    },
    isOnLog: false,
    isFirst: kept.value === undefined,
    told: new Map(),
    waiting: new Map(),
    failures: 0,
  });
};

/** A program and its words, parted by spaces; what only a shell understands is refused. */
const commandOf = (
  written: string,
  isShell: boolean,
): Result<ProgramCall['command'], CliProblem> => {
  if (isShell) return ok({ shell: written });
  const special = /["'\\$`|&;<>(){}*?[\]~#\n]/.exec(written)?.[0];
  if (special !== undefined)
    return refuse(
      'option-invalid',
      `--exec has ${JSON.stringify(special)}, which only a shell understands`,
      'put it into a script, or say --shell and have sh run the line',
    );
  const [program = '', ...words] = written.trim().split(/\s+/);
  return ok([program, ...words]);
};

/** One look: at what waits, then at what is new. */
const pass = async (
  ports: CliPorts,
  followed: Followed,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  if (!followed.isOnLog) {
    const known = await checkLog(ports, followed);
    if (!known.ok) return known;
  }
  const news = await newDecisions(ports, followed.checkpoint);
  if (!news.ok) return news;
  const positions = [...new Set([...followed.checkpoint.pending, ...news.value])];
  for (const position of positions) {
    if (ports.stop.aborted) return ok(undefined);
    const done = await consider(ports, followed, position, isJson);
    if (!done.ok) return done;
  }
  followed.isFirst = false;
  forgetDone(followed);
  return ok(undefined);
};

/** What is not pending is never looked at again. */
const forgetDone = ({ checkpoint, told, waiting }: Followed): void => {
  const pending = new Set(checkpoint.pending);
  for (const position of told.keys()) if (!pending.has(position)) told.delete(position);
  for (const [evidence, byKey] of waiting) {
    for (const [key, position] of byKey) if (!pending.has(position)) byKey.delete(key);
    if (byKey.size === 0) waiting.delete(evidence);
  }
};

const checkLog = async (ports: CliPorts, followed: Followed): Promise<Result<void, CliProblem>> => {
  const obeying = await openObeying(ports);
  if (!obeying.ok) return obeying;
  const logId = await obeying.value.logId();
  if (!logId.ok) return logId;
  const checkpoint = onLog(followed.checkpoint, followed.path, logId.value);
  if (!checkpoint.ok) return checkpoint;
  followed.checkpoint = checkpoint.value;
  followed.isOnLog = true;
  return ok(undefined);
};

const newDecisions = async (
  ports: CliPorts,
  { after }: Checkpoint,
): Promise<Result<readonly Position[], CliProblem>> => {
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const lines = await reader.value.list(
    'decisions',
    after === null ? { newestMax: firstReadMax } : { after, newestMax: decisionsReadMax },
  );
  if (!lines.ok) return lines;
  return ok(
    lines.value.flatMap(({ position }) => (typeof position === 'number' ? [position] : [])),
  );
};

/** Asks about one decision, runs the command where it may be obeyed, and keeps what came of it. */
const consider = async (
  ports: CliPorts,
  followed: Followed,
  position: Position,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const obeying = await openObeying(ports);
  if (!obeying.ok) return obeying;
  const asked = await obeying.value.decision(position);
  if (!asked.ok) return asked;
  const act = lineIn(asked.value, 'act');
  const { checkpoint } = followed;
  let { pending, obeyed } = checkpoint;
  pending = pending.filter((other) => other !== position);
  if (act === null) {
    const refused = lineIn(asked.value, 'refused') ?? {};
    const [code, message, hint] = ['code', 'message', 'hint'].map((name) => textIn(refused, name));
    const told = { code: code ?? '', message: message ?? '', hint: hint ?? '' };
    const same = evidenceOf(asked.value, position);
    const key = textIn(lineIn(asked.value, 'decision') ?? {}, 'key');
    const byKey = followed.waiting.get(same) ?? new Map<string, Position>();
    const first = byKey.get(key);
    const isWaitedFor = first !== undefined && first !== position && pending.includes(first);
    const isKnown = [...byKey.values()].some((other) => followed.told.get(other) === told.code);
    if (passing.has(told.code) && !isWaitedFor) {
      pending = [...pending, position];
      followed.waiting.set(same, byKey.set(key, position));
    }
    if (isKnown) followed.told.set(position, told.code);
    if (!isWaitedFor) tellRefusal(ports, followed, position, told);
  } else {
    const id = textIn(act, 'id');
    if (!obeyed.includes(id)) {
      const ran = await runFor(ports, followed, act, isJson);
      if (ran) obeyed = [...obeyed, id];
      // It is tried again while it counts.
      else pending = [...pending, position];
    }
  }
  const after = Math.max(checkpoint.after ?? 0, position);
  followed.checkpoint = { ...checkpoint, after, pending, obeyed };
  const isSame =
    after === checkpoint.after &&
    obeyed === checkpoint.obeyed &&
    String(pending) === String(checkpoint.pending);
  return isSame ? ok(undefined) : writeCheckpoint(ports, followed.path, followed.checkpoint);
};

const tellRefusal = (
  { note }: CliPorts,
  { told, isFirst }: Followed,
  position: Position,
  {
    code,
    message,
    hint,
  }: { readonly code: string; readonly message: string; readonly hint: string },
): void => {
  if (told.get(position) === code || (isFirst && history.has(code))) return;
  told.set(position, code);
  note({ code, message: `the decision at position ${position} is not obeyed: ${message}`, hint });
};

/** Whether the command was run and ended well. */
const runFor = async (
  ports: CliPorts,
  followed: Followed,
  act: Line,
  isJson: boolean,
): Promise<boolean> => {
  const ran = await ports.runProgram({
    command: followed.command,
    input: `${JSON.stringify(act)}\n`,
    env: envOf(act),
    timeoutMs: validForMsMax,
  });
  const position = Number(act['position']);
  if (ran.ok && ran.value.exit === 0) {
    followed.told.delete(position);
    if (isJson) printLines(ports.terminal, [{ ...act, exit: 0 }]);
    else printText(ports.terminal, [sentence(act)]);
    return true;
  }
  followed.failures += 1;
  const how = ran.ok
    ? ran.value.exit === null
      ? 'it was killed'
      : `it ended with ${ran.value.exit}`
    : ran.problem.message;
  if (followed.told.get(position) !== 'exec-failed') {
    followed.told.set(position, 'exec-failed');
    ports.note({
      code: 'exec-failed',
      message: `the command for the decision at position ${position} failed: ${how}`,
      hint: 'it is tried again while the decision counts',
    });
  }
  return false;
};
