import type { Operation } from '../../core/markers/marker.ts';
import { filterText } from '../../core/record-filter.ts';
import type { OperationDraft } from '../../core/operations.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Trust } from '../../core/trust/trust.ts';
import type { Generation } from '../../ports/read-model-store.ts';
import type {
  BegunRun,
  DroppedGeneration,
  Replaying,
  ReplayProblem,
  ReplayRun,
  RunWish,
  Switched,
} from '../../ports/replaying.ts';
import {
  appendOperation,
  draftOperation,
  mayOperate,
  readOperator,
} from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import type { ReplayCommand } from '../commands/replay.ts';
import { readCount } from '../terminal/duration.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed, refuse } from '../problem.ts';
import { openProgressBar } from '../terminal/progress.ts';
import { readBelieved, readChoice, refuseWithResume } from './choice.ts';
import {
  diffLines,
  diffText,
  planLine,
  planText,
  runLine,
  runText,
  statusLine,
  statusText,
  switchedLine,
  switchedText,
} from './text.ts';

type Done = Promise<Result<void, CliProblem>>;

/** `plimsoll replay …` and `plimsoll rebuild`: read models beside those in use. */
export const runReplays = async (
  ports: CliPorts,
  name: ReplayCommand,
  given: Given,
  isJson: boolean,
): Done => {
  const refused = onlyAtHand(ports, name);
  if (refused !== undefined) return refused;
  const opened = await ports.replay();
  if (!opened.ok) return opened;
  const replay = opened.value;
  switch (name) {
    case 'replay plan':
      return plan(ports, replay, given, isJson);
    case 'replay run':
      return run(ports, replay, given, isJson);
    case 'replay pause':
      return pause(ports, replay, given, isJson);
    case 'replay status':
      return status(ports, replay, isJson);
    case 'replay diff':
      return diff(ports, replay, given, isJson);
    case 'replay switch':
      return switchGeneration(ports, replay, given, isJson);
    case 'replay back':
      return back(ports, replay, given, isJson);
    case 'replay drop':
      return drop(ports, replay, given, isJson);
    case 'rebuild':
      return rebuild(ports, replay, given, isJson);
  }
};

const isWantedBy =
  ({ stop }: CliPorts) =>
  (): boolean =>
    !stop.aborted;

const plan = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const choice = await readChoice(ports, given);
  if (!choice.ok) return choice;
  const believed = readBelieved(given, ports.chance());
  if (!believed.ok) return believed;
  const planned = await replay.plan(
    { ...choice.value, ...believed.value },
    {
      hasEffect: !given.has('no-effect'),
      onProgress: openProgressBar(ports, 'folding, to nothing that stays'),
      isWanted: isWantedBy(ports),
    },
  );
  if (!planned.ok) return fail(foldFailed(planned.problem));
  const line = planLine(planned.value, choice.value, believed.value);
  if (isJson) printLines(ports.terminal, [line]);
  else printText(ports.terminal, planText(planned.value, ports.terminal.columns));
  return ok(undefined);
};

const run = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const operator = await openOperator(ports, replay, given, 'generation-built');
  if (!operator.ok) return operator;
  const wish = await readWish(ports, given, operator.value);
  if (!wish.ok) return wish;
  const ran = await runAndTell(ports, replay, wish.value, operator.value);
  if (!ran.ok) return ran;
  if (isJson) printLines(ports.terminal, [runLine(ran.value.run, ran.value.operation)]);
  else printText(ports.terminal, runText(ran.value.run));
  return ran.value.run.state === 'complete' ? ok(undefined) : paused(ran.value.run);
};

const paused = ({ generation, next }: ReplayRun): Result<never, CliProblem> =>
  refuse(
    'paused',
    `generation ${generation} is paused at position ${next}`,
    `plimsoll replay run --resume=${generation} --reason=TEXT goes on`,
  );

const readWish = async (
  ports: CliPorts,
  given: Given,
  { principal, reason }: Operator,
): Promise<Result<RunWish, CliProblem>> => {
  const resume = given.value('resume');
  if (resume !== null) {
    const alone = refuseWithResume(given);
    return alone.ok ? ok({ resume }) : alone;
  }
  const choice = await readChoice(ports, given);
  if (!choice.ok) return choice;
  const believed = readBelieved(given, ports.chance());
  if (!believed.ok) return believed;
  const written = given.value('rate');
  const rate = written === null ? ok(null) : readCount('rate', written, rateMax);
  if (!rate.ok) return rate;
  return ok({
    ...choice.value,
    ...believed.value,
    by: { principal, reason },
    rate: rate.value,
  });
};

const rateMax = 1_000_000;

type Ran = { readonly run: ReplayRun; readonly operation: number | null };

/** The run, and the operation that tells of it: it comes after what it tells of. */
const runAndTell = async (
  ports: CliPorts,
  replay: Replaying,
  wish: RunWish,
  operator: Operator,
): Promise<Result<Ran, CliProblem>> => {
  let untellable: CliProblem | undefined;
  const ran = await replay.run(wish, {
    onBegun: async (begun) => {
      const told = await tellOfBeginning(ports, replay, operator, begun);
      if (!told.ok) untellable = told.problem;
      else
        ports.note({
          code: 'generation',
          message: `folding into generation ${begun.generation}; readers go on as before`,
          hint: '',
        });
      return told.ok;
    },
    onProgress: openProgressBar(ports, 'folding'),
    isWanted: isWantedBy(ports),
  });
  if (!ran.ok) return fail(untellable ?? runFailed(ran.problem, wish));
  const { generation, next, folded, leftOut, wrongChecks, filter, rowsDigest, state } = ran.value;
  for (const { from, to, why } of wrongChecks)
    ports.note({
      code: 'checks-wrong',
      message: `what was remembered of the signature checks of records ${from} to ${to} was wrong (${why}); they were made again`,
      hint: 'who else writes to this store?',
    });
  if (state === 'paused')
    return ok({ run: ran.value, operation: await tellOfPause(ports, replay, operator, ran.value) });
  const words = filterText(filter);
  const operation = await tell(ports, replay, operator, generation, {
    ...{ kind: 'generation-built', generation, from: 0, to: next },
    counts: [
      { name: 'records', value: folded },
      ...(words === '' ? [] : [{ name: 'left-out', value: leftOut }]),
      { name: 'checks-wrong', value: wrongChecks.length },
    ],
    note: `rows ${rowsDigest}${words === '' ? '' : `; only ${words}`}`.slice(0, noteMax),
  });
  return operation.ok ? ok({ run: ran.value, operation: operation.value }) : operation;
};

/** Before anything is folded, so that the log tells of a run that is killed, too. */
const tellOfBeginning = async (
  ports: CliPorts,
  replay: Replaying,
  operator: Operator,
  { generation, from, to, filter }: BegunRun,
): Promise<Result<number, CliProblem>> => {
  const words = filterText(filter);
  const about = [
    ...(from > 1 ? [`goes on from position ${from}`] : []),
    ...(words === '' ? [] : [`only ${words}`]),
  ].join('; ');
  const told = await append(ports, replay, operator, null, {
    ...{ kind: 'generation-begun', generation, from, to },
    note: about === '' ? null : about.slice(0, noteMax),
  });
  return told.ok
    ? told
    : fail({ ...told.problem, message: `nothing was folded: ${told.problem.message}` });
};

/** Null: the log could not be told; the pause stands all the same. */
const tellOfPause = async (
  ports: CliPorts,
  replay: Replaying,
  operator: Operator,
  { generation, next, folded }: ReplayRun,
): Promise<number | null> => {
  const told = await tell(ports, replay, operator, null, {
    ...{ kind: 'generation-paused', generation, from: 0, to: next },
    counts: [{ name: 'records', value: folded }],
    note: ports.stop.aborted ? null : 'somebody else asked for it',
  });
  if (told.ok) return told.value;
  ports.note(told.problem);
  return null;
};

/** Whoever was killed counts as folding until it was not heard of for a minute. */
const runFailed = (problem: ReplayProblem, wish: RunWish): CliProblem =>
  'resume' in wish && problem.code === 'generation-in-use'
    ? {
        ...foldFailed(problem),
        hint: `wait a minute if it was killed, or plimsoll replay pause ${wish.resume}`,
      }
    : foldFailed(problem);

const noteMax = 1000;

const pause = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const generation = given.words[0] ?? '';
  const asked = await replay.pause(generation);
  if (!asked.ok) return fail(foldFailed(asked.problem));
  if (isJson) printLines(ports.terminal, [{ generation, asked: true }]);
  else
    printText(ports.terminal, [
      `whoever folds ${generation} pauses within a few seconds; plimsoll replay run --resume=${generation} goes on`,
    ]);
  return ok(undefined);
};

const status = async (ports: CliPorts, replay: Replaying, isJson: boolean): Done => {
  const found = await replay.status();
  if (!found.ok) return fail(foldFailed(found.problem));
  if (isJson) printLines(ports.terminal, found.value.map(statusLine));
  else if (found.value.length === 0)
    ports.note({ code: 'empty', message: 'no generations yet', hint: '' });
  else printText(ports.terminal, statusText(found.value, ports.terminal.columns));
  return ok(undefined);
};

const differencesShown = 50;
const differencesMax = 10_000;

const diff = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const limit = readCount('limit', given.value('limit') ?? `${differencesShown}`, differencesMax);
  if (!limit.ok) return limit;
  const written = given.value('after');
  const after = written === null ? ok(0) : readCount('after', written, differencesMax);
  if (!after.ok) return after;
  const shown = isJson && !given.has('limit') ? differencesMax : limit.value;
  const [first = '', second = null] = given.words;
  const compared = await replay.diff(first, second, {
    onProgress: openProgressBar(ports, 'folding what is compared'),
    isWanted: isWantedBy(ports),
  });
  if (!compared.ok) return fail(foldFailed(compared.problem));
  const page = { from: after.value, max: shown };
  if (isJson) printLines(ports.terminal, diffLines(compared.value, page));
  else printText(ports.terminal, diffText(compared.value, page, ports.terminal.columns));
  return ok(undefined);
};

const switchGeneration = async (
  ports: CliPorts,
  replay: Replaying,
  given: Given,
  isJson: boolean,
): Done => {
  const operator = await openOperator(ports, replay, given, 'generation-switched');
  if (!operator.ok) return operator;
  const switched = await replay.switchTo(given.words[0] ?? '', {
    isForced: given.has('force'),
    onProgress: openProgressBar(ports, 'folding what is new'),
    isWanted: isWantedBy(ports),
  });
  if (!switched.ok) return fail(foldFailed(switched.problem));
  return tellSwitched(ports, replay, operator.value, switched.value, isJson);
};

const back = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const operator = await openOperator(ports, replay, given, 'generation-switched');
  if (!operator.ok) return operator;
  const switched = await replay.back({
    isStale: given.has('stale'),
    onProgress: openProgressBar(ports, 'folding what is new'),
    isWanted: isWantedBy(ports),
  });
  if (!switched.ok) return fail(foldFailed(switched.problem));
  return tellSwitched(ports, replay, operator.value, switched.value, isJson);
};

const tellSwitched = async (
  ports: CliPorts,
  replay: Replaying,
  operator: Operator,
  switched: Switched,
  isJson: boolean,
): Done => {
  const told = await tellOfSwitch(ports, replay, operator, switched);
  if (!told.ok) return told;
  if (isJson) printLines(ports.terminal, [switchedLine(switched, told.value)]);
  else printText(ports.terminal, switchedText(switched));
  return ok(undefined);
};

/** Null: readers used it already, and there is nothing to tell. */
const tellOfSwitch = async (
  ports: CliPorts,
  replay: Replaying,
  operator: Operator,
  { from, to, next, rowsDigest }: Switched,
): Promise<Result<number | null, CliProblem>> => {
  if (from === to) return ok(null);
  const told = await tell(ports, replay, operator, to, {
    ...{ kind: 'generation-switched', generation: to, from: 0, to: next },
    note: `rows ${rowsDigest}${from === null ? '' : `; before: ${from}`}`,
  });
  return told.ok ? told : fail({ ...told.problem, hint: againHint(to) });
};

const drop = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const operator = await openOperator(ports, replay, given, 'generation-dropped');
  if (!operator.ok) return operator;
  const dropped = await replay.drop(given.words[0] ?? '', { isForced: given.has('force') });
  if (!dropped.ok) return fail(foldFailed(dropped.problem));
  const { generation, rows } = dropped.value;
  const operation = await tellOfDrop(ports, replay, operator.value, dropped.value);
  if (!operation.ok) return operation;
  if (isJson) printLines(ports.terminal, [{ generation, rows, operation: operation.value }]);
  else printText(ports.terminal, [`dropped generation ${generation}: ${rows} rows`]);
  return ok(undefined);
};

const tellOfDrop = (
  ports: CliPorts,
  replay: Replaying,
  operator: Operator,
  { generation, rows, next }: DroppedGeneration,
): Promise<Result<number, CliProblem>> =>
  tell(ports, replay, operator, null, {
    ...{ kind: 'generation-dropped', generation, from: 0, to: next },
    counts: [{ name: 'rows', value: rows }],
  });

/** A run over the whole log, a switch, and away with what is beyond a few generations. */
const rebuild = async (ports: CliPorts, replay: Replaying, given: Given, isJson: boolean): Done => {
  const operator = await openOperator(ports, replay, given, 'generation-built');
  if (!operator.ok) return operator;
  const believed = readBelieved(given, ports.chance());
  if (!believed.ok) return believed;
  const { principal, reason } = operator.value;
  const wish: RunWish = {
    filter: { from: null, environments: [], components: [], kinds: [], headers: [] },
    to: null,
    ...believed.value,
    by: { principal, reason },
    rate: null,
  };
  const ran = await runAndTell(ports, replay, wish, operator.value);
  if (!ran.ok) return ran;
  const { generation } = ran.value.run;
  if (ran.value.run.state === 'paused') return paused(ran.value.run);
  const switched = await replay.switchTo(generation, {
    isForced: false,
    isWanted: isWantedBy(ports),
  });
  if (!switched.ok) return fail(foldFailed(switched.problem));
  const told = await tellOfSwitch(ports, replay, operator.value, switched.value);
  if (!told.ok) return told;
  const gone = await replay.dropBeyondKept();
  if (!gone.ok) return fail(foldFailed(gone.problem));
  for (const dropped of gone.value) {
    const operation = await tellOfDrop(ports, replay, operator.value, dropped);
    if (!operation.ok) return operation;
  }
  const names = gone.value.map((dropped) => dropped.generation);
  const trust = await replay.trust(generation);
  const line = {
    generation,
    logId: trust?.logId ?? '',
    records: switched.value.next,
    before: switched.value.from,
    dropped: names,
  };
  if (isJson) printLines(ports.terminal, [line]);
  else
    printText(ports.terminal, [
      `rebuilt from ${line.records} records of log ${line.logId}; readers use generation ${generation} now`,
      ...(line.before === null
        ? []
        : [`generation ${line.before} is kept: plimsoll replay back --reason=TEXT`]),
      ...(names.length === 0 ? [] : [`dropped, beyond a few: ${names.join(', ')}`]),
    ]);
  return ok(undefined);
};

type Operator = {
  readonly principal: string;
  readonly reason: string;
  readonly keyFile: string | null;
};

/** Who does it and why, and whether the log will take that, as far as it can be known before anything is done. */
const openOperator = async (
  ports: CliPorts,
  replay: Replaying,
  given: Given,
  kind: Operation['kind'],
): Promise<Result<Operator, CliProblem>> => {
  const reason = given.value('reason') ?? '';
  const drafted = draftOperation(ports, { kind, reason, generation: 'g1' });
  if (!drafted.ok) return drafted;
  const keyFile = given.value('key');
  const signer = await readOperator(ports, keyFile);
  if (!signer.ok) return signer;
  const trust = await replay.trust(null);
  const allowed =
    trust === undefined ? ok(undefined) : mayOperate(trust, signer.value, drafted.value);
  return allowed.ok ? ok({ principal: signer.value.principal, reason, keyFile }) : allowed;
};

/** Leaves the operation on the log; answers its position. `generation`: whose keys are asked. */
const tell = async (
  ports: CliPorts,
  replay: Replaying,
  operator: Operator,
  generation: Generation | null,
  draft: Omit<OperationDraft, 'reason'>,
): Promise<Result<number, CliProblem>> => {
  const told = await append(ports, replay, operator, generation, draft);
  return told.ok
    ? told
    : fail({
        ...told.problem,
        message: `it was done, and could not be told on the log: ${told.problem.message}`,
      });
};

const append = async (
  ports: CliPorts,
  replay: Replaying,
  { reason, keyFile }: Operator,
  generation: Generation | null,
  draft: Omit<OperationDraft, 'reason'>,
): Promise<Result<number, CliProblem>> => {
  const log = await ports.log();
  if (!log.ok) return log;
  const trust: Trust | undefined = await replay.trust(generation);
  const appended = await appendOperation(
    ports,
    { log: log.value, trust },
    { ...draft, reason },
    keyFile,
  );
  return appended.ok ? ok(appended.value.position) : appended;
};

/** A switch that the log was not told of is told when somebody says it again. */
const againHint = (generation: Generation): string =>
  `plimsoll replay switch ${generation} --reason=TEXT tells it`;
