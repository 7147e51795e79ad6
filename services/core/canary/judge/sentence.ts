import { grouped, level, odds, percent, shownInterval, times } from '../reading/figures.ts';
import { decisiveMeanLog } from '../metrics/latency.ts';
import type { LatencyExplanation, LatencyProblem, NoBound } from '../metrics/latency.ts';
import type { TailExplanation } from '../metrics/latency-tail.ts';
import type { SlowerPart } from '../metrics/slower-part.ts';
import type { LevelExplanation } from '../metrics/level.ts';
import type { RatesExplanation } from '../metrics/rates.ts';
import type { TrafficExplanation } from '../metrics/traffic.ts';
import type { TrafficLost } from '../metrics/traffic-lately.ts';
import type { RateCounts } from '../statistics/rate-counts.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import type { UsedPhi } from '../statistics/scatter.ts';
import type { LoudWindow } from '../analysis/strongest-windows.ts';
import type { ManyRestarts } from './judged-window.ts';
import type { WindowMark } from '../windows/window.ts';
import type { ClientErrors } from './client-errors.ts';
import type { Unsaid } from './said.ts';
import type { Explanation, MetricPart, Missing, Reason, Shift, Verdict } from './verdict.ts';

/**
 * A verdict for people, a sentence each: what it is, what it rests on with everything that was counted, and why the
 * other metrics had no part in it.
 */
export const verdictSentences = (verdict: Verdict, explanation: Explanation): readonly string[] => {
  const { metrics, carried } = explanation;
  const reasons = new Map(
    verdict.outcome === 'inconclusive' ? [] : verdict.reasons.map((one) => [one.metric, one]),
  );
  const blamed = verdict.outcome === 'fail' ? metrics.filter(({ id }) => reasons.has(id)) : [];
  const others = metrics.filter((metric) => !blamed.includes(metric));
  const sentences = [headline(verdict, explanation)];
  for (const metric of blamed)
    sentences.push(metricSentence(metric, reasons.get(metric.id), explanation));
  if (carried !== null)
    sentences.push(
      `it began with evidence ${odds(carried.evidence)} from ${attempts(carried.attempts)} with the same artifact and baseline`,
    );
  for (const metric of others) sentences.push(otherSentence(metric, verdict, explanation));
  return sentences;
};

/** What a decision has room for. */
const textLengthMax = 4_000;
/** Room for the last sentence. */
const restLength = 30;

/** The same as one line; the metrics that there is no room for are counted. */
export const verdictText = (verdict: Verdict, explanation: Explanation): string => {
  const sentences = verdictSentences(verdict, explanation);
  let text = '';
  for (const [index, sentence] of sentences.entries()) {
    const longer = text === '' ? sentence : `${text}. ${sentence}`;
    if (longer.length > textLengthMax - restLength)
      return `${text}. ${sentences.length - index} more metrics`.slice(0, textLengthMax);
    text = longer;
  }
  return text;
};

const attempts = (count: number): string =>
  count === 1 ? 'an earlier attempt' : `${count} earlier attempts`;

const headline = (verdict: Verdict, explanation: Explanation): string => {
  const { evidence, evidenceNeeded, promoteEvidenceNeeded, firstCrossed, windows } = explanation;
  const against = `evidence ${odds(evidence)} of ${odds(evidenceNeeded)} needed`;
  if (verdict.outcome === 'pass') {
    const needed =
      promoteEvidenceNeeded === null ? '' : `, each ${odds(promoteEvidenceNeeded)} or more`;
    return `shown good enough by ${listed(verdict.reasons.map(({ metric }) => metric))}${needed}; against it ${against}`;
  }
  if (verdict.outcome === 'inconclusive') {
    const missing =
      verdict.missing.length === 0 ? '' : `; missing: ${missingPhrase(verdict.missing)}`;
    return `${inconclusive[verdict.reason]} after ${grouped(windows)} window${windows === 1 ? '' : 's'}${missing}; ${against}`;
  }
  const blamed = `worse than tolerated in ${listed(verdict.reasons.map(({ metric }) => metric))}`;
  return firstCrossed === null
    ? `${blamed}, by the test at the deadline`
    : `${blamed}: ${against}, first crossed with ${windowPhrase(firstCrossed)}`;
};

const inconclusive = {
  warming: 'warming up',
  collecting: 'not decided yet',
  'no-data': 'held, for want of data',
  deadline: 'not decided at the deadline',
} as const;

/** What is missing, the cohorts by what they do not show, metrics that lack the same together. */
const missingPhrase = (missing: readonly Missing[]): string => {
  const of = (what: Missing['what']): readonly string[] =>
    missing.flatMap((one) => (one.what === what && 'metric' in one ? [one.metric] : []));
  const [canary, baseline] = [of('canary'), of('baseline')];
  const both = canary.filter((metric) => baseline.includes(metric));
  const alone = (metrics: readonly string[]): readonly string[] =>
    metrics.filter((metric) => !both.includes(metric));
  const phrases = [
    cohortPhrase(both, 'both cohorts'),
    cohortPhrase(alone(canary), 'the canary'),
    cohortPhrase(alone(baseline), 'the baseline'),
  ].filter((phrase) => phrase !== '');
  const unshown = of('promote-evidence');
  if (unshown.length > 0)
    phrases.push(
      `evidence that ${listed(unshown)} ${unshown.length === 1 ? 'is' : 'are'} good enough`,
    );
  const blind = of('no-bound');
  if (blind.length > 0) phrases.push(`a bound near the durations of ${listed(blind)}`);
  const slower = of('slower-part');
  if (slower.length > 0) phrases.push(`${listed(slower)} without a part that is plainly slower`);
  const lost = of('traffic-lost');
  if (lost.length > 0) phrases.push(`${listed(lost)} without a loss now`);
  const clientErrors = of('client-errors');
  if (clientErrors.length > 0)
    phrases.push(`${listed(clientErrors)} without so many more errors of the client's`);
  const unsaid = of('unsaid');
  if (unsaid.length > 0) phrases.push(`word of what became of the requests of ${listed(unsaid)}`);
  for (const one of missing)
    if (one.what === 'shift') phrases.push(shiftPhrase(one));
    else if (one.what === 'restarts') phrases.push(`servers that stay up (${restartsPhrase(one)})`);
    else if (!('metric' in one)) phrases.push(missingWords[one.what]);
  return phrases.join(', ');
};

const shiftPhrase = ({ share, since }: Shift): string =>
  `the shift to ${sharePhrase(share)} of the traffic, to which it was advanced with ${windowPhrase(since)}`;

/** A share as a policy writes it: `50 %`. */
const sharePhrase = (share: number): string => `${Number((share * 100).toPrecision(6))} %`;

const cohortPhrase = (metrics: readonly string[], of: string): string =>
  metrics.length === 0 ? '' : `${listed(metrics)} of ${of}`;

const missingWords = {
  'warm-up': 'the end of the warm-up',
  presence: 'the end of the wait for metrics that may still come (no-data of the policy)',
  soak: 'the end of the soak',
  veto: 'less evidence against it',
  'any-metric': 'a metric that both cohorts show',
  'any-pair':
    'a window in which both cohorts show requests (do servers export less often than no-data of the policy allows?)',
  'all-heard':
    'requests that were left out: of servers that share one name (pods or workers under one identity, which service.instance.id sets apart, or a restart that kept its start time), of senders that do not say which version they run, or of points whose numbers could not be taken',
  'all-in-time':
    'points that came too late to be judged, more than three in a hundred of a version, or as many of its failed requests that came too late, or that nobody can count, or whose version nobody knows (do all servers have the same time, NTP? does an exporter or a Collector hold points back for longer than two windows?)',
  'dense-exports':
    'exports as often as windows are long: a version tells of more than a tenth of its requests later (does it export less often than the other, or lose exports? have its pods no service.instance.id, or all the same one?)',
  'none-loud':
    'windows in which no instance says far more than the others of its version (ten times the requests of the busiest of two to four, or of the median of five or more; twenty times the level of two to four; a metric was never compared for it)',
  'none-overflown':
    'attributes of all requests: an SDK had no room for those of some (otel.metric.overflow, its cardinality limit), so which of them failed nobody knows; drop the attribute with many values by a view, or raise the limit',
  steps: 'the wait after the last step',
} as const;

/** A metric that a verdict rests on, with everything needed to check it by hand. */
const metricSentence = (
  metric: MetricPart,
  reason: Reason | undefined,
  { evidenceNeeded, carried }: Explanation,
): string => {
  const { explained } = metric;
  const phrases = [`${metric.id}: ${comparison(explained)}`, ...tolerances(explained)];
  // What an earlier attempt showed is in the evidence, and not in these figures.
  if (reason?.code === 'worse-than-tolerated' && carried === null && isTolerated(explained))
    phrases.push(becameWorse);
  if (reason?.code === 'worse-at-deadline')
    phrases.push(
      `${reason.evidence.toFixed(1)} standard deviations above that at the deadline, ${reason.evidenceNeeded.toFixed(1)} needed`,
    );
  else phrases.push(`its part of the evidence ${odds(metric.evidence)} of ${odds(evidenceNeeded)}`);
  if (explained.judged === 'latency' && reason?.code === 'worse-than-tolerated')
    phrases.push(...meanLogPhrases(explained));
  const strongest = explained.strongestWindows;
  if (strongest.length > 0) phrases.push(`most of it from ${windowsPhrase(strongest)}`);
  return [...phrases, ...scatter(explained)].join('; ');
};

/** Counts and ratios are of all windows; a test that begins anew looks at those that came since. */
const becameWorse =
  'over the whole time it is within that: it became worse later, as a test found that began anew meanwhile';

/** Whether all that was compared together is within what is tolerated. */
const isTolerated = (explained: MetricPart['explained']): boolean => {
  switch (explained.judged) {
    case 'errors':
      return isShareWithin(explained, explained.baseline, explained.toleratedRate);
    case 'latency': {
      const { meanLog, meanLogEvidence, margin } = explained;
      const tail = loudestTail(explained);
      if (meanLog !== undefined && (meanLogEvidence ?? 0) > (tail?.rollbackEvidence ?? 0))
        return meanLog.ratio <= 1 + margin;
      return tail !== undefined && isShareWithin(tail, tail.baseline, tail.toleratedShare);
    }
    case 'level': {
      const { ratio, worse, toleratedRatio } = explained;
      if (ratio === null) return false;
      return worse === 'higher' ? ratio <= toleratedRatio : ratio >= toleratedRatio;
    }
    case 'traffic':
      return explained.ratio !== null && explained.ratio >= explained.toleratedRatio;
  }
};

const isShareWithin = (
  { ratio }: Compared,
  { total, events }: RateCounts,
  toleratedShare: number,
): boolean => ratio !== null && ratio * (events / total) <= toleratedShare;

/** A metric that a verdict does not rest on, and why. */
const otherSentence = (
  metric: MetricPart,
  verdict: Verdict,
  { promoteEvidenceNeeded }: Explanation,
): string => {
  const { id, presence, explained, critical, weight } = metric;
  switch (presence) {
    case 'none':
      if (weight > 0) return `${id}: not seen yet`;
      if (metric.isShareUntold === true)
        return `${id}: nobody said which share of the requests is the canary's (the plan, or --weight of a backtest), so ${critical ? 'nothing passes' : 'it weighs nothing'}`;
      return critical
        ? `${id}: never seen, and nothing passes without it`
        : `${id}: never seen, so it weighs nothing`;
    case 'one':
      return [`${id}: seen in one cohort alone, so nothing passes`, ...unsaidPhrases(metric)].join(
        '; ',
      );
    case 'silent':
      return [
        `${id}: silent by now, so nothing passes`,
        ...unsaidPhrases(metric),
        `before, ${comparison(explained)}`,
      ].join('; ');
    case 'both':
      break;
  }
  if (isBlank(explained)) return `${id}: nothing was compared yet`;
  const isFail = verdict.outcome === 'fail';
  const isOpen = verdict.outcome === 'inconclusive';
  const name = isFail ? `${id} is not blamed` : id;
  const phrases = [`${name}: ${comparison(explained)}`, ...tolerances(explained)];
  const isGood = promoteEvidenceNeeded !== null && metric.promoteEvidence >= promoteEvidenceNeeded;
  if (explained.judged === 'latency' && !isFail) phrases.push(...fineEnough(explained));
  if (isGood) phrases.push(`shown good enough, ${odds(metric.promoteEvidence)}`);
  else if (promoteEvidenceNeeded !== null && !isFail)
    phrases.push(
      `that it is good enough ${odds(metric.promoteEvidence)} of ${odds(promoteEvidenceNeeded)} needed`,
    );
  if (isOpen) phrases.push(...unsaidPhrases(metric));
  if (isOpen && metric.clientErrors !== undefined)
    phrases.push(clientErrorsWords(metric.clientErrors));
  if (explained.judged === 'latency' && explained.noBound !== null && isOpen)
    phrases.push(noBoundWords(explained.noBound), noBoundRemedy);
  if (explained.judged === 'latency' && explained.slowerPart !== null && isOpen)
    phrases.push(slowerPartWords(explained.slowerPart));
  if (explained.judged === 'traffic' && explained.lost !== undefined && isOpen)
    phrases.push(trafficLostWords(explained.lost));
  phrases.push(`its part of the evidence ${odds(metric.evidence)}`);
  if (metric.deadline !== null && verdict.outcome !== 'pass')
    phrases.push(
      `${metric.deadline.z.toFixed(1)} of ${metric.deadline.zNeeded.toFixed(1)} standard deviations at the deadline`,
    );
  return phrases.join('; ');
};

/** Seen, and in no window that counts: in the warm-up, or while a new share of the traffic settles. */
const isBlank = (explained: MetricPart['explained']): boolean => {
  switch (explained.judged) {
    case 'errors':
      return explained.canary.total + explained.baseline.total === 0;
    case 'latency':
      return false;
    case 'level':
      return explained.canary === null && explained.baseline === null;
    case 'traffic':
      return explained.canaryRequests + explained.baselineRequests === 0;
  }
};

/** What was counted in both cohorts, and how far apart it is. */
const comparison = (explained: MetricPart['explained']): string => {
  switch (explained.judged) {
    case 'errors':
      return `canary ${errorsPhrase(explained.canary)}, baseline ${errorsPhrase(explained.baseline)}: ${ratioPhrase(explained)}`;
    case 'latency':
      return latencyPhrase(explained);
    case 'level':
      return `canary ${levelPhrase(explained.canary)}, baseline ${levelPhrase(explained.baseline)}: ${ratioPhrase(explained)}`;
    case 'traffic':
      return `canary ${grouped(explained.canaryRequests)} requests of ${grouped(Math.round(explained.expectedRequests))} that were its share, baseline ${grouped(explained.baselineRequests)}: ${ratioPhrase(explained)} of it`;
  }
};

const errorsPhrase = ({ total, events }: RateCounts): string =>
  total === 0
    ? 'without requests'
    : `${grouped(events)}/${grouped(total)} errors (${percent(events / total)})`;

const levelPhrase = (value: number | null): string =>
  value === null ? 'without values' : `at ${level(value)}`;

/** "9.1 % of the canary's requests slower than 450 ms, 5.0 % of the baseline's": the tail that speaks loudest. */
const latencyPhrase = (explained: LatencyExplanation): string => {
  const tail = loudestTail(explained);
  if (tail === undefined)
    return explained.problem === null
      ? 'too few requests to compare durations'
      : `durations cannot be compared: ${durationsWords[explained.problem]}`;
  const { canary, baseline } = tail;
  return `${slowPhrase(canary)} of canary requests slower than ${secondsPhrase(tail.boundaryMs)} vs ${slowPhrase(baseline)} of baseline requests: ${ratioPhrase(tail)}`;
};

/** The tail that a promotion asks first, where it is not the one that speaks loudest. */
const fineEnough = ({ tails, loudest, fine }: LatencyExplanation): readonly string[] => {
  const tail = fine === null || fine === loudest ? undefined : tails[fine];
  return tail === undefined
    ? []
    : [
        `fast enough up to ${secondsPhrase(tail.boundaryMs)}: ${slowPhrase(tail.canary)} slower than that vs ${slowPhrase(tail.baseline)}`,
      ];
};

/** Where no share beyond a boundary is against the canary, all durations together are: their logarithms have a mean. */
const meanLogPhrases = (explained: LatencyExplanation): readonly string[] => {
  const { meanLogEvidence } = explained;
  const meanLog = decisiveMeanLog(explained);
  if (meanLog === null || meanLogEvidence === null) return [];
  const means = [meanLog.canarySeconds, meanLog.baselineSeconds].map((seconds) =>
    secondsPhrase(seconds * SECOND_MS),
  );
  return [
    `this share is not what decided: the durations as a whole took longer, by the mean of their logarithms: ${means.join(' instead of ')}, ${ratioPhrase(meanLog)}, evidence ${odds(meanLogEvidence)}`,
  ];
};

/** Why durations cannot be compared, and so what mends it. */
export const durationsWords: { readonly [Problem in LatencyProblem]: string } = {
  'shapes-differ': 'the versions send different kinds of buckets (explicit, exponential)',
  'units-differ':
    'the versions send exponential buckets of different units (s, ms), which share no boundary',
  'no-shared-bound': 'the versions send explicit buckets that share no bound',
  'scale-fell': 'their buckets have just become wider, and are compared from the next window on',
};

/** Why nothing is promoted by such bounds, of the metric before it. */
export const noBoundWords = (
  { boundaryMs, baseline }: NoBound,
  requests: 'baseline requests' | 'requests' = 'baseline requests',
): string =>
  boundaryMs === null
    ? 'the histograms that both versions send have no bounds, and so show no slower canary: nothing is promoted'
    : `the bounds that both versions send are too far from its durations, or too far apart, to show a slower canary, so nothing is promoted: ${slowPhrase(baseline)} of ${requests} took longer than ${secondsPhrase(boundaryMs)}, the nearest one`;

/** Why nothing is promoted while a part of the requests plainly takes longer, of the metric before it. */
export const slowerPartWords = ({ canaryMs, canary, baselineMs, baseline }: SlowerPart): string => {
  const than = secondsPhrase(canaryMs);
  const thanBaseline = secondsPhrase(baselineMs);
  const longer = than === thanBaseline ? '' : ` longer than ${thanBaseline}`;
  return `a part of its requests is plainly slower, so nothing is promoted: ${slowPhrase(canary)} of canary requests took longer than ${than}, ${slowPhrase(baseline)} of baseline requests${longer}`;
};

/** What mends it. */
export const noBoundRemedy =
  'let both versions send bounds near their durations, each at most five times the one before, or exponential histograms; or say by fine-below of the metric in a policy which durations are fast enough (a bound that 19 of 20 are below, or more)';

/** What mends it. */
export const slowerPartRemedy =
  'look for what those requests have in common (a route, a cache, a retry); once they are as fast as before, it passes';

/** Why nothing is promoted while requests plainly do not reach the canary, of the metric before it. */
export const trafficLostWords = ({ since, ratio, least }: TrafficLost): string =>
  `requests are lost now, so nothing is promoted: since ${windowPhrase(since)} the canary has got ${times(ratio)} of its share, less than ${times(least)}`;

/** What mends it. */
export const trafficLostRemedy =
  'look for what takes requests from the canary (readiness, a load balancer that leaves it out, crashes), for a server of it whose telemetry is missing, and for one of the baseline with far more than its part; if the share was changed, let the log say so';

/** Why nothing is promoted while points come late. */
export const lateWords =
  'more than three points in a hundred of a version came too late to be judged lately, or as many of its failed requests came too late, could not be counted or name no version, so nothing is promoted and the traffic is not judged';

/** What mends it. */
export const lateRemedy =
  'do all servers have the same time (NTP)? does an exporter or a Collector hold points back for longer than two windows, or send again what was refused?';

/** Why nothing is promoted while exports are sparser than windows. */
export const sparseWords =
  'more than a tenth of the requests that a version tells of lately are of before the window they come in, so nothing is promoted and the traffic is not judged';

/** What mends it. */
export const sparseRemedy = (areSendersShared: boolean): string =>
  areSendersShared ? `${sharedRemedy}; ${unlikeRemedy}` : unlikeRemedy;

const sharedRemedy =
  'pods send without a service.instance.id, or under the same one: give each one of its own';
const unlikeRemedy =
  'let both versions export alike (OTEL_METRIC_EXPORT_INTERVAL), and look whether exports fail or are lost; or set judging: { window: … } of a policy to the longest interval';

/** Why nothing is promoted while its servers are busier than its share explains. `busier`, `explained`: times. */
export const busierWords = (busier: number, explained: number): string =>
  `a server of the canary has ${times(busier)} the requests of one of the baseline, of which its share explains ${times(explained)}: what it takes for the others nobody knows, so nothing is promoted by it`;

/** What mends it. */
export const busierRemedy =
  'declare the share that it has (plimsoll traffic), or none; or look who sends it more: a load test, a customer that keeps its connections';

/** Why nothing is promoted while servers of the canary do not stay up. */
export const restartsWords = (restarts: ManyRestarts): string =>
  `servers of the canary begin anew clearly more often than the baseline's, so nothing is promoted: ${restartsPhrase(restarts)}`;

/** What mends it. */
export const restartsRemedy =
  'look why they end (exit codes, out of memory, liveness probes); once they stay up, restarts are forgotten after twenty minutes';

const serversPhrase = (servers: number, restarts: number): string =>
  `${servers} server${servers === 1 ? '' : 's'} ${restarts} time${restarts === 1 ? '' : 's'}`;

const restartsPhrase = ({
  canary,
  baseline,
  canaryServers,
  baselineServers,
}: ManyRestarts): string =>
  `in the last twenty minutes the canary's ${serversPhrase(canaryServers, canary)}, the baseline's ${serversPhrase(baselineServers, baseline)}`;

/** Why nothing is promoted while one instance drowns the others. */
export const loudWords =
  'an instance says far more than the others of its version (ten times the requests of the busiest of two to four, or of the median of five or more; twenty times the level of two to four), and a version has too few to leave it out, so a metric was never compared and nothing is promoted';

/** What mends it. */
export const loudRemedy =
  'look at the instance: does it count wrong, or does somebody speak in its name? does a load or smoke test run against one pod? where one server has most of the traffic by design, run five or more of each version';

/** Why nothing is promoted while SDKs have no room for attributes. */
export const overflownWords =
  'an SDK had no room for the attributes of requests (otel.metric.overflow: its cardinality limit), so which of them failed nobody knows: errors of that version are not compared, nor what a policy judges by attributes, and nothing is promoted';

/** What mends it. */
export const overflownRemedy =
  'drop the attribute with many values by a view (attribute_keys of the histogram), or raise the cardinality limit of the SDK (aggregation_cardinality_limit of a view or reader, 2,000 unless set); once no such requests came for four times no-data of the policy, errors are compared again';

/** Why nothing is promoted while the canary refuses requests that the baseline does not, of the metric before it. */
export const clientErrorsWords = ({ since, canary, baseline }: ClientErrors): string =>
  `it refuses more requests as the client's fault (4xx, or of gRPC UNAUTHENTICATED, NOT_FOUND and the like), so nothing is promoted: since ${windowPhrase(since)} ${slowPhrase(canary)} of canary requests, ${slowPhrase(baseline)} of baseline requests`;

/** What mends it, or lets it pass. */
export const clientErrorsRemedy =
  'look which status it is, and of which route (a login, a path, a check of what is sent); where it is meant, let errors of the metric in a policy say what an error is, and these are not looked at';

const unsaidPhrases = ({ unsaid }: MetricPart): readonly string[] =>
  unsaid === undefined ? [] : [unsaidWords(unsaid)];

/** Why nothing is promoted where one version does not say what became of its requests. */
export const unsaidWords = ({ cohort, by, canary, baseline, window }: Unsaid): string => {
  const [teller, told, untold] =
    cohort === 'canary' ? ['baseline', baseline, canary] : ['canary', canary, baseline];
  const [where, says] = window === null ? ['', 'says'] : [`in ${windowPhrase(window)} `, 'said'];
  const what = `${where}the ${teller} ${says} ${by} for ${percent(told)} of its requests, the ${cohort} for ${percent(untold)}`;
  const passes = window === null ? 'nothing is promoted' : 'nothing is promoted for now';
  return cohort === 'canary'
    ? `${what}: whether the others failed nobody knows, so ${passes}`
    : `${what}: whether the others failed nobody knows, so they are not compared, and ${passes}`;
};

/** What mends it. */
export const unsaidRemedy = ({ by }: Unsaid): string =>
  `let both versions send ${by} in the same way (a status of HTTP is read as a number, 503; one of gRPC as a number or a name, 13 or INTERNAL)`;

const loudestTail = ({ tails, loudest }: LatencyExplanation): TailExplanation | undefined =>
  loudest === null ? undefined : tails[loudest];

const slowPhrase = ({ total, events }: RateCounts): string =>
  total === 0 ? 'none' : `${percent(events / total)} (${grouped(events)}/${grouped(total)})`;

const SECOND_MS = 1_000;

const secondsPhrase = (ms: number): string =>
  ms < SECOND_MS
    ? `${Number(ms.toPrecision(3))} ms`
    : `${Number((ms / SECOND_MS).toPrecision(3))} s`;

type Compared = {
  readonly ratio: number | null;
  readonly interval: RatioInterval & { readonly confidence: number };
};

const ratioPhrase = ({ ratio, interval }: Compared): string => {
  const { low, high } = shownInterval(interval);
  const shown = ratio === null ? 'ratio unknown' : times(ratio);
  const range = rangePhrase(low, high);
  return range === ''
    ? shown
    : `${shown} (${range} with ${Math.round(interval.confidence * 100)} % confidence)`;
};

const rangePhrase = (low: number | null, high: number | null): string => {
  if (low !== null && high !== null) return `${times(low)} to ${times(high)}`;
  if (low !== null) return `at least ${times(low)}`;
  return high === null ? '' : `at most ${times(high)}`;
};

/** What is tolerated, in the unit of what was compared. */
const tolerances = (explained: MetricPart['explained']): readonly string[] => {
  switch (explained.judged) {
    case 'errors':
      return [tolerated(explained.toleratedRate)];
    case 'latency': {
      const tail = loudestTail(explained);
      if (tail === undefined) return [];
      // With a margin the baseline is counted above a lower boundary instead.
      const margin = explained.margin > 0 ? ` (${percent(explained.margin)} slower)` : '';
      return [`${tolerated(tail.toleratedShare)}${margin}`];
    }
    case 'level': {
      const side = explained.worse === 'higher' ? 'up to' : 'down to';
      return [`tolerated ${side} ${times(explained.toleratedRatio)}${busierPhrase(explained)}`];
    }
    case 'traffic':
      return [`tolerated down to ${times(explained.toleratedRatio)}`];
  }
};

/** So little more or less is not spoken of. */
const busierFrom = 1.1;

const busierPhrase = ({ busier = 1 }: LevelExplanation): string => {
  const requests = `a server of the canary has ${times(busier)} the requests of one of the baseline`;
  if (busier >= busierFrom) return `, as ${requests}`;
  return busier > 1 / busierFrom
    ? ''
    : `, though ${requests}, so that it says little of what a request takes`;
};

/** Where most of the baseline's fail, or are slow, so much is tolerated that nothing would be too much. */
const tolerated = (share: number): string =>
  share >= 1
    ? "any share is tolerated, so large is the baseline's"
    : `tolerated up to ${percent(share)}`;

/** How much it scatters by itself, and what was held back for it. */
const scatter = (explained: MetricPart['explained']): readonly string[] => {
  const phrases: string[] = [];
  const used = phiOf(explained);
  if (used !== null && used.phi > 1) phrases.push(scatterPhrase(used));
  if (explained.judged === 'level' && explained.noise === 'batches')
    phrases.push('scatter seen in this canary alone');
  if (explained.cappedBlocks > 0) phrases.push(`blocks capped: ${grouped(explained.cappedBlocks)}`);
  if ('unusableWindows' in explained && explained.unusableWindows > 0)
    phrases.push(`windows that could not be used: ${grouped(explained.unusableWindows)}`);
  return phrases;
};

const phiOf = (
  explained: RatesExplanation | LatencyExplanation | LevelExplanation | TrafficExplanation,
): UsedPhi | null => {
  switch (explained.judged) {
    case 'errors':
      return explained;
    case 'traffic':
      return { phi: explained.phi, phiLeast: explained.phi, isPhiRaised: false };
    case 'latency':
      return loudestTail(explained) ?? null;
    case 'level':
      return null;
  }
};

const scatterPhrase = ({ phi, phiLeast, isPhiRaised }: UsedPhi): string => {
  const [least, most] = [phiLeast, phi].map((value) => String(Number(value.toPrecision(3))));
  const range = least === most ? most : `${least} to ${most}`;
  return `scatter ${range} times that of chance${isPhiRaised ? ' (raised for more traffic than in the history)' : ''}`;
};

const windowsPhrase = (windows: readonly LoudWindow[]): string =>
  `${windows.length === 1 ? 'window' : 'windows'} ${listed(
    windows.toSorted((left, right) => left.index - right.index).map(markPhrase),
  )}`;

const windowPhrase = (mark: WindowMark): string => `window ${markPhrase(mark)}`;
const markPhrase = ({ index, startMs }: WindowMark): string => `${index} (${clock(startMs)})`;

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** The time of the day, UTC. */
const clock = (ms: number): string => {
  const seconds = Math.floor(ms / SECOND_MS) % DAY_SECONDS;
  const parts = [seconds / HOUR_SECONDS, (seconds % HOUR_SECONDS) / 60, seconds % 60];
  return `${parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')} UTC`;
};

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
