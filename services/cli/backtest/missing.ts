import { togetherHint, togetherText } from '../../core/canary/analysis/targets-together.ts';
import type { Backtest } from '../../core/canary/backtest/run.ts';
import { namesMax } from '../../core/canary/backtest/heard.ts';
import {
  durationsWords,
  clientErrorsRemedy,
  clientErrorsWords,
  lateRemedy,
  lateWords,
  sparseRemedy,
  sparseWords,
  loudRemedy,
  loudWords,
  overflownRemedy,
  overflownWords,
  busierRemedy,
  busierWords,
  restartsRemedy,
  restartsWords,
  noBoundRemedy,
  noBoundWords,
  slowerPartRemedy,
  slowerPartWords,
  trafficLostRemedy,
  trafficLostWords,
  unsaidRemedy,
  unsaidWords,
} from '../../core/canary/judge/sentence.ts';
import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import type { Note } from '../terminal/note.ts';
import type { MetricPart, Missing, Timed } from '../../core/canary/judge/verdict.ts';
import type { LatencyExplanation, LatencyProblem } from '../../core/canary/metrics/latency.ts';
import { beforeSpanMs } from '../../core/canary/rollouts/before.ts';
import { grouped } from '../../core/canary/reading/figures.ts';
import { windowMsMax } from '../../core/canary/windows/window-length.ts';
import { isoTime } from '../../core/instant.ts';
import { refusalRemedies } from '../../core/telemetry/point.ts';
import { probeAttributes } from '../../core/telemetry/probes.ts';
import { countOf } from '../../core/problems/problem.ts';
import { nearestPlace } from '../../core/nearest.ts';
import { shortTime, spanText } from '../terminal/display.ts';
import type { CliPorts } from '../ports.ts';

/** Where nothing was decided, what the capture has instead of what was asked for tells why. `about` comes first. */
export const tellWhatIsMissing = (
  { note }: Pick<CliPorts, 'note'>,
  { environment, component, canary, baseline, sinceMs, comparison, ended }: BacktestSetup,
  backtest: Backtest,
  about = '',
): void => {
  if (backtest.settled() !== null) return;
  const heard = backtest.heard();
  const { places, versions, probedAlone, points, times, exportsEveryMs } = heard;
  const say = (message: string, hint: string): void =>
    note({ code: 'nothing-heard', message: `${about}${message}`, hint });
  const { excluded } = backtest.result();
  const refused = Object.entries(excluded).filter(([reason]) => reason in refusalHints);
  const sayRefused = (what = ''): void => {
    for (const [reason, count] of refused)
      say(
        `${what}${grouped(count)} ${count === 1 ? 'point was' : 'points were'} refused: ${reason}`,
        refusalHints[reason] ?? '',
      );
  };
  const place = `${environment}/${component}`;
  if (places.size === 0) {
    if (refused.length > 0) sayRefused(nothingJudged);
    else
      say(
        'the capture has no point that is judged',
        'requests are judged by http.server.request.duration and rpc.server.call.duration; a policy may name other metrics',
      );
    return;
  }
  if (!places.has(place)) {
    say(
      `the capture has no point of ${place}; it has ${listed(places)}`,
      hintOf(
        place,
        places,
        places.has(`default/${component}`)
          ? 'senders without deployment.environment.name are in default; environment and service are'
          : 'environment and service are',
        'name them by --environment and --service',
      ),
    );
    return;
  }
  if (versions.size === 0)
    say(
      `no point of ${component} names a version`,
      'every sender says what it runs: service.version in OTEL_RESOURCE_ATTRIBUTES',
    );
  for (const version of [canary.version, ...baseline.map((each) => each.version)])
    if (versions.size > 0 && !versions.has(version))
      say(
        `the capture has no point of ${component} ${version} that is judged; it has ${listed(versions)}`,
        hintOf(version, versions, 'service.version is', 'name it by --canary and --baseline'),
      );
  for (const version of probedAlone)
    say(
      `${component} ${version} tells of requests of probes and scrapes alone, which count for no metric`,
      `${probeAttributes.join(', ')} tell them; a metric counts them where its where names one of these`,
    );
  sayRefused(heard.refused > 0 && heard.refused === points ? nothingJudged : '');
  const metrics = backtest.readings().at(-1)?.explanation.metrics ?? [];
  for (const holdOf of holds)
    for (const metric of metrics) {
      const hold = holdOf(metric);
      if (hold !== undefined) note({ ...hold, message: `${about}${metric.id}: ${hold.message}` });
    }
  if (ended !== null)
    note({
      code: 'ended-undecided',
      message: `${about}the rollout ended as ${ended.fact} ${spanText(ended.atMs - sinceMs)} after its start, before anything was decided; what came then was not judged`,
      hint: `a pipeline says how a rollout ended after plimsoll gate${comparison === 'concurrent' ? '' : ' --wait=35m: before and after takes half an hour'}`,
    });
  const { verdict } = backtest.readings().at(-1) ?? {};
  const missing = verdict?.outcome === 'inconclusive' ? verdict.missing : [];
  const isMissing = (what: Missing['what']): boolean => missing.some((one) => one.what === what);
  const { late = 0 } = excluded;
  const areLate = `${grouped(late)} of ${grouped(points)} points are late`;
  if (isMissing('none-loud'))
    note({ code: 'instance-loud', message: `${about}${loudWords}`, hint: loudRemedy });
  if (isMissing('none-overflown'))
    note({
      code: 'attributes-overflown',
      message: `${about}${overflownWords}`,
      hint: overflownRemedy,
    });
  for (const one of missing)
    if (one.what === 'restarts')
      note({
        code: 'servers-restart',
        message: `${about}${restartsWords(one)}`,
        hint: restartsRemedy,
      });
  const busier = backtest.busierServers();
  if (busier !== null)
    note({
      code: 'servers-busier',
      message: `${about}${busier.metrics.join(', ')}: ${busierWords(busier.busier, busier.explained)}`,
      hint: busierRemedy,
    });
  if (isMissing('all-in-time'))
    note({ code: 'points-late', message: `${about}${lateWords}: ${areLate}`, hint: lateRemedy });
  else if (late > lateShareMax * points)
    say(
      `${areLate}: further from the time that other senders tell than two windows`,
      'do all servers have the same time (NTP), and does the capture hold exports as they came?',
    );
  if (isMissing('dense-exports'))
    note({
      code: 'exports-sparse',
      message: `${about}${sparseWords}`,
      hint: sparseRemedy(backtest.areSendersShared()),
    });
  const windowMs = backtest.readings().at(-1)?.windowMs ?? 0;
  if (exportsEveryMs !== null && windowMs > 0 && exportsEveryMs > windowMs * jitterFactor)
    say(
      `a version exports every ${spanText(exportsEveryMs)}, and windows are ${spanText(windowMs)}: they follow exports of which each version shows two within no-data of the policy`,
      exportsEveryMs > windowMsMax * jitterFactor
        ? `windows are no longer than ${spanText(windowMsMax)}: let servers export more often`
        : `let servers export more often, or set judging: { no-data: ${Math.ceil((3 * exportsEveryMs) / minuteMs)}m } in a policy`,
    );
  if (times === null) return;
  const since = shortTime(isoTime(sinceMs));
  if (times.lastMs < sinceMs)
    say(
      `the capture ends at ${shortTime(isoTime(times.lastMs))}, before the canary began (${since})`,
      '--since is in UTC; is it the capture of another day?',
    );
  else if (times.firstMs > sinceMs + lateMsMax)
    say(
      `the capture begins at ${shortTime(isoTime(times.firstMs))}, long after the canary began (${since})`,
      '--since is in UTC; is it the capture of another day?',
    );
  else if (comparison !== 'concurrent' && times.firstMs > sinceMs - beforeSpanMs / 2)
    say(
      `the capture begins at ${shortTime(isoTime(times.firstMs))}, and ${canary.version} is held against the half-hour before ${since}`,
      'a capture of before and after begins half an hour before the rollout, and a day before it where it should tell the season',
    );
};

/** Senders of other targets have been taken for those of the one that is meant, whatever was decided. */
export const tellTargetsTogether = (
  { note }: Pick<CliPorts, 'note'>,
  { target }: BacktestSetup,
  backtest: Backtest,
  about = '',
): void => {
  const targets = backtest.targetsTogether();
  if (target === null || targets.length === 0) return;
  note({
    code: 'targets-together',
    message: `${about}${togetherText(target, targets)}`,
    hint: togetherHint(target, targets),
  });
};

type Metric = ReturnType<Backtest['readings']>[number]['explanation']['metrics'][number];

type Incomparable = Timed<LatencyExplanation> & {
  readonly problem: Exclude<LatencyProblem, 'scale-fell'>;
};

/** Wider buckets are compared from the next window on: nothing to mend. */
const isIncomparable = (explained: MetricPart['explained']): explained is Incomparable =>
  explained.judged === 'latency' &&
  explained.problem !== null &&
  explained.problem !== 'scale-fell';

/** What keeps a metric from being compared, or promoted whatever it shows: told in this order. */
const holds: readonly ((metric: Metric) => Note | undefined)[] = [
  ({ explained }) =>
    isIncomparable(explained)
      ? {
          code: explained.problem,
          message: `${durationsWords[explained.problem]}${explained.tails.length === 0 ? ', so nothing is promoted' : `, in ${countOf(explained.unusableWindows, 'window')}`}`,
          hint: 'let both versions send the same kind of buckets, in the same unit and with the same bounds',
        }
      : undefined,
  ({ explained }) =>
    explained.judged === 'latency' && explained.noBound !== null
      ? { code: 'no-bound', message: noBoundWords(explained.noBound), hint: noBoundRemedy }
      : undefined,
  ({ explained }) =>
    explained.judged === 'latency' && explained.slowerPart !== null
      ? {
          code: 'slower-part',
          message: slowerPartWords(explained.slowerPart),
          hint: slowerPartRemedy,
        }
      : undefined,
  ({ unsaid }) =>
    unsaid === undefined
      ? undefined
      : { code: 'status-unsaid', message: unsaidWords(unsaid), hint: unsaidRemedy(unsaid) },
  ({ explained }) =>
    explained.judged === 'traffic' && explained.lost !== undefined
      ? {
          code: 'traffic-lost',
          message: trafficLostWords(explained.lost),
          hint: trafficLostRemedy,
        }
      : undefined,
  ({ clientErrors }) =>
    clientErrors === undefined
      ? undefined
      : {
          code: 'client-errors',
          message: clientErrorsWords(clientErrors),
          hint: clientErrorsRemedy,
        },
];

const nothingJudged = 'the capture has no point that is judged: ';

/** Faults of whoever sends, which leave nothing to judge. */
const refusalHints: { readonly [reason: string]: string } = {
  ...refusalRemedies,
  'start-shared':
    'several pods or workers send under one name (give each a service.instance.id of its own), the exports of one come by two paths (send them by one), or a restarted server kept the start of its counters (let it send its new one)',
  'service-name-missing': 'a resource needs service.name',
};

/** Timers are late, and what a capture has of a second is not all of it. */
const jitterFactor = 1.1;
const minuteMs = 60_000;

/** More late points than this are no chance. */
const lateShareMax = 0.1;

/** Silence for so long at the beginning is worth a word. */
const lateMsMax = 120_000;

const listed = (names: ReadonlySet<string>): string =>
  `${[...names].join(', ')}${names.size === namesMax ? ', and maybe more' : ''}`;

const hintOf = (
  wanted: string,
  names: ReadonlySet<string>,
  what: string,
  otherwise: string,
): string => {
  const near = nearestPlace(wanted, [...names]);
  return near === undefined ? otherwise : `${what} perhaps ${near}`;
};
