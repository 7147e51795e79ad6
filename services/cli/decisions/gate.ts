import type { GateOutcome, PlaceAsked } from '../../core/canary/obey/gate.ts';
import { unjudgedCauses } from '../../core/canary/analysis/unjudged.ts';
import { isCohort } from '../../core/canary/windows/cohorts.ts';
import type { WindowMark } from '../../core/canary/windows/window.ts';
import { odds, percent } from '../../core/canary/reading/figures.ts';
import { unsaidWords } from '../../core/canary/judge/sentence.ts';
import { headlineOf } from '../../core/canary/decision/sentence.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import { deploymentNamed } from '../release/deployment-of.ts';
import { plainText, spanText } from '../terminal/display.ts';
import { readDuration } from '../terminal/duration.ts';
import { openSpoolSending } from './spool-sending.ts';
import { openObeying } from './obeying.ts';
import { placeNamed } from '../release/place.ts';
import { slotText } from '../release/place-text.ts';
import { printLines, printProblem, printText } from '../terminal/output.ts';
import { lineIn, linesIn, textIn, textsIn } from '../reading/line-fields.ts';
import { metricsText } from '../explain/metrics-text.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem, ExitCode } from '../problem.ts';
import { problem } from '../problem.ts';
import { unjudgedText } from '../explain/unjudged-text.ts';

const waitMsDefault = 15 * 60_000;
const waitMsMax = 24 * 3_600_000;
const lookEveryMs = 1000;
/** Without news the progress is said this often. */
const sayEveryMs = 15_000;
/** A plan that was just appended is on the log before a gateway's read models have it. */
const unknownForMsMax = 5000;
/** A broker may restart as the gate starts; an address at which nobody ever answers may be a slip of the pen. */
const unansweredForMsMax = 60_000;

/** Waits for a decision that may be obeyed; the exit code is the decision. */
export const runGate = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  const answer = await waitAtGate(ports, given);
  if (!answer.ok) {
    printProblem(ports.terminal, isJson, answer.problem);
    return answer.problem.exit;
  }
  const { line, exit } = answer.value;
  if (isJson) printLines(ports.terminal, [line]);
  else printText(ports.terminal, answerText(ports, line));
  if (exit === 13)
    printProblem(ports.terminal, isJson, {
      code: 'no-decision',
      message: `no decision that may be obeyed within ${spanText(answer.value.waitMs)}`,
      hint:
        refusedHint(line) ??
        unjudgedIn(line) ??
        barredText(line)?.withHint ??
        [lookHint(ports, given, line), waitingText(line)].filter((part) => part !== '').join('; '),
      exit,
    });
  return exit;
};

type Ended = { readonly line: Line; readonly exit: ExitCode; readonly waitMs: number };

const waitAtGate = async (ports: CliPorts, given: Given): Promise<Result<Ended, CliProblem>> => {
  const written = given.value('wait');
  const waitMs = written === null ? ok(waitMsDefault) : readDuration('wait', written, waitMsMax);
  if (!waitMs.ok) return waitMs;
  const deployment = await deploymentMeant(ports, given);
  if (!deployment.ok) return deployment;
  const { clock, note, stop } = ports;
  const beganMs = clock.nowMs();
  const untilMs = beganMs + waitMs.value;
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let said = '';
  let last: Line | undefined;
  let isAway = false;
  let sentAtMs = beganMs;
  const sendSpooled = openSpoolSending(ports, given);
  for (;;) {
    const asked = await ask(ports, deployment.value);
    const nowMs = clock.nowMs();
    const leftMs = untilMs - nowMs;
    // The plan may not have left this machine.
    const spooled = isUnknown(asked) ? await sendSpooled(leftMs) : 'nothing';
    if (spooled === 'sent') {
      sentAtMs = clock.nowMs();
      continue;
    }
    if (asked.ok) {
      last = asked.value;
      isAway = false;
      const exit = exitOf(last);
      if (exit !== undefined) return ok({ line: last, exit, waitMs: waitMs.value });
      if (last['outcome'] === 'ended') return over(last);
      const news = newsIn(last);
      if (news !== said || nowMs - saidAtMs >= sayEveryMs) {
        note({
          code: 'progress',
          message: `${standing(last)}; ${leftText(leftMs)} left`,
          hint: said === '' ? lookHint(ports, given, last) : '',
        });
        said = news;
        saidAtMs = nowMs;
      }
    } else if (
      !mayPass(ports, asked.problem, last, {
        waitedMs: nowMs - beganMs,
        sinceSentMs: nowMs - sentAtMs,
        isPlanHere: spooled === 'stays',
      })
    )
      return unanswered(ports, asked);
    else if (!isAway && asked.problem.exit === 6) {
      note(asked.problem);
      isAway = true;
    }
    if (leftMs <= 0 || stop.aborted) {
      if (!asked.ok) return unanswered(ports, asked);
      return ok({ line: asked.value, exit: 13, waitMs: nowMs - beganMs });
    }
    await clock.sleep(Math.min(lookEveryMs, leftMs), stop);
  }
};

const ask = async (
  ports: CliPorts,
  { id, place }: DeploymentMeant,
): Promise<Result<Line, CliProblem>> => {
  const obeying = await openObeying(ports);
  return obeying.ok ? obeying.value.gate(id, place) : obeying;
};

type Awaited = {
  readonly waitedMs: number;
  /** Since it began, or sent what waited in the spool. */
  readonly sinceSentMs: number;
  /** Whether the plan may be in the spool, from which nobody takes it now. */
  readonly isPlanHere: boolean;
};

/** Whoever waits for minutes outlives a restart of what it asks, and a read model that is a moment behind. */
const mayPass = (
  { gateway }: Pick<CliPorts, 'gateway'>,
  { code, exit }: CliProblem,
  last: Line | undefined,
  { waitedMs, sinceSentMs, isPlanHere }: Awaited,
): boolean =>
  (exit === 6 && (last !== undefined || waitedMs < unansweredForMsMax)) ||
  (isPlanHere && waitedMs < unansweredForMsMax) ||
  (gateway !== null && code === 'deployment-unknown' && sinceSentMs < unknownForMsMax);

const isUnknown = (asked: Result<Line, CliProblem>): boolean =>
  !asked.ok && asked.problem.code === 'deployment-unknown';

/** Nobody may have planned it because the plan has not left this machine. */
const unanswered = async (
  { spool }: Pick<CliPorts, 'spool'>,
  asked: Extract<Result<Line, CliProblem>, { readonly ok: false }>,
): Promise<Result<never, CliProblem>> => {
  const { problem: cause } = asked;
  if (cause.code !== 'deployment-unknown') return asked;
  const waiting = await spool.waiting();
  const count = waiting.ok ? waiting.value.length : 0;
  return count === 0
    ? asked
    : fail({
        ...cause,
        message: `${cause.message}; ${countOf(count, 'marker')} ${count === 1 ? 'waits' : 'wait'} in the spool ${spool.place}`,
        hint: `plimsoll flush sends what waits there; ${cause.hint}`,
      });
};

/** A gateway may answer anything. */
const exitOf = ({ outcome }: Line): ExitCode | undefined =>
  typeof outcome === 'string' && Object.hasOwn(exits, outcome)
    ? (exits[outcome as GateOutcome] ?? undefined)
    : undefined;

/** What it still waits for, where nothing is wrong. */
const waitingText = (line: Line): string => {
  const decision = lineIn(line, 'decision');
  if (decision !== null)
    return `${textIn(decision, 'decision')} is no promotion: it is judged on, so wait longer (--wait)`;
  return lineIn(line, 'judging') === null
    ? 'is an analyser running, and does telemetry come? plimsoll up'
    : 'it is being judged: wait longer (--wait)';
};

/** Said once: its samples tell more than a line has room for. */
const lookHint = ({ gateway }: Pick<CliPorts, 'gateway'>, given: Given, line: Line): string =>
  gateway === null && [line['decision'], line['refused'], line['unjudged']].every(isNull)
    ? `plimsoll explain ${given.words[0] ?? textIn(line, 'deployment')} tells how far it is`
    : '';

const isNull = (value: unknown): boolean => value === null;

const minuteMs = 60_000;

/** Whoever waits should see it get less: `90 s`, `14 min`, `13 min 45 s`. */
const leftText = (leftMs: number): string => {
  const seconds = Math.floor((Math.max(0, leftMs) % minuteMs) / 1000);
  return leftMs < 2 * minuteMs || seconds === 0
    ? spanText(Math.max(0, leftMs))
    : `${Math.floor(leftMs / minuteMs)} min ${seconds} s`;
};

const exits: { readonly [Outcome in GateOutcome]: ExitCode | null } = {
  promote: 0,
  'roll-back': 10,
  hold: 11,
  inconclusive: 12,
  waiting: null,
  ended: null,
};

const over = (line: Line): Result<never, CliProblem> =>
  fail(
    problem(
      'attempt-ended',
      `attempt ${textIn(line, 'attempt')} has ended as ${textIn(line, 'status')}: nothing will be decided about it`,
      refusedText(line) ?? 'a gate stands between the start of a canary and its end',
    ),
  );

type DeploymentMeant = { readonly id: string; readonly place: PlaceAsked };

/** The deployment that is named by id, or by the name that it was planned under in this CI run or here; and its place. */
const deploymentMeant = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<DeploymentMeant, CliProblem>> => {
  const named = placeNamed(given);
  const [word = 'default'] = given.words;
  const found = await deploymentNamed(ports, given, word);
  if (!found.ok) return found;
  return ok({ id: found.value.id, place: { ...found.value.planned, ...named } });
};

const what = (line: Line): string => {
  const slot = {
    namespace: textIn(line, 'namespace'),
    environment: textIn(line, 'environment'),
    component: textIn(line, 'component'),
    target: isNull(line['target']) ? null : textIn(line, 'target'),
  };
  return slotText(slot, textIn(line, 'version'));
};

const refusedText = (line: Line): string | undefined => {
  const refused = lineIn(line, 'refused');
  return refused === null
    ? undefined
    : `${textIn(refused, 'decision')} at position ${textIn(refused, 'position')} is not obeyed: ${textIn(refused, 'message')} [${textIn(refused, 'code')}]`;
};

/** The same, and what mends it. */
const refusedHint = (line: Line): string | undefined => {
  const refused = lineIn(line, 'refused');
  if (refused === null) return undefined;
  const hint = textIn(refused, 'hint').replaceAll('<decision>', textIn(refused, 'position'));
  return `${refusedText(line) ?? ''}; ${hint}`;
};

const unjudgedIn = (line: Line): string | undefined => {
  const cause = unjudgedCauses.find((one) => one === line['unjudged']);
  return cause === undefined ? undefined : unjudgedText(cause, textIn(line, 'environment'));
};

/** What would keep a decision from counting, before there is one; and the same with what mends it. */
const barredText = (
  line: Line,
): { readonly said: string; readonly withHint: string } | undefined => {
  const barred = lineIn(line, 'barred');
  if (barred === null) return undefined;
  const code = textIn(barred, 'code');
  const kind = code === 'digest-missing' ? 'a roll-back' : 'a decision to act';
  const said = `${kind} would not be obeyed: ${textIn(barred, 'message')} [${code}]`;
  return { said, withHint: `${said}; ${textIn(barred, 'hint')}` };
};

/** What is worth a line at once. That windows pass by is not. */
const newsIn = (line: Line): string => {
  const judging = lineIn(line, 'judging');
  const stage = judging === null ? '' : textIn(judging, 'stage');
  return [
    standing({ ...line, judging: null }),
    stage,
    unsentText(line),
    togetherIn(line),
    noBoundText(line),
    // Its shares move with every window.
    slowerPartText(line) !== undefined,
    unsaidText(line) !== undefined,
    heldIn(line).map((held) => `${textIn(held, 'metric')} ${textIn(held, 'code')}`),
  ].join();
};

/** Where it stands, for whoever waits: stage, share and evidence as far as decisions tell them. */
const standing = (line: Line): string => {
  const decision = lineIn(line, 'decision');
  const share = line['canaryShare'];
  const parts = [
    `${what(line)} is ${textIn(line, 'status')}`,
    typeof share === 'number' ? `${Math.round(share * 1000) / 10} % of the traffic` : undefined,
    decision === null
      ? judgingText(line)
      : `${textIn(decision, 'decision')} (evidence ${oddsIn(decision, 'evidence')} of ${oddsIn(decision, 'evidenceNeeded')} needed)`,
    unsentText(line),
    togetherIn(line),
    noBoundText(line),
    slowerPartText(line),
    unsaidText(line),
    ...heldIn(line).map(heldText),
    lackingText(line),
    refusedText(line) ?? unjudgedIn(line) ?? barredText(line)?.said,
  ];
  return plainText(parts.filter((part) => part !== undefined).join('; '));
};

/** How far it is, as its analyser tells it; also behind a hold or a step that counts no more, as those end nothing. */
const judgingText = (line: Line): string | undefined => {
  const [judging, refused] = [lineIn(line, 'judging'), lineIn(line, 'refused')];
  if (refused === null)
    return `no decision yet${judging === null ? '' : `: ${progressText(judging)}`}`;
  const isOn = refused['decision'] === 'hold' || refused['decision'] === 'advance';
  return judging !== null && isOn ? `judged on: ${progressText(judging)}` : undefined;
};

const progressText = (judging: Line): string => {
  const [windows, paired, warmUp] = ['windows', 'pairedWindows', 'warmUpWindows'].map(
    (name) => judging[name],
  );
  const unheard = unheardText(judging);
  if (typeof warmUp !== 'number') return unheard ?? 'it is being measured how often servers export';
  const { windowMs } = judging;
  if (windows === 0 && unheard === undefined && typeof windowMs === 'number')
    return `the first window of ${spanText(windowMs)} is not closed yet (each is ${spanText(2 * windowMs)} after its end)`;
  if (typeof paired !== 'number')
    return `${counted(windows)} closed, and ${unheard ?? `none with requests of both versions${unpairedText(judging)}`}`;
  if (judging['stage'] === 'warming')
    return `warming up, ${Math.min(paired, warmUp)} of ${counted(warmUp)}`;
  return `${counted(paired)}, evidence ${oddsIn(judging, 'evidence')} of ${oddsIn(judging, 'evidenceNeeded')} needed to roll back`;
};

/** What it lacks to pass, once it is judged: in the warm-up that is the warm-up. */
const lackingText = (line: Line): string | undefined => {
  const judging = lineIn(line, 'judging');
  const lacking = judging === null ? null : lineIn(judging, 'lacking');
  if (judging === null || lacking === null) return undefined;
  const { stage } = judging;
  if (stage !== 'armed' && stage !== 'advanced' && stage !== 'hold') return undefined;
  const { soakMs } = lacking;
  const silent = linesIn(lacking, 'silent').map(
    (one) => `${textIn(one, 'metric')} by the ${textIn(one, 'cohort')}`,
  );
  const unshown = linesIn(lacking, 'unshown').map(
    (one) => `${textIn(one, 'metric')} (${oddsIn(one, 'evidence')})`,
  );
  const parts = [
    typeof soakMs === 'number' && soakMs > 0 ? `${spanText(soakMs)} of the soak` : undefined,
    lacking['step'] === 'share' ? 'the share of its step' : undefined,
    lacking['step'] === 'time' ? 'time at its share' : undefined,
    lacking['vetoed'] === true ? 'less evidence against it' : undefined,
    silent.length > 0 ? `telemetry of ${silent.join(', ')}` : undefined,
    unshown.length > 0
      ? `evidence of ${oddsIn(lacking, 'evidenceNeeded')} by ${unshown.join(', ')}`
      : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `to pass it lacks ${parts.join(', ')}`;
};

/** Of which version nothing is received; undefined: of both something is. */
const unheardText = (judging: Line): string | undefined => {
  const [first, second] = textsIn(judging, 'unheard');
  if (first === undefined) return undefined;
  const others = judging['otherVersions'];
  const strangers =
    typeof others === 'number' && others > 0
      ? `, but ${countOf(others, 'point')} of neither version (is service.version sent as in the plan?)`
      : ' (are service.name, service.version and deployment.environment.name sent as in the plan, and requests beside those of probes?)';
  return `nothing is received of ${second === undefined ? `the ${first}` : 'either version'}${strangers}`;
};

/** A pause of less than this is nothing to be asked about. */
const unpairedMsMin = 2 * minuteMs;

/** Where windows are long over that saw one version each. */
const unpairedText = ({ windows, windowMs }: Line): string =>
  typeof windows === 'number' && typeof windowMs === 'number' && windows * windowMs >= unpairedMsMin
    ? ` (where servers export less often than each ${spanText(windowMs)}, a longer no-data in the policy lets windows follow them)`
    : '';

const counted = (windows: unknown): string =>
  typeof windows === 'number' ? countOf(windows, 'window') : 'no windows';

const unsentText = (line: Line): string | undefined => {
  const judging = lineIn(line, 'judging');
  const unsent = judging === null ? [] : linesIn(judging, 'unsent');
  return unsent.length === 0
    ? undefined
    : `nobody sends ${unsent.map((metric) => textIn(metric, 'metric')).join(', ')}`;
};

/** Several targets that are judged as one, where one of them is meant. */
const togetherIn = (line: Line): string | undefined => {
  const judging = lineIn(line, 'judging');
  const targets = judging === null ? [] : textsIn(judging, 'targets');
  return targets.length === 0
    ? undefined
    : `senders of ${targets.join(', ')} are judged as one: plimsoll problems tells what the policy should say`;
};

/** Metrics by which nothing will be promoted, however long one waits. */
const noBoundText = (line: Line): string | undefined => {
  const judging = lineIn(line, 'judging');
  const noBound = judging === null ? [] : linesIn(judging, 'noBound');
  return noBound.length === 0
    ? undefined
    : `no bound near the durations of ${noBound.map((metric) => textIn(metric, 'metric')).join(', ')}, so nothing is promoted: plimsoll problems tells what mends it`;
};

/** Metrics of which a part of the requests plainly takes longer. */
const slowerPartText = (line: Line): string | undefined => {
  const judging = lineIn(line, 'judging');
  const [first, ...others] = judging === null ? [] : linesIn(judging, 'slowerPart');
  if (first === undefined) return undefined;
  const { boundMs, longer, baselineBoundMs, baselineLonger } = first;
  if (
    typeof boundMs !== 'number' ||
    typeof longer !== 'number' ||
    typeof baselineBoundMs !== 'number' ||
    typeof baselineLonger !== 'number'
  )
    return undefined;
  const metrics = [first, ...others].map((metric) => textIn(metric, 'metric')).join(', ');
  return `a part of the requests is plainly slower by ${metrics}, so nothing is promoted: ${percent(longer)} of the canary's took longer than ${milliseconds(boundMs)}, ${percent(baselineLonger)} of the baseline's longer than ${milliseconds(baselineBoundMs)}`;
};

/** Metrics of which one version does not say what became of the requests. */
const unsaidText = (line: Line): string | undefined => {
  const judging = lineIn(line, 'judging');
  const [first, ...others] = judging === null ? [] : linesIn(judging, 'unsaid');
  if (first === undefined) return undefined;
  const { cohort, by, canary, baseline } = first;
  const window = markIn(first);
  if (
    !isCohort(cohort) ||
    typeof by !== 'string' ||
    typeof canary !== 'number' ||
    typeof baseline !== 'number'
  )
    return undefined;
  const metrics = [first, ...others].map((metric) => textIn(metric, 'metric')).join(', ');
  return `${metrics}: ${unsaidWords({ cohort, by, canary, baseline, window })}`;
};

const heldText = (held: Line): string => {
  const message = textIn(held, 'message');
  return held['metric'] === null ? message : `${textIn(held, 'metric')}: ${message}`;
};

/** By what nothing is promoted for what the newest windows show. */
const heldIn = (line: Line): readonly Line[] => {
  const judging = lineIn(line, 'judging');
  return judging === null ? [] : linesIn(judging, 'held');
};

/** The window that something was so in; null: it is so of all. */
const markIn = (line: Line): WindowMark | null => {
  const window = lineIn(line, 'window');
  if (window === null || typeof window['index'] !== 'number') return null;
  return { index: window['index'], startMs: Date.parse(textIn(window, 'at')) };
};

const milliseconds = (ms: number): string => `${Number(ms.toPrecision(3))} ms`;

const oddsIn = (decision: Line, name: string): string => {
  const evidence = decision[name];
  return typeof evidence === 'number' ? odds(evidence) : 'unknown';
};

/** What was decided and why: one line, then what the metrics came to that are blamed. */
const answerText = ({ gateway }: Pick<CliPorts, 'gateway'>, line: Line): readonly string[] => {
  const decision = lineIn(line, 'decision');
  const outcome = `${textIn(line, 'outcome')}  ${what(line)}`;
  if (decision === null) {
    const refused = lineIn(line, 'refused');
    // A freeze by a person, for instance: what was decided is not obeyed.
    const why =
      refused === null ? '' : `: ${textIn(refused, 'message')}; ${textIn(refused, 'hint')}`;
    return [plainText(`${outcome}${why}`)];
  }
  const metrics = linesIn(decision, 'metrics');
  const blamed = metrics.filter((metric) => metric['blamed'] === true);
  return [
    `${outcome}: ${headlineOf(textIn(decision, 'explanation'))} (position ${textIn(decision, 'position')})`,
    ...metricsText(blamed, decision['carriedFrom'] !== null).map((told) => `  ${told}`),
    ...(metrics.length === 0
      ? []
      : [
          `  all that it rests on: plimsoll explain ${textIn(line, 'deployment')}${gateway === null ? '' : ', beside the log (without PLIMSOLL_URL)'}`,
        ]),
  ].map(plainText);
};
