import { parseArgs } from 'node:util';

import { grouped } from '../core/canary/reading/figures.ts';
import type { Result } from '../core/result.ts';
import { fail } from '../core/result.ts';
import { judgeRollout, noEffect } from './canary-climates/before-after-runs.ts';
import type { Climate, Effect, Outcome } from './canary-climates/before-after-runs.ts';
import { climates, incident, incidentMinutes } from './canary-climates/rollouts.ts';
import { upperLimit } from './canary-climates/upper-limit.ts';
import { wholeNumber } from './whole-number.ts';

const usage = `Usage: npm run judge:before -- [--runs N]

Judges simulated rollouts before and after their start, without a baseline beside them, by the preset
standard. Prints for each weather how many good ones are rolled back, and how many bad ones, with the
median of the minutes until then. Seeded: the same table every time.

  --runs N   rollouts of each kind in each weather, 1 to 100000 (default 320)
  --help     this help`;

const runsMax = 100_000;
const confidence = 0.95;
const exitBadInput = 2;

type Worse = { readonly name: string; readonly effect: Effect };

const worse: readonly Worse[] = [
  ...[3, 5, 10].map((errors) => ({ name: `errors x${errors}`, effect: { ...noEffect, errors } })),
  { name: 'twice as slow', effect: { ...noEffect, slower: 2 } },
];

const main = (): void => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const runs = readRuns(args);
  if (!runs.ok) {
    process.stderr.write(`${runs.problem}\n\n${usage}\n`);
    process.exitCode = exitBadInput;
    return;
  }
  print(runs.value);
};

const readRuns = (args: readonly string[]): Result<number, string> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { runs: { type: 'string', default: '320' } },
    });
    return wholeNumber('--runs', values.runs, 1, runsMax);
  } catch (error) {
    // parseArgs throws a TypeError that names the flag.
    if (error instanceof TypeError) return fail(error.message);
    throw error;
  }
};

const print = (runs: number): void => {
  const tell = (cells: readonly string[]): void => {
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  };
  const columns = ['weather', 'A/A rolled back', ...worse.map(({ name }) => name)];
  tell(columns);
  process.stdout.write(`|${'---|'.repeat(columns.length)}\n`);
  let wrong = 0;
  for (const climate of climates) {
    const { length } = rolledBack(climate, noEffect, runs);
    wrong += length;
    const found = worse.map(({ effect }) => foundPhrase(climate, effect, runs));
    tell([climate.name, String(length), ...found]);
  }
  const good = runs * climates.length;
  const limit = (100 * upperLimit(wrong, good, confidence)).toFixed(2);
  process.stdout.write(
    `\n${wrong} of ${grouped(good)} false roll-backs: at most ${limit} % with ${100 * confidence} % confidence\n`,
  );
  for (const minutes of incidentMinutes) {
    const { length } = rolledBack(incident(minutes), noEffect, runs);
    process.stdout.write(`incident of ${minutes} min after the start: ${length} of ${runs}\n`);
  }
};

/** Each run has its number for a seed. */
const rolledBack = (climate: Climate, effect: Effect, runs: number): readonly Outcome[] =>
  Array.from({ length: runs }, (_, run) => judgeRollout(climate, effect, run + 1)).filter(
    ({ action }) => action === 'roll-back',
  );

const foundPhrase = (climate: Climate, effect: Effect, runs: number): string => {
  // Without errors there are no more of them.
  if (climate.errorRate === 0 && effect.errors !== 1) return '-';
  const minutes = rolledBack(climate, effect, runs)
    .map((outcome) => outcome.minutes)
    .toSorted((left, right) => left - right);
  const share = `${Math.round((100 * minutes.length) / runs)} %`;
  const median = minutes[Math.ceil(minutes.length / 2) - 1];
  return median === undefined ? share : `${share}, ${median} min`;
};

main();
