import { decide } from '../../core/canary/decide.ts';
import { initialJudge, judgeVersion, judgeWindow } from '../../core/canary/judge.ts';
import { standardPreset } from '../../core/canary/policy.ts';
import type { JudgePolicy, Tolerance } from '../../core/canary/policy.ts';
import { errorsBoundSeconds } from './bounds.ts';
import type { Cell } from './cells.ts';
import { baseRate } from './climates.ts';
import type { Judge, Judged, JudgePlug } from './judge-plug.ts';

/** The product's judge of one metric, errors, with a given policy. */
const errorsOnly = (name: string, about: string, policy: JudgePolicy): JudgePlug => ({
  name: `${name} v${judgeVersion}`,
  about,
  learn: () => judgeBy(policy),
  boundSeconds: ({ traffic, truth }: Cell) =>
    truth.errorRate === baseRate
      ? null
      : errorsBoundSeconds(
          traffic,
          { canary: truth.errorRate, baseline: baseRate },
          policy.tolerance,
          policy.alphaAnytime,
        ),
  falseRollbackShareMax: null,
});

const judgeBy =
  (policy: JudgePolicy): Judge =>
  (windows): Judged => {
    let state = initialJudge(policy);
    let promotedMs: number | null = null;
    for (const { index, startMs, canary, baseline } of windows) {
      state = judgeWindow(policy, state, {
        index,
        startMs,
        canary: { requests: canary.requests, errors: canary.errors },
        baseline: { requests: baseline.requests, errors: baseline.errors },
      });
      const action = decide(policy, state)?.action;
      const atMs = startMs + policy.windowMs;
      if (action === 'roll-back') return { rolledBackMs: atMs, promotedMs, blamed: 'errors' };
      if (action === 'promote') promotedMs = atMs;
    }
    return { rolledBackMs: null, promotedMs, blamed: null };
  };

/** The test of one metric by itself: no warm-up, no block cap, no restarts, the whole budget of 1 %. */
const coreOf = (tolerance: Tolerance): JudgePolicy => ({
  ...standardPreset,
  warmUpMs: 0,
  blockCapNats: 1_000,
  alphaAnytime: 0.01,
  restarts: { ...standardPreset.restarts, count: 0 },
  tolerance,
});

export const errorsOnlyStandard: JudgePlug = errorsOnly(
  'errors only',
  'the product, errors alone, standard preset',
  standardPreset,
);

export const errorsOnlyCores: readonly JudgePlug[] = [
  errorsOnly(
    'errors core strict',
    'errors alone, core test, 1x',
    coreOf({ relative: 1, absolute: 0 }),
  ),
  errorsOnly(
    'errors core 1.1x',
    'errors alone, core test, 1.1x + 0.05 points',
    coreOf({ relative: 1.1, absolute: 0.0005 }),
  ),
  errorsOnly(
    'errors core 1.25x',
    'errors alone, core test, 1.25x + 0.1 points',
    coreOf({ relative: 1.25, absolute: 0.001 }),
  ),
];
