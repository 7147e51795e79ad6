import type { AnalysisState } from '../core/canary/analysis/analysis-state.ts';
import { ruleIn } from '../core/canary/attempts/frozen.ts';
import type { Stage, Verdict } from '../core/canary/judge/verdict.ts';
import { stageOf, verdictOf } from '../core/canary/judge/verdict-of.ts';
import { policyFor } from '../core/canary/policy/placed-policy.ts';
import type { Position } from '../core/log/record.ts';
import { openBeforeFor } from './before-read.ts';
import { openEvidenceKept } from './evidence-kept.ts';
import { openExcluded } from './excluded.ts';
import { followLog } from './follow-log.ts';
import { openJudgingNotes } from './judging-notes.ts';
import { keepFollowing } from './following.ts';
import type { Following, PartStatus } from './following.ts';
import { openNoiseFor } from './noise-kept.ts';
import { keepNoiseFresh } from './noise-refresh.ts';
import type { AnalyserEvent, AnalyserPorts } from './ports.ts';
import { openPolicies } from './policies.ts';
import { stageOne } from './stage-one.ts';
import { openStageTwo } from './stage-two.ts';
import type { StageTwo } from './stage-two.ts';
import { openTally } from './tally.ts';
import { isOwnKeyTrusted, openTrustedKeys } from './trusted-keys.ts';
import { openToldOnce } from './told-once.ts';

/** One analysis as it stands. */
export type AnalysisStatus = {
  readonly analysis: string;
  readonly deployment: string;
  readonly attempt: number;
  readonly environment: string;
  readonly component: string;
  readonly openedAtMs: number;
  /** Null while it is measured, or where the policy cannot be read. */
  readonly windowMs: number | null;
  readonly windows: number;
  /** Null before the first window, or where it cannot be judged. */
  readonly stage: Stage | null;
  readonly verdict: Verdict | null;
  readonly ended: AnalysisState['ended'];
  /** Points that did not become evidence, by reason. */
  readonly excluded: AnalysisState['excluded'];
};

export type AnalyserStatus = {
  /** `waiting-for-key`: the log does not trust the analyser's key, yet or any more, or there are no read models. */
  readonly state: 'waiting-for-key' | 'running' | 'stopped';
  readonly parts: readonly PartStatus[];
  readonly analyses: readonly AnalysisStatus[];
  /** The newest decisions of this process, oldest first. */
  readonly decisions: readonly {
    readonly kind: string;
    readonly analysis: string;
    readonly deployment: string;
    readonly position: Position | null;
  }[];
  /** OTLP records and points, and samples, that were not taken, by code. */
  readonly rejected: {
    readonly telemetry: { readonly [code: string]: number };
    readonly samples: { readonly [code: string]: number };
  };
};

export type Analyser = {
  readonly status: () => AnalyserStatus;
  readonly stop: () => Promise<void>;
};

const decisionsShownMax = 20;
const keyLookMs = 500;
/** A log that was just made is folded record by record: the keys that its opening names are there in a moment. */
const keyTellAfterMs = 5_000;
/** Well below `retirementGraceMs`: what it appends before it knows of the end of its key must still count. */
const ownKeyLookMs = 5_000;
const ticksAgainMs = 1_000;
const excludedLookMs = 1_000;
/** So far behind, whoever judges needs all the time there is. */
const busyLagRecords = 200;

/**
 * Starts the three followers: telemetry to samples, the log to samples, samples to decisions. Each restarts by
 * itself after an outage. Nothing is signed before the log trusts the key; when it does so no more, all that is this
 * process's is handed to others.
 */
export const startAnalyser = (ports: AnalyserPorts): Analyser => {
  const stopping = new AbortController();
  const stop = stopping.signal;
  const rejected = { telemetry: openTally(), samples: openTally() };
  const decided: AnalyserStatus['decisions'][number][] = [];
  const told: AnalyserPorts = {
    ...ports,
    tell: (event) => {
      remember(decided, event);
      ports.tell(event);
    },
  };
  let analyses: StageTwo['analyses'] = () => [];
  let parts: readonly Following[] = [];
  let state: AnalyserStatus['state'] = 'waiting-for-key';

  const tellExcluded = openExcluded(told.tell);
  const tellOnce = openToldOnce(told.tell);
  const leaveNotes = openJudgingNotes(told);
  const keepTelling = async (): Promise<void> => {
    while (!stop.aborted) {
      await ports.clock.sleep(excludedLookMs, stop);
      tellExcluded(analyses(), rejected.telemetry.counts(), ports.clock.nowMs());
      tellOnce(analyses());
      await leaveNotes(analyses());
    }
  };

  /** From the moment when the log trusts the key to the moment when it does so no more. */
  const workWhileTrusted = async (): Promise<void> => {
    await ownKeyTrusted(told, stop);
    if (stop.aborted) return;
    state = 'running';
    told.tell({ event: 'started' });
    const trusted = new AbortController();
    const ended = AbortSignal.any([stop, trusted.signal]);
    const keys = openTrustedKeys(ports);
    const kept = openEvidenceKept(told, keys);
    const policies = openPolicies(ports);
    const two = openStageTwo(told, ended, keys, kept, rejected.samples);
    analyses = two.analyses;
    const samples = keepFollowing(told, ended, 'samples', ports.samples, two.follower);
    parts = [
      samples,
      keepFollowing(
        told,
        ended,
        'log',
        ports.log,
        followLog(told, ended, {
          policies,
          kept,
          noiseFor: openNoiseFor(told, keys),
          beforeFor: openBeforeFor(told, keys),
        }),
      ),
      keepFollowing(
        told,
        ended,
        'telemetry',
        ports.metrics,
        stageOne(told, ended, policies, rejected.telemetry),
      ),
    ];
    const keyEnded = ownKeyEnded(told, ended).then(() => {
      trusted.abort();
    });
    await Promise.all([
      ...parts.map(({ over }) => over),
      keepTicking(told, ended, two),
      two.keepArchiving(),
      keepNoiseFresh(told, ended, keys, {
        owned: () => samples.status().partitions,
        isBusy: () => parts.some((part) => part.status().lagRecords > busyLagRecords),
        policyFor: async (environment, component) =>
          policyFor(await policies.inForce(), component, environment).placed.policy,
      }),
      keyEnded,
    ]);
    if (!stop.aborted) state = 'waiting-for-key';
  };
  const work = async (): Promise<void> => {
    while (!stop.aborted) await workWhileTrusted();
  };
  const over = Promise.all([work(), keepTelling()]);

  return {
    status: () => ({
      state,
      parts: parts.map((part) => part.status()),
      analyses: analyses().map(analysisStatus),
      decisions: [...decided],
      rejected: { telemetry: rejected.telemetry.counts(), samples: rejected.samples.counts() },
    }),
    stop: async () => {
      stopping.abort();
      await over;
      state = 'stopped';
    },
  };
};

const ownKeyTrusted = async (ports: AnalyserPorts, stop: AbortSignal): Promise<void> => {
  let isTold = false;
  for (let waitedMs = 0; !stop.aborted; waitedMs += keyLookMs) {
    if ((await isOwnKeyTrusted(ports)) === true) return;
    const isSure = waitedMs >= keyTellAfterMs;
    if (isSure && !isTold) ports.tell({ event: 'key-untrusted', keyId: ports.signer.keyId });
    isTold ||= isSure;
    await ports.clock.sleep(keyLookMs, stop);
  }
};

/** Waits until the key is retired or found compromised: whatever it signs from then on counts for nothing. */
const ownKeyEnded = async (ports: AnalyserPorts, stop: AbortSignal): Promise<void> => {
  while (!stop.aborted) {
    await ports.clock.sleep(ownKeyLookMs, stop);
    if (!stop.aborted && (await isOwnKeyTrusted(ports)) === false) return;
  }
};

/** A tick that cannot be appended is no loss: the next one says more. Why it cannot is told once. */
const keepTicking = async (
  ports: AnalyserPorts,
  stop: AbortSignal,
  two: StageTwo,
): Promise<void> => {
  let said: string | undefined;
  while (!stop.aborted) {
    const message = await two.keepTicking().then(() => undefined, String);
    if (message !== undefined && message !== said && !stop.aborted)
      ports.tell({ event: 'part-stopped', part: 'samples', message, retryInMs: ticksAgainMs });
    said = message;
    await ports.clock.sleep(ticksAgainMs, stop);
  }
};

const remember = (decided: AnalyserStatus['decisions'][number][], event: AnalyserEvent): void => {
  if (event.event !== 'decided') return;
  const { kind, analysis, deployment, position } = event;
  decided.push({ kind, analysis, deployment, position });
  if (decided.length > decisionsShownMax) decided.shift();
};

const analysisStatus = (analysis: AnalysisState): AnalysisStatus => {
  const { opening, windowMs, judge } = analysis;
  const rule = windowMs === null ? null : ruleIn(opening, windowMs);
  return {
    analysis: opening.analysis,
    deployment: opening.deployment,
    attempt: opening.attempt,
    environment: opening.environment,
    component: opening.component,
    openedAtMs: opening.openedAt,
    windowMs,
    windows: judge?.nextIndex ?? 0,
    stage: rule === null || judge === null ? null : stageOf(rule, judge),
    verdict: rule === null || judge === null ? null : verdictOf(rule, judge),
    ended: analysis.ended,
    excluded: analysis.excluded,
  };
};
