import { analysisIdOf } from '../../core/canary/attempts/canary-attempts.ts';
import type { CanaryAttempt } from '../../core/canary/attempts/canary-attempts.ts';
import { readMetric } from '../../core/canary/reading/read-window.ts';
import { ratioChart } from '../../core/canary/reading/ratio-chart.ts';
import type { Reading } from '../../core/canary/reading/reading.ts';
import { judgeVersion } from '../../core/canary/judge/judge.ts';
import { openTrace } from '../../core/canary/reading/trace.ts';
import type { Trace } from '../../core/canary/reading/trace.ts';
import { recheckDecision } from '../../core/canary/decision/recheck.ts';
import type { Recheck } from '../../core/canary/decision/recheck.ts';
import type { AnalysisTools } from '../../core/canary/analysis/analysis-state.ts';
import { unjudgedOf } from '../../core/canary/analysis/unjudged.ts';
import { judgesOf, policiesReadMax } from '../../core/canary/obey/obeying.ts';
import { weaknessOf } from '../../core/canary/rollouts/weakness.ts';
import type { DecisionSummary, Deployment } from '../../core/deployment.ts';
import { hasEnded } from '../../core/lifecycle.ts';
import type { Decided } from '../../core/markers/marker.ts';
import { parseMarker } from '../../core/markers/parse-marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import { slotKey } from '../../core/markers/slot.ts';
import { upcast } from '../../core/markers/upcast.ts';
import { readHeaders } from '../../core/markers/wire.ts';
import type { Chart } from '../../core/plot/chart.ts';
import { chartSvg } from '../../core/plot/chart-svg.ts';
import type { PolicyRow } from '../../core/policy-records.ts';
import { policyModel } from '../../core/policy-records.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { AnalysisOpened } from '../../core/samples/sample.ts';
import { sampleKey } from '../../core/samples/key.ts';
import type { SlotState } from '../../core/slot-state.ts';
import type { SamplesProblem, SamplesRange, SamplesRead } from '../../ports/explaining.ts';
import type { Given } from '../terminal/arguments.ts';
import { readAsked } from './asked.ts';
import type { Explained } from './text.ts';
import { explainedLine, explainedText } from './text.ts';
import { spanText } from '../terminal/display.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import { slotText } from '../release/place-text.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, readFailed, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readRows, scanRows } from '../reading/reading.ts';
import { unjudgedText } from './unjudged-text.ts';

/** `plimsoll explain`: the samples of an analysis are folded again, and looked at window by window. */
export const runExplain = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const remote = onlyAtHand(ports, 'explain');
  if (remote !== undefined) return remote;
  const opened = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!opened.ok) return opened;
  const asked = await readAsked(ports, opened.value, given);
  if (!asked.ok) return asked;
  const { deployment, attempt, decision } = asked.value;
  const recorded =
    decision === undefined ? ok(undefined) : await recordedAt(ports, opened.value, decision);
  if (!recorded.ok) return recorded;
  if (given.has('recheck') && recorded.value === undefined)
    return refuse(
      'nothing-judged',
      `attempt ${attempt.number} of ${deployment.id} has no decision that could be computed again`,
      'without --recheck it is shown where the canary stands',
    );
  const traced = await traceOf(ports, deployment, attempt, recorded.value?.decision);
  if (!traced.ok) return traced;
  const { trace, read, analysisTools } = traced.value;
  const readings = upTo(trace.readings(), recorded.value?.decision);
  const opening = trace.opening();
  if (opening === undefined || (readings.length === 0 && recorded.value === undefined))
    return nothingJudged(ports, opened.value, { deployment, attempt, opening });
  const recheck =
    given.has('recheck') && recorded.value !== undefined
      ? recheckDecision(
          analysisTools,
          ports.tools.codec,
          recorded.value,
          trace.decisions(),
          trace.refusal(),
        )
      : null;
  if (!given.has('recheck') && given.value('decision') === null)
    noteLapsed(ports, deployment.id, attempt, decision);
  const explained: Explained = {
    deployment: deployment.id,
    attempt,
    against: opening.baseline.map(({ version }) => version),
    position: decision?.position ?? null,
    decision: recorded.value?.decision ?? null,
    readings,
    excluded: trace.excluded() ?? null,
    read,
    recheck,
    weakness: weaknessOf(opening),
    together: trace.targetsTogether(),
    hasScore: given.has('score'),
  };
  const chart = chartOf(explained, given.value('metric'));
  if (!chart.ok) return chart;
  if (isJson) printLines(ports.terminal, [explainedLine(explained)]);
  else
    printText(
      ports.terminal,
      explainedText(explained, chart.value, {
        columns: ports.terminal.columns,
        isAscii: given.has('ascii') || !isUtf8(ports.env),
      }),
    );
  const svg = given.value('svg');
  if (svg !== null && chart.value !== null) {
    const written = await ports.writeTextFile(svg, chartSvg(chart.value));
    if (!written.ok) return written;
  }
  return recheckOutcome(recheck, recorded.value?.decision.judge ?? null);
};

type Unjudged = {
  readonly deployment: Deployment;
  readonly attempt: CanaryAttempt;
  readonly opening: AnalysisOpened | undefined;
};

/** Why there is nothing to explain, as far as log and samples tell. */
const nothingJudged = async (
  { clock, tools }: Pick<CliPorts, 'clock' | 'tools'>,
  atHand: AtHand,
  { deployment: { id }, attempt, opening }: Unjudged,
): Promise<Result<never, CliProblem>> => {
  const { slot } = attempt.plan;
  if (opening !== undefined)
    return refuse(
      'nothing-judged',
      `no window of attempt ${attempt.number} of ${id} (${slotText(slot, attempt.plan.version)}) has been judged yet; its analysis was opened ${spanText(clock.nowMs() - opening.openedAt)} ago`,
      `${
        opening.comparison === 'concurrent'
          ? 'how long windows are follows from the exports of both versions, of which two are waited for; ask again in a minute'
          : 'windows are a minute long, and each is closed two minutes later; ask again then'
      }, or wait: plimsoll gate ${id}`,
    );
  const key = slotKey(slot);
  const rows = await readRows(atHand, [{ model: 'slot', key }]);
  if (!rows.ok) return rows;
  const policies = await scanRows<PolicyRow>(atHand, policyModel, {
    range: { newestFirst: true },
    wantedMax: policiesReadMax,
  });
  if (!policies.ok) return policies;
  const judges = judgesOf({ digest: tools.crypto.sha256HexOfText }, policies.value, attempt);
  const unjudged = unjudgedOf(
    id,
    attempt,
    rows.value.get('slot', key) as SlotState | undefined,
    judges,
  );
  if (unjudged === 'no-canary')
    return refuse(
      'not-found',
      `attempt ${attempt.number} of ${id} is no canary, and nothing of it was judged: it was planned without a share or the strategy canary`,
      `such a rollout is held against what ran before where the policy says rollouts: { before-after: true } (one on the log: an analyser's own file, PLIMSOLL_POLICY, is not known here); plimsoll show ${id} tells all there is`,
    );
  if (unjudged === 'on-behalf')
    return refuse(
      'nothing-judged',
      `attempt ${attempt.number} of ${id} (${slotText(slot, attempt.plan.version)}) was said with the token ${attempt.onBehalf ?? ''} and not signed with a key of its own`,
      'such a canary is judged where the policy says on-behalf: accept',
    );
  return refuse(
    'nothing-judged',
    `no window of attempt ${attempt.number} of ${id} (${slotText(slot, attempt.plan.version)}) has been judged`,
    unjudged === null || hasEnded(attempt)
      ? 'is an analyser running, and does telemetry arrive? plimsoll decisions lists what was decided'
      : unjudgedText(unjudged, slot.environment),
  );
};

type Recorded = { readonly bytes: Uint8Array; readonly decision: Decided };

/** The decision as it lies on the log. That it was accepted, the read models say. */
const recordedAt = async (
  { tools }: Pick<CliPorts, 'tools'>,
  { log }: AtHand,
  { position }: DecisionSummary,
): Promise<Result<Recorded, CliProblem>> => {
  const read = await log.read(0, position, 1);
  if (!read.ok) return fail(readFailed(read.problem));
  const [record] = read.value;
  const headers = record && readHeaders(tools.text, record);
  const decoded =
    record && headers?.ok
      ? tools.codec.decode(headers.value.schemaDigest, record.value)
      : undefined;
  if (record === undefined || decoded?.ok !== true) return unreadable(position);
  const { schema, body } = decoded.value;
  const marker = parseMarker(schema.shape, upcast(schema.shape, schema.version, body as Body));
  return marker.ok && 'analysis' in marker.value
    ? ok({ bytes: record.value, decision: marker.value })
    : unreadable(position);
};

const unreadable = (position: number): Result<never, CliProblem> =>
  refuse(
    'corrupt',
    `position ${position} of the log holds no decision that can be read`,
    'is it the log of these read models?',
  );

/** Before the start a sample could have been written by a clock that is behind. */
const beforeStartMs = 60_000;

type Traced = {
  readonly trace: Trace;
  readonly read: SamplesRead;
  readonly analysisTools: AnalysisTools;
};

const traceOf = async (
  ports: CliPorts,
  deployment: Deployment,
  attempt: CanaryAttempt,
  decision: Decided | undefined,
): Promise<Result<Traced, CliProblem>> => {
  const explaining = await ports.explaining();
  if (!explaining.ok) return explaining;
  const { tools } = ports;
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  const analysis = decision?.analysis ?? analysisIdOf(digest, deployment.id, attempt.number);
  const key = sampleKey(attempt.plan.slot);
  const partition = decision?.samplesPartition ?? explaining.value.partitionOf(key);
  const from =
    decision === undefined
      ? await explaining.value.positionNear(
          partition,
          (attempt.startedAt ?? attempt.openedAtMs) - beforeStartMs,
        )
      : ok(decision.samplesFrom);
  if (!from.ok) return fail(samplesFailed(from.problem));
  const to = decision?.samplesTo ?? null;
  const range: SamplesRange = { analysis, partition, key, from: from.value, to };
  const analysisTools = { digest, partition };
  const trace = openTrace(analysisTools, analysis);
  const progress = openProgress(ports, 'reading samples');
  const read = await explaining.value.read(range, trace.add, progress);
  return read.ok
    ? ok({ trace, read: read.value, analysisTools })
    : fail(samplesFailed(read.problem));
};

const samplesFailed = ({ code, message }: SamplesProblem): CliProblem => {
  switch (code) {
    case 'samples-gone':
      return problem(
        code,
        message,
        'the analyser keeps what its decisions rest on in PLIMSOLL_ARCHIVE, else in the folder kept of its data; is that on another machine?',
      );
    case 'unreachable':
      return problem(code, message, 'are log and samples up? See PLIMSOLL_LOG');
    case 'corrupt':
      return problem(code, message, 'restore the samples, or the kept evidence, from a backup');
  }
};

/** A hold or an advance that nobody renewed is of then: the judge went on. */
const noteLapsed = (
  { clock, note }: Pick<CliPorts, 'clock' | 'note'>,
  id: string,
  attempt: CanaryAttempt,
  decision: DecisionSummary | undefined,
): void => {
  if (decision === undefined || hasEnded(attempt) || isLast(decision)) return;
  const validUntilMs = Math.max(
    decision.at + decision.validForMs,
    decision.renewal?.validUntil ?? Number.NEGATIVE_INFINITY,
  );
  const sinceMs = clock.nowMs() - validUntilMs;
  if (sinceMs > 0)
    note({
      code: 'lapsed',
      message: `this is the newest decision, and it lapsed ${spanText(sinceMs)} ago; the canary is judged on`,
      hint: `where it stands now: plimsoll gate ${id}`,
    });
};

/** After it nothing else is decided. */
const isLast = ({ kind, stage }: DecisionSummary): boolean =>
  kind === 'promote' || kind === 'roll-back' || stage === 'inconclusive';

/** Windows up to the one that the decision is about. */
const upTo = (readings: readonly Reading[], decision: Decided | undefined): readonly Reading[] =>
  decision === undefined ? readings : readings.filter(({ index }) => index <= decision.windowIndex);

const chartOf = (
  { readings, decision, attempt, against, hasScore }: Explained,
  wanted: string | null,
): Result<Chart | null, CliProblem> => {
  const last = readings.at(-1);
  const [first] = readings;
  if (last === undefined || first === undefined) return ok(null);
  const names = last.explanation.metrics.map(({ id }) => id);
  if (wanted !== null && !names.includes(wanted))
    return refuse(
      'option-invalid',
      `--metric=${JSON.stringify(wanted.slice(0, 64))} is none of this analysis`,
      `one of: ${names.join(', ')}`,
    );
  const { component, environment } = attempt.plan.slot;
  const drawn = wanted ?? decision?.metric ?? loudestOf(last);
  return ok(
    ratioChart(readings, {
      title: `${component} ${attempt.plan.version} in ${environment}: ${decision?.kind ?? last.stage}`,
      about: `attempt ${attempt.number}, against ${against.join(', ')}`,
      sinceMs: startOf(first),
      metric: drawn,
      hasScore,
    }),
  );
};

/** Windows are all equally long. */
const startOf = ({ index, endMs, windowMs }: Reading): number => endMs - (index + 1) * windowMs;

/** The metric with the most evidence of those whose ratio is known. */
const loudestOf = ({ explanation }: Reading): string => {
  const known = explanation.metrics.filter((part) => readMetric(part).ratio !== null);
  const [first, ...others] = known.length > 0 ? known : explanation.metrics;
  const loudest = others.reduce(
    (most, part) => (most === undefined || part.evidence > most.evidence ? part : most),
    first,
  );
  return loudest?.id ?? '';
};

/** Whether the terminal shows more than ASCII, as the locale says. */
const isUtf8 = (env: CliPorts['env']): boolean =>
  /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');

/** `judge`: that of the decision. */
const recheckOutcome = (
  recheck: Recheck | null,
  judge: string | null,
): Result<void, CliProblem> => {
  if (recheck === null || recheck.outcome === 'equal') return ok(undefined);
  if (recheck.outcome === 'not-alone')
    return refuse(
      'recheck-alone',
      'the samples of one analysis cannot say that too many canaries were open beside it',
      'all else of the decision was computed again and is the same; it stops nothing: end attempts that are over, and try again',
    );
  const what =
    recheck.outcome === 'not-said'
      ? `the samples do not lead to this decision${recheck.said.length === 0 ? '' : `, but to ${recheck.said.join(', ')}`}`
      : `the decision differs from what its samples lead to${recheck.differences.length === 0 ? '' : ` in ${recheck.differences.map(({ field }) => field).join(', ')}`}`;
  return refuse(
    'recheck-differs',
    what,
    judge === String(judgeVersion)
      ? 'the same judge decided it: somebody has forged it, or the samples'
      : `judge ${judge} decided it, and this release has judge ${judgeVersion}: check it with a release of that judge`,
  );
};
