import { join } from 'node:path';
import type { ObeyCode } from '../../core/canary/obey/refusal.ts';
import type { Position } from '../../core/log/record.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Line } from '../../core/views.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { ProgramCall } from '../../ports/programs.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Checkpoint } from './exec-checkpoint.ts';
import { holdCheckpoint, onLog, readCheckpoint, sourceOf } from './exec-checkpoint.ts';
import type { Followed } from './exec-commands.ts';
import {
  begin,
  dropPending,
  endOfAll,
  endOfOne,
  isDue,
  isQueued,
  keep,
  mayBegin,
  noteAct,
} from './exec-commands.ts';
import { openObeying } from './obeying.ts';
import { openReader } from '../reading/open-reader.ts';
import { lineIn, textIn } from '../reading/line-fields.ts';
import { evidenceOf } from './exec-lines.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';

// Follows the decisions for `--exec`. Whether one may be obeyed is asked right before its command is begun.

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
    const opened = await openFollowed(ports, asked.value, isJson);
    if (!opened.ok) return opened;
    const followed = opened.value;
    try {
      return await follow(ports, followed, given.has('once'));
    } finally {
      // While one runs, nobody else may have the checkpoint.
      await endOfAll(followed);
    }
  } finally {
    release.value();
  }
};

const follow = async (
  ports: CliPorts,
  followed: Followed,
  isOnce: boolean,
): Promise<Result<void, CliProblem>> => {
  let isAway = false;
  let wasThere = false;
  while (!ports.stop.aborted && followed.unwritten === null) {
    const looked = await look(ports, followed);
    if (looked.ok) {
      wasThere = true;
      isAway = false;
    } else {
      // Whoever follows for days outlives a restart of what it asks.
      if (!wasThere || isOnce || looked.problem.exit !== 6) return looked;
      if (!isAway) ports.note(looked.problem);
      isAway = true;
    }
    if (isOnce) {
      const tried = await tryAll(ports, followed);
      if (!tried.ok) return tried;
      break;
    }
    await rest(ports, followed);
  }
  await endOfAll(followed);
  if (followed.unwritten !== null) return fail(followed.unwritten);
  return followed.failures > 0 && isOnce
    ? fail(
        problem(
          'exec-failed',
          `the command failed for ${countOf(followed.failures, 'decision')}`,
          'they are tried again with the next call, while they count',
        ),
      )
    : ok(undefined);
};

/** Until each decision has had its turn. */
const tryAll = async (ports: CliPorts, followed: Followed): Promise<Result<void, CliProblem>> => {
  while (followed.running.size > 0 && followed.unwritten === null) {
    await endOfOne(followed);
    const tried = await askAll(ports, followed, (id) => !followed.failing.has(id));
    if (!tried.ok) return tried;
  }
  return ok(undefined);
};

/** Until the next look: it is due at once when a command has ended, as another may wait for its end. */
const rest = async ({ clock, stop }: CliPorts, followed: Followed): Promise<void> => {
  const woken = new AbortController();
  const wake = (): void => woken.abort();
  followed.wake = wake;
  stop.addEventListener('abort', wake);
  if (!stop.aborted && !followed.hasEnded) await clock.sleep(lookEveryMs, woken.signal);
  stop.removeEventListener('abort', wake);
  followed.hasEnded = false;
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
  isJson: boolean,
): Promise<Result<Followed, CliProblem>> => {
  const kept = await readCheckpoint(ports, path);
  if (!kept.ok) return kept;
  return ok({
    path,
    command,
    isJson,
    checkpoint: kept.value ?? {
      ...{ of: sourceOf(ports), log: null },
      ...{ after: null, pending: [], obeyed: [] },
    },
    written: kept.value ?? null,
    writing: Promise.resolve(),
    unwritten: null,
    isOnLog: false,
    isFirst: kept.value === undefined,
    told: new Map(),
    waiting: new Map(),
    slots: new Map(),
    running: new Map(),
    acts: new Map(),
    failing: new Map(),
    failures: 0,
    hasEnded: false,
    wake: () => undefined,
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
const look = async (ports: CliPorts, followed: Followed): Promise<Result<void, CliProblem>> => {
  if (!followed.isOnLog) {
    const known = await checkLog(ports, followed);
    if (!known.ok) return known;
  }
  const news = await newDecisions(ports, followed.checkpoint);
  if (!news.ok) return news;
  const { checkpoint } = followed;
  // What is noted as looked at is pending until something came of it: a kill in between loses nothing.
  followed.checkpoint = {
    ...checkpoint,
    after: news.value.reduce<Position | null>(
      (after, position) => Math.max(after ?? 0, position),
      checkpoint.after,
    ),
    pending: [...new Set([...checkpoint.pending, ...news.value])],
  };
  const asked = await askAll(ports, followed, (id) => isDue(ports, followed, id));
  if (!asked.ok) return asked;
  followed.isFirst = false;
  return ok(undefined);
};

/** Asks about everything that is pending, and begins what may be obeyed. */
const askAll = async (
  ports: CliPorts,
  followed: Followed,
  mayTry: (act: string) => boolean,
): Promise<Result<void, CliProblem>> => {
  let hasRefused = false;
  for (const position of followed.checkpoint.pending) {
    if (ports.stop.aborted) return ok(undefined);
    if (followed.unwritten !== null) return fail(followed.unwritten);
    // By now its command may have ended.
    if (!followed.checkpoint.pending.includes(position)) continue;
    const said = followed.acts.get(position);
    if ((said !== undefined && !mayTry(said.id)) || isQueued(followed, position)) continue;
    const asked = await consider(ports, followed, position, mayTry);
    if (!asked.ok) return asked;
    hasRefused ||= asked.value === 'settled';
  }
  forgetDone(followed);
  return hasRefused ? keep(ports, followed) : ok(undefined);
};

/** What is not pending is never looked at again. */
const forgetDone = ({ checkpoint, told, waiting, slots, acts, failing }: Followed): void => {
  const pending = new Set(checkpoint.pending);
  for (const byPosition of [told, slots, acts])
    for (const position of byPosition.keys())
      if (!pending.has(position)) byPosition.delete(position);
  const known = new Set([...acts.values()].map(({ id }) => id));
  for (const id of failing.keys()) if (!known.has(id)) failing.delete(id);
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

/** Asks about one decision, and begins its command where it may be obeyed and its turn has come. */
const consider = async (
  ports: CliPorts,
  followed: Followed,
  position: Position,
  mayTry: (act: string) => boolean,
): Promise<Result<'settled' | 'begun' | 'queued', CliProblem>> => {
  const obeying = await openObeying(ports);
  if (!obeying.ok) return obeying;
  const asked = await obeying.value.decision(position);
  if (!asked.ok) return asked;
  const act = lineIn(asked.value, 'act');
  const id = act === null ? '' : textIn(act, 'id');
  if (act !== null && !followed.checkpoint.obeyed.includes(id)) {
    noteAct(followed, position, { id, key: keyIn(asked.value) });
    // What a renewal says may be failing already.
    if (!mayBegin(followed, position, act) || !mayTry(id)) return ok('queued');
    begin(ports, followed, position, act);
    return ok('begun');
  }
  followed.slots.delete(position);
  if (act !== null || !isLeftPending(ports, followed, position, asked.value))
    dropPending(followed, position);
  return ok('settled');
};

const keyIn = (answer: Line): string => textIn(lineIn(answer, 'decision') ?? {}, 'key');

/** Tells why a decision is not obeyed; whether that may pass, and no other says the same. */
const isLeftPending = (
  ports: CliPorts,
  followed: Followed,
  position: Position,
  answer: Line,
): boolean => {
  const refused = lineIn(answer, 'refused') ?? {};
  const [code, message, hint] = ['code', 'message', 'hint'].map((name) => textIn(refused, name));
  const told = { code: code ?? '', message: message ?? '', hint: hint ?? '' };
  const same = evidenceOf(answer, position);
  const key = keyIn(answer);
  const byKey = followed.waiting.get(same) ?? new Map<string, Position>();
  const first = byKey.get(key);
  const isWaitedFor =
    first !== undefined && first !== position && followed.checkpoint.pending.includes(first);
  const isKnown = [...byKey.values()].some((other) => followed.told.get(other) === told.code);
  const isLeft = passing.has(told.code) && !isWaitedFor;
  if (isLeft) followed.waiting.set(same, byKey.set(key, position));
  if (isKnown) followed.told.set(position, told.code);
  if (!isWaitedFor) tellRefusal(ports, followed, position, told);
  return isLeft;
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
