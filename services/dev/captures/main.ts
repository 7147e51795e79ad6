import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomOf } from '../calibrate/random.ts';
import { parseArguments, usage } from './arguments.ts';
import type { CaptureOptions } from './arguments.ts';
import { exportsOf, outOfOrder, repeated } from './fleet.ts';
import type { CohortPlan, FleetPlan } from './fleet.ts';
import { markerLines } from './markers.ts';

// `npm run captures`: recorded telemetry to try the judge on.

const startMs = Date.UTC(2026, 10, 20, 10);
const canaryVersion = '2.0.0';
const baselineVersion = '1.9.4';

const write = (options: CaptureOptions): void => {
  const shareAt = (second: number): number =>
    options.weights.findLast((weight) => weight.second <= second)?.share ?? 0;
  const good = (version: string, rps: (second: number) => number): CohortPlan => ({
    version,
    instances: options.instances,
    rps,
    errors: () => options.usualErrors,
    slower: () => 1,
    cpu: () => 1,
  });
  const baseline = good(baselineVersion, (second) => options.rps * (1 - shareAt(second)));
  const twin = good(canaryVersion, (second) => options.rps * shareAt(second));
  const since = (usual: number, then: number) => (second: number) =>
    second > options.begins ? then : usual;
  const canary: CohortPlan = {
    ...twin,
    errors: since(options.usualErrors, options.errors),
    slower: since(1, options.slower),
    cpu: since(1, options.cpu),
  };
  const fleet: FleetPlan = {
    component: 'checkout',
    environment: 'production',
    startMs,
    seconds: options.seconds,
    everySeconds: options.every,
    temporality: options.temporality,
    histogram: options.histogram,
    cohorts: [canary, baseline],
  };
  mkdirSync(options.out, { recursive: true });
  const random = randomOf(options.seed, 'capture', 0);
  const lines = repeated(
    outOfOrder([...exportsOf(fleet, random)], options.lateness, random),
    options.repeats,
    random,
  );
  writeText(
    options.out,
    'capture.jsonl',
    lines.map(({ text }) => text),
  );
  writeText(options.out, 'markers.jsonl', markerLines(fleet, canary, baseline, options.weights));
  if (options.history > 0) {
    const before: FleetPlan = {
      ...fleet,
      startMs: startMs - 86_400_000,
      seconds: options.history,
      cohorts: [
        good(canaryVersion, () => options.rps / 2),
        good(baselineVersion, () => options.rps / 2),
      ],
    };
    const past = exportsOf(before, randomOf(options.seed, 'history', 0));
    writeText(
      options.out,
      'history.jsonl',
      [...past].map(({ text }) => text),
    );
  }
  const weights = options.weights.map(({ second, share }) => `${second}s=${share}`).join();
  process.stdout
    .write(`wrote ${join(options.out, 'capture.jsonl')}${options.history > 0 ? ', history.jsonl' : ''} and markers.jsonl; judge it:
plimsoll backtest --metrics=${join(options.out, 'capture.jsonl')} --service=checkout --environment=production --canary=${canaryVersion} --baseline=${baselineVersion} --since=2026-11-20T10:00:00Z --weight=${weights}${options.history > 0 ? ` --history=${join(options.out, 'history.jsonl')}` : ''}
`);
};

const writeText = (folder: string, name: string, lines: readonly string[]): void =>
  writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''));

const options = parseArguments(process.argv.slice(2));
if (!options.ok) {
  process.stderr.write(`captures: ${options.problem}\n\n${usage}`);
  process.exitCode = 2;
} else if (options.value.help) process.stdout.write(usage);
else write(options.value);
