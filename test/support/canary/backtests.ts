import { openTelemetryReader } from '../../../services/adapters/otlp/metrics-request.ts';
import { openBacktest } from '../../../services/core/canary/backtest/run.ts';
import type { Backtest } from '../../../services/core/canary/backtest/run.ts';
import type { Judging } from '../../../services/core/canary/backtest/opening.ts';
import type { BacktestSetup } from '../../../services/core/canary/backtest/setup.ts';
import { selectionOf } from '../../../services/core/canary/policy/selection.ts';
import { baselineVersion, canaryVersion, captureSinceMs } from './capture-lines.ts';
import { everywhere, fastPolicy, tools } from './sample-streams.ts';

const read = openTelemetryReader();

export const setup: BacktestSetup = {
  audience: 'local',
  namespace: 'default',
  environment: 'production',
  component: 'checkout',
  target: null,
  deployment: '6f1c1a52-0000-8000-8000-000000000001',
  canary: {
    version: canaryVersion,
    digest: null,
    deployment: '6f1c1a52-0000-8000-8000-000000000001',
  },
  baseline: [
    {
      version: baselineVersion,
      digest: null,
      deployment: '6f1c1a52-0000-8000-8000-000000000002',
    },
  ],
  sinceMs: captureSinceMs,
  comparison: 'concurrent',
  shares: [],
  ended: null,
  isByVersion: true,
};

/** Half a minute until a roll-back, a minute and a half until a promotion. */
export const shortPolicy: typeof fastPolicy = {
  ...fastPolicy,
  windowMs: 5_000,
  warmUpMs: 10_000,
  soakMs: 40_000,
  deadlineMs: 300_000,
  blockMs: 15_000,
  noDataMs: 30_000,
};

export const judging: Judging = {
  placed: everywhere(shortPolicy),
  noise: [],
  before: null,
  mayPromote: true,
  endMs: null,
};

/** A capture judged to its end. */
export const judgedCapture = (
  lines: readonly string[],
  change: Partial<Judging> = {},
  of: Partial<BacktestSetup> = {},
): Backtest => {
  const how = { ...judging, ...change };
  const backtest = openBacktest(tools, { ...setup, ...of }, how);
  const selection = selectionOf([how.placed.policy]);
  for (const [index, line] of lines.entries()) {
    const decoded = read(Buffer.from(line), 'application/json', selection);
    if (!decoded.ok) throw new Error(decoded.problem.message);
    backtest.lose(decoded.value.lost, line);
    backtest.add(decoded.value.points, index + 1);
  }
  backtest.finish();
  return backtest;
};
