import type { Outlook, TrafficFrom } from '../../core/canary/policy/plan-policy.ts';
import { dispersionUnknown, latencySpreadUsual } from '../../core/canary/policy/plan-policy.ts';
import type { Policy } from '../../core/canary/policy/policy.ts';
import { durationText } from '../../core/canary/policy/setting.ts';
import {
  dispersionIn,
  openTrafficSeen,
  seenBackMs,
} from '../../core/canary/policy/traffic-seen.ts';
import type { TrafficSeen } from '../../core/canary/policy/traffic-seen.ts';
import type { Slot } from '../../core/markers/marker.ts';
import { nearestPlace } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Sample } from '../../core/samples/sample.ts';
import type { SlotState } from '../../core/slot-state.ts';
import {
  togetherHint,
  untoldTargetOf,
  wouldBeTogetherText,
} from '../../core/canary/analysis/targets-together.ts';
import { scanRows } from '../reading/reading.ts';
import { sampleKey } from '../../core/samples/key.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';

// What a plan counts on: what the options say, and else what is known of the place.

const rpsMax = 1_000_000_000;
const dispersionMax = 1_000;
const stepsMax = 20;
const baselineErrorRateUsual = 0.005;
const baselineErrorRateMin = 1e-6;
const shareUsual = '10%';

/** What the command line says; null: it does not. */
export type Said = {
  readonly traffic: readonly TrafficFrom[] | null;
  readonly steps: readonly Step[];
  readonly baselineErrorRate: number | null;
  readonly dispersion: number | null;
};

export const readSaid = (given: Given): Result<Said, CliProblem> => {
  const steps = readSteps(given.value('share') ?? shareUsual);
  if (steps === undefined)
    return bad(
      'share',
      given.value('share'),
      'write it such as 10%, or 0s=1%,450s=5%: rising times from 0s on',
    );
  const traffic = readTraffic(given, steps);
  if (!traffic.ok) return traffic;
  const rate = given.value('base-error-rate');
  const baselineErrorRate = rate === null ? null : readShare(rate);
  if (baselineErrorRate !== null && !isErrorRate(baselineErrorRate))
    return bad('base-error-rate', rate, 'write it such as 0.5% or 0.005: from 0.0001% to 50%');
  const written = given.value('dispersion');
  const dispersion = written === null ? null : readNumber(written);
  if (dispersion !== null && !(dispersion >= 1 && dispersion <= dispersionMax))
    return bad('dispersion', written, 'it is 1 (chance alone) or more');
  return ok({ traffic: traffic.value, steps, baselineErrorRate, dispersion });
};

const isErrorRate = (rate: number): boolean => rate >= baselineErrorRateMin && rate <= 0.5;

const readTraffic = (
  given: Given,
  steps: readonly Step[],
): Result<readonly TrafficFrom[] | null, CliProblem> => {
  const [canary, baseline] = [given.value('canary-rps'), given.value('baseline-rps')];
  const [both, share] = [given.value('rps'), given.value('share')];
  if (canary === null && baseline === null && both === null) return ok(null);
  if (canary !== null && baseline !== null && both === null && share === null) {
    const [canaryRps, baselineRps] = [readRps(canary), readRps(baseline)];
    if (Number.isNaN(canaryRps)) return bad('canary-rps', canary, rpsHint);
    if (Number.isNaN(baselineRps)) return bad('baseline-rps', baseline, rpsHint);
    return ok([{ fromSeconds: 0, canaryRps, baselineRps }]);
  }
  if (canary !== null || baseline !== null || both === null)
    return refuse('option-missing', 'it is not said how much traffic there is', trafficHint);
  const rps = readRps(both);
  return Number.isNaN(rps) ? bad('rps', both, rpsHint) : ok(sharedOut(rps, steps));
};

const trafficHint =
  'give --canary-rps and --baseline-rps, or --rps alone or with --share; with none of the rates the last hour counts';

const sharedOut = (rps: number, steps: readonly Step[]): readonly TrafficFrom[] =>
  steps.map(({ fromSeconds, share: part }) => ({
    fromSeconds,
    canaryRps: rps * part,
    baselineRps: rps * (1 - part),
  }));

/** What is known of the place: its traffic of the last hour, and what was learned of its noise. */
export type SeenHere = TrafficSeen & {
  readonly dispersion: number | null;
  readonly noiseAgeMs: number | null;
  /** What senders name as theirs, sorted. */
  readonly targets: readonly string[];
};

export const seenHere = async (
  ports: CliPorts,
  given: Given,
  policy: Policy,
): Promise<Result<SeenHere, CliProblem>> => {
  const environment = given.value('environment') ?? '';
  const component = given.value('component') ?? '';
  if (ports.gateway !== null)
    return refuse(
      'option-missing',
      'through a gateway nobody tells how much traffic there is',
      trafficHint,
    );
  if (!(await ports.isMade()))
    return refuse(
      'option-missing',
      'nothing was heard here yet, so nobody knows how much traffic there is',
      trafficHint,
    );
  const explaining = await ports.explaining();
  if (!explaining.ok) return explaining;
  const key = sampleKey({ environment, component });
  const partition = explaining.value.partitionOf(key);
  const nowMs = ports.clock.nowMs();
  const from = await explaining.value.positionNear(partition, nowMs - seenBackMs);
  if (!from.ok) return refuse('unreachable', from.problem.message, trafficHint);
  const holders = await holdersOf(ports, { environment, component });
  if (!holders.ok) return holders;
  const seen = openTrafficSeen(policy.metrics, nowMs, holders.value);
  const range = { analysis: '', partition, key, from: from.value, to: null };
  const progress = openProgress(ports, 'reading samples');
  const targets = new Set<string>();
  const take = (sample: Sample): void => {
    for (const origin of sample.kind === 'points' ? sample.origins : []) {
      const target = untoldTargetOf(origin);
      if (target !== null) targets.add(target);
    }
    seen.add(sample);
  };
  const read = await explaining.value.read(range, take, progress);
  if (!read.ok) return refuse('unreachable', read.problem.message, trafficHint);
  const traffic = seen.close();
  if (!traffic.ok) {
    const { minutes, minutesNeeded } = traffic.problem;
    const near = minutes === 0 ? await nearestSlot(ports, { environment, component }) : undefined;
    return refuse(
      'option-missing',
      `the samples of the last hour have ${minutes === 0 ? 'no whole minute' : `${minutes} whole minutes`} with requests of ${component} in ${environment}, and ${minutesNeeded} are enough to plan by`,
      minutes === 0
        ? `${near === undefined ? 'is its name right, and does it send telemetry?' : `is it perhaps ${near}?`} Or ${trafficHint}`
        : `ask again in some minutes, or ${trafficHint}`,
    );
  }
  const { noise, ageMs } = await explaining.value.noiseFor(
    { environment, component },
    policy.metrics,
  );
  return ok({
    ...traffic.value,
    dispersion: dispersionIn(noise),
    noiseAgeMs: ageMs,
    targets: [...targets].toSorted(),
  });
};

/** The versions that hold the place, on all its targets and in all namespaces: a plan is of all of them. */
const holdersOf = async (
  ports: CliPorts,
  place: Pick<Slot, 'environment' | 'component'>,
): Promise<Result<ReadonlySet<string>, CliProblem>> => {
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!atHand.ok) return atHand;
  const slots = await scanRows<SlotState>(atHand.value, 'slot', {
    isWanted: ({ slot }) =>
      slot.environment === place.environment && slot.component === place.component,
    wantedMax: slotsLookedAtMax,
  });
  if (!slots.ok) return slots;
  const versions = slots.value.flatMap(({ holders }) => holders.map(({ version }) => version));
  return ok(new Set(versions.filter((version) => version !== null)));
};

/** Another place that something was deployed to, where nothing ever was to this one. */
const nearestSlot = async (
  ports: CliPorts,
  place: Pick<Slot, 'environment' | 'component'>,
): Promise<string | undefined> => {
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!atHand.ok) return undefined;
  const slots = await scanRows<SlotState>(atHand.value, 'slot', { wantedMax: slotsLookedAtMax });
  const nameOf = ({ environment, component }: typeof place): string =>
    `${environment}/${component}`;
  const names = slots.ok ? slots.value.map(({ slot }) => nameOf(slot)) : [];
  return names.includes(nameOf(place)) ? undefined : nearestPlace(nameOf(place), names);
};

/** Slots among which one that was spelt otherwise is looked for. */
const slotsLookedAtMax = 2_000;

/** Said where something is deployed to a single target there, and the policy would judge the senders of all as one. */
export const tellTargetsTogether = async (
  ports: CliPorts,
  given: Given,
  { targetAttribute }: Policy,
  { targets }: SeenHere,
): Promise<Result<void, CliProblem>> => {
  if (targetAttribute !== null || targets.length < 2) return ok(undefined);
  const environment = given.value('environment') ?? '';
  const component = given.value('component') ?? '';
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!atHand.ok) return atHand;
  const slots = await scanRows<SlotState>(atHand.value, 'slot', {
    isWanted: ({ slot }) =>
      slot.environment === environment && slot.component === component && slot.target !== null,
    wantedMax: 1,
  });
  if (!slots.ok) return slots;
  const target = slots.value[0]?.slot.target ?? null;
  if (target !== null)
    ports.note({
      code: 'targets-together',
      message: wouldBeTogetherText(target, targets),
      hint: togetherHint(target, targets),
    });
  return ok(undefined);
};

export const outlookOf = (said: Said, seen: SeenHere | null): Outlook => {
  const seenRate = seen?.errorRate ?? baselineErrorRateUsual;
  return {
    traffic: said.traffic ?? sharedOut(seen?.requestsPerSecond ?? 0, said.steps),
    baselineErrorRate:
      said.baselineErrorRate ?? Math.min(0.5, Math.max(baselineErrorRateMin, seenRate)),
    dispersion: said.dispersion ?? seen?.dispersion ?? dispersionUnknown,
    latencySpread: Math.max(latencySpreadMin, seen?.latencySpread ?? latencySpreadUsual),
    noBound: seen?.noBound.map(({ metric }) => metric) ?? [],
  };
};

/** No service has durations that are more alike. */
const latencySpreadMin = 0.05;

/** Where the figures are from. */
export const seenText = (seen: SeenHere | null): readonly string[] => {
  if (seen === null) return [];
  const { minutes, requestsPerSecond, noiseAgeMs, latencySpread } = seen;
  const parts = [
    `traffic, errors${latencySpread === null ? '' : ' and spread of durations'}: from the samples of the last hour (${minutes} minutes with requests, ${Number(requestsPerSecond.toPrecision(3))} a second)`,
    noiseAgeMs === null
      ? 'scatter: nothing was learned yet'
      : `scatter: learned ${durationText(Math.max(60_000, Math.round(noiseAgeMs / 60_000) * 60_000))} ago`,
  ];
  return [`${parts.join('; ')}; options say otherwise`];
};

const rpsHint = 'requests a second, above 0';

const bad = (option: string, written: string | null, hint: string): Result<never, CliProblem> =>
  refuse(
    'option-invalid',
    `--${option}=${JSON.stringify((written ?? '').slice(0, 64))} is not understood`,
    hint,
  );

const readNumber = (written: string): number =>
  /^[0-9]{1,12}(\.[0-9]{1,12})?$/.test(written) ? Number(written) : Number.NaN;

const readRps = (written: string): number => {
  const rps = readNumber(written);
  return rps > 0 && rps <= rpsMax ? rps : Number.NaN;
};

/** `0.5%` or `0.005`. */
const readShare = (written: string): number =>
  written.endsWith('%') ? readNumber(written.slice(0, -1).trimEnd()) / 100 : readNumber(written);

type Step = { readonly fromSeconds: number; readonly share: number };

const readSteps = (written: string): readonly Step[] | undefined => {
  const parts = written.includes('=') ? written.split(',') : [`0s=${written}`];
  const steps = parts.map((part): Step => {
    const [, seconds = '', share = ''] = /^([0-9]{1,6})s=(.+)$/.exec(part.trim()) ?? [];
    return { fromSeconds: seconds === '' ? Number.NaN : Number(seconds), share: readShare(share) };
  });
  const isRising = steps.every(({ fromSeconds, share }, index) => {
    const before = steps[index - 1]?.fromSeconds ?? -1;
    return fromSeconds > before && share > 0 && share < 1;
  });
  return steps.length <= stepsMax && isRising && steps[0]?.fromSeconds === 0 ? steps : undefined;
};
