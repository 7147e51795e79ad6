import { parseArgs } from 'node:util';

import { decide } from '../core/canary/judge/decide.ts';
import type { FamilyDecision } from '../core/canary/judge/decide.ts';
import { initialFamily, judgeWindow } from '../core/canary/judge/judge.ts';
import type { FamilyRule } from '../core/canary/judge/rule.ts';
import { windowsIn } from '../core/canary/judge/times.ts';
import { familyRuleOf } from '../core/canary/policy/family-rule.ts';
import { presetMetric, presets } from '../core/canary/policy/presets.ts';
import { regressions, sameProgram, windowsOf } from './canary-climates/climates.ts';
import type { Climate } from './canary-climates/climates.ts';
import { seededRandom } from './canary-climates/random.ts';
import { upperLimit } from './canary-climates/upper-limit.ts';

const USAGE = `Usage: npm run judge:aa -- [--runs N] [--seed N] [--power] [--json]

Judges simulated canaries that are the same program as their baseline, 30 minutes each, looking
after every window, and counts the false rollbacks. N runs in each climate; the JSON line speaks
of the climate with the most. By errors alone, whose scatter is known to be that of chance; all metrics in all
climates are judged by npm run judge:calibrate.

  --runs N   runs per climate, 1 to 1000000 (default 1000)
  --seed N   0 to 4294967295 (default 1)
  --power    how soon regressions are found, instead
  --json     end with one line of JSON
  --help     this help`;

/** Of same programs, so many canaries may be rolled back: the promise that the runs are held against. */
const FALSE_ROLLBACK_SHARE_MAX = 0.01;

const RUNS_MAX = 1_000_000;
const SEED_MAX = 2 ** 32 - 1;
const CONFIDENCE = 0.95;
const PROGRESS_EVERY_MS = 2_000;
const EXIT_BAD_INPUT = 2;

type Options = {
  readonly runs: number;
  readonly seed: number;
  readonly power: boolean;
  readonly json: boolean;
};

/** How a climate's runs ended; delays in ms from the opening of the analysis, ascending. */
type Tally = {
  readonly climate: string;
  readonly runs: number;
  readonly rollbackDelaysMs: readonly number[];
  readonly promoteDelaysMs: readonly number[];
};

const main = (): void => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const options = readOptions(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${USAGE}\n`);
    process.exitCode = EXIT_BAD_INPUT;
    return;
  }
  const climates = options.power ? regressions : sameProgram;
  const tallies = climates.map((climate, stream) => tally(climate, stream, options));
  process.stdout.write(`${tableOf(tallies)}\n`);
  if (!options.power)
    process.stdout.write(
      `to compare with: alpha, at most ${percent(FALSE_ROLLBACK_SHARE_MAX)} rolled back in each climate\n`,
    );
  if (!options.json) return;
  const last = options.power ? powerLine(tallies) : falseRollbackLine(tallies);
  process.stdout.write(`${JSON.stringify(last)}\n`);
};

const readOptions = (args: readonly string[]): Options | string => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1' },
        power: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const runs = wholeNumber(values.runs, 1, RUNS_MAX);
    if (runs === undefined) {
      return `--runs must be a whole number from 1 to ${RUNS_MAX}, not ${values.runs}`;
    }
    const seed = wholeNumber(values.seed, 0, SEED_MAX);
    if (seed === undefined) {
      return `--seed must be a whole number from 0 to ${SEED_MAX}, not ${values.seed}`;
    }
    return { runs, seed, power: values.power, json: values.json };
  } catch (error) {
    // parseArgs throws a TypeError that names the flag.
    if (error instanceof TypeError) return error.message;
    throw error;
  }
};

const wholeNumber = (text: string, min: number, max: number): number | undefined => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
};

const tally = (climate: Climate, stream: number, { runs, seed }: Options): Tally => {
  const rollbackDelaysMs: number[] = [];
  const promoteDelaysMs: number[] = [];
  let lastProgressMs = performance.now();
  for (let run = 0; run < runs; run += 1) {
    for (const { decision, atMs } of decisionsOf(climate, seed, stream * RUNS_MAX + run)) {
      if (decision.action === 'roll-back') rollbackDelaysMs.push(atMs);
      if (decision.action === 'promote') promoteDelaysMs.push(atMs);
    }
    if (performance.now() - lastProgressMs > PROGRESS_EVERY_MS) {
      lastProgressMs = performance.now();
      process.stderr.write(`${climate.name}: ${run + 1} of ${runs} runs\n`);
    }
  }
  rollbackDelaysMs.sort((left, right) => left - right);
  promoteDelaysMs.sort((left, right) => left - right);
  return { climate: climate.name, runs, rollbackDelaysMs, promoteDelaysMs };
};

const { standard } = presets;
const rule: FamilyRule = familyRuleOf(
  { ...standard, metrics: [presetMetric(standard, 'errors')] },
  [{ id: 'errors', judged: 'errors', phi: 1, batches: 0, note: 'measured' }],
  standard.windowMs,
);

/** Judges one run to its deadline, or to its rollback; also after a promotion. */
const decisionsOf = function* (
  climate: Climate,
  seed: number,
  stream: number,
): Generator<{ readonly decision: FamilyDecision; readonly atMs: number }, void> {
  const windows = windowsOf(
    climate,
    seededRandom(seed, stream),
    rule.windowMs,
    windowsIn(rule, rule.deadlineMs),
  );
  let state = initialFamily(rule);
  for (const { index, startMs, canary, baseline } of windows) {
    state = judgeWindow(rule, state, {
      index,
      startMs,
      canaryShare: null,
      metrics: [
        {
          judged: 'errors',
          canary: { total: canary.requests, events: canary.errors },
          baseline: { total: baseline.requests, events: baseline.errors },
        },
      ],
    });
    const decision = decide(rule, state);
    if (decision === undefined) continue;
    yield { decision, atMs: startMs + rule.windowMs };
    if (decision.final) return;
  }
};

const falseRollbackLine = (
  tallies: readonly Tally[],
): { readonly runs: number; readonly falseRollbackShare: number; readonly upper95: number } => {
  const falseRollbacks = Math.max(
    ...tallies.map(({ rollbackDelaysMs }) => rollbackDelaysMs.length),
  );
  const runs = tallies[0]?.runs ?? 0;
  return {
    runs,
    falseRollbackShare: falseRollbacks / runs,
    upper95: upperLimit(falseRollbacks, runs, CONFIDENCE),
  };
};

const powerLine = (
  tallies: readonly Tally[],
): { readonly runs: number; readonly climates: readonly object[] } => ({
  runs: tallies[0]?.runs ?? 0,
  climates: tallies.map(({ climate, runs, rollbackDelaysMs }) => ({
    climate,
    detectedShare: rollbackDelaysMs.length / runs,
    medianMs: quantileOfAll(rollbackDelaysMs, runs, 0.5),
    p90Ms: quantileOfAll(rollbackDelaysMs, runs, 0.9),
  })),
});

/** Over all runs, those without a delay counted as later than all others; null: one of those. */
const quantileOfAll = (
  ascending: readonly number[],
  runs: number,
  quantile: number,
): number | null => ascending[Math.ceil(quantile * runs) - 1] ?? null;

const tableOf = (tallies: readonly Tally[]): string => {
  const header = ['climate', 'runs', 'rolled back', 'median/p90 s', 'promoted', 'median/p90 s'];
  const rows = tallies.map(({ climate, runs, rollbackDelaysMs, promoteDelaysMs }) => [
    climate,
    String(runs),
    percent(rollbackDelaysMs.length / runs),
    delays(rollbackDelaysMs, runs),
    percent(promoteDelaysMs.length / runs),
    delays(promoteDelaysMs, runs),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
};

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const delays = (ascending: readonly number[], runs: number): string => {
  const seconds = (quantile: number): string => {
    const delayMs = quantileOfAll(ascending, runs, quantile);
    return delayMs === null ? '-' : String(delayMs / 1_000);
  };
  return `${seconds(0.5)}/${seconds(0.9)}`;
};

main();
