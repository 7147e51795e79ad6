import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Child } from '../support/child.ts';
import { startChild } from '../support/child.ts';
import type { Collector } from '../support/collector.ts';
import { startCollector } from '../support/collector.ts';
import { eventually } from '../support/eventually.ts';
import type { Env } from '../support/bare-env.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// What a reader does with a service of their own: telemetry of the OpenTelemetry SDK goes through a Collector to a file
// and to `plimsoll up`, and what was decided live must be what a backtest of that file comes to.

const scratch = scratchFolder();
const manyMs = 240_000;
const decidedWithinMs = 150_000;
vi.setConfig({ testTimeout: manyMs, hookTimeout: manyMs });

/**
 * Windows of two seconds, so that a machine with other work brings no point late; half a minute to a promotion. What
 * levels vary is learned in batches of minutes, so they are left out.
 */
const policy = `version: 2
policies:
  - component: "*"
    environment: "*"
    warm-up: 4s
    soak: 10s
    deadline: 3m
    judging: { window: 2s, block: 2s, no-data: 20s }
    metrics:
      - { name: cpu, weight: 0 }
      - { name: memory, weight: 0 }
`;

type Service = {
  readonly errors: number;
  readonly slower?: number;
  readonly histogram?: 'explicit' | 'exponential';
  readonly temporality?: 'cumulative' | 'delta';
};
type Line = { readonly [field: string]: unknown };

const children: Child[] = [];
const ups: ReturnType<typeof startPlimsoll>[] = [];
const collectors: Collector[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.signal('SIGKILL');
  for (const up of ups.splice(0)) up.signal('SIGKILL');
  for (const collector of collectors.splice(0)) await collector.close();
});

const linesOf = (out: string): readonly Line[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

const startService = (otlp: string, version: string, deployment: string, how: Service): void => {
  const args = Object.entries({ otlp, version, deployment, ...how });
  children.push(
    startChild(
      'own-service.ts',
      args.map(([name, value]) => `--${name}=${value}`),
    ),
  );
};

/** A canary from its plan to its decision; then the same telemetry judged from the file. */
const judgedTwice = async (settings: Env, canary: Service, baseline: Service): Promise<Judged> => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder);
  const env = { ...settings, PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' };
  const run = async (...args: readonly string[]): Promise<readonly Line[]> => {
    const ran = await plimsoll(folder, [...args, '--json'], env);
    expect([args[0], ran.exit, ran.exit === 0 ? '' : ran.err]).toEqual([args[0], 0, '']);
    return linesOf(ran.out);
  };
  const place = ['--component-name=checkout', '--environment-name=production'];
  await run('release', 'log', ...place, '--target-version=1.9.4', '--timeout=60s');
  writeFileSync(join(folder, 'policy.yaml'), policy);
  await run('policy', 'set', 'policy.yaml', '--reason=a canary in a minute');

  const up = startPlimsoll(folder, ['up'], env);
  ups.push(up);
  const otlpUrl = (): string | undefined =>
    /OTLP\/HTTP at (http:\/\/127\.0\.0\.1:\d+)/.exec(up.out())?.[1];
  await eventually('it takes telemetry', () => up.out().includes('ready'), 60_000);
  const collector = await startCollector(join(folder, 'capture.jsonl'), otlpUrl() ?? '');
  collectors.push(collector);

  startService(collector.url, '1.9.4', '', baseline);
  const [planned] = await run(
    ...['release', 'plan', ...place, '--target-version=2.0.0', '--canary-share=0.5'],
  );
  const deployment = planned?.['deployment'] as string;
  startService(collector.url, '2.0.0', deployment, canary);
  await eventually('both export', () => collector.exports() > 1, 60_000);
  await run('release', 'update', '--status=RUNNING');
  const gate = await plimsoll(folder, ['gate', `--wait=${decidedWithinMs}ms`, '--json'], env);
  for (const child of children.splice(0)) child.signal('SIGKILL');

  const exported = await plimsoll(folder, ['export'], env);
  writeFileSync(join(folder, 'markers.jsonl'), exported.out);
  const decided = linesOf(exported.out)
    .map(({ body }) => body as Decision)
    .find(({ kind }) => kind === 'promote' || kind === 'roll-back');
  if (decided === undefined) throw new Error(`nothing was decided: ${up.err()}`);
  const { windowEndedAt, windowIndex, windowMs } = decided;
  const since = new Date(windowEndedAt - (windowIndex + 1) * windowMs).toISOString();
  const backtest = async (...args: readonly string[]): Promise<Line> => {
    const judging = ['--metrics=capture.jsonl', '--policy=policy.yaml', ...args];
    return (await run('backtest', ...judging)).at(-1) ?? {};
  };
  return {
    gate: gate.exit,
    decided,
    byMarkers: await backtest('--markers=markers.jsonl'),
    byOptions: await backtest(
      ...['--service=checkout', '--environment=production', '--canary=2.0.0'],
      ...['--baseline=1.9.4', `--since=${since}`, '--weight=0s=0.5'],
    ),
  };
};

/** What a signed decision says, as `plimsoll export` prints it. */
type Decision = {
  readonly kind: string;
  readonly windowIndex: number;
  readonly windowMs: number;
  readonly windowEndedAt: number;
  readonly windows: number;
  readonly metric: string | null;
  readonly evidence: number;
  readonly canary: Requests;
  readonly baseline: Requests;
  readonly metrics: readonly DecidedMetric[];
};
type Requests = { readonly requests: number; readonly errors: number };
type DecidedMetric = {
  readonly id: string;
  readonly judged: 'errors' | 'latency' | 'level' | 'traffic';
  readonly canaryCount: number;
  readonly canaryEvents: number;
  readonly baselineCount: number;
  readonly baselineEvents: number;
  readonly ratio: number | null;
  readonly ratioLow: number | null;
  readonly ratioHigh: number | null;
};
type Judged = {
  /** Exit code. */
  readonly gate: number | null;
  readonly decided: Decision;
  /** The last lines of two backtests of the same capture. */
  readonly byMarkers: Line;
  readonly byOptions: Line;
};

/** A backtest's last line, out of what was decided live; a promotion blames no metric, so the backtest names one. */
const asBacktest = (decided: Decision, promotedBy: unknown): Line => {
  const { kind, windows, windowEndedAt, evidence } = decided;
  const id = decided.metric ?? promotedBy;
  const metric = decided.metrics.find((each) => each.id === id);
  return {
    outcome: kind,
    decidedAt: new Date(windowEndedAt).toISOString(),
    metric: id,
    counts: countsOf(decided, metric),
    ratio: metric?.ratio,
    interval: [metric?.ratioLow, metric?.ratioHigh],
    evidence,
    windows,
  };
};

/** Of what the metric counts; of a level or of the traffic, those of all requests. */
const countsOf = ({ canary, baseline }: Decision, metric: DecidedMetric | undefined): Line =>
  metric?.judged === 'errors' || metric?.judged === 'latency'
    ? {
        canary: { n: metric.canaryCount, events: metric.canaryEvents },
        baseline: { n: metric.baselineCount, events: metric.baselineEvents },
      }
    : {
        canary: { n: canary.requests, events: canary.errors },
        baseline: { n: baseline.requests, events: baseline.errors },
      };

const expectTheSame = ({ decided, byMarkers, byOptions }: Judged): void => {
  expect(byMarkers).toMatchObject(asBacktest(decided, byMarkers['metric']));
  // Digits and all: even how many seconds after the start, and what was no evidence.
  expect(byOptions).toEqual(byMarkers);
};

const good: Service = { errors: 0.002 };
/** How the SDK exports where nobody says otherwise, and as the README advises. */
const advised = { histogram: 'exponential', temporality: 'delta' } as const;

describe('a service measured by the OpenTelemetry SDK is judged from its capture as it was live', () => {
  test('when its canary fails more often: rolled back', async () => {
    const judged = await judgedTwice({}, { errors: 0.08 }, good);
    expect([judged.gate, judged.decided.metric]).toEqual([10, 'errors']);
    expectTheSame(judged);
  });

  test('when its canary is slower: rolled back', async () => {
    const slow = { ...good, ...advised, slower: 1.5 };
    const judged = await judgedTwice({}, slow, { ...good, ...advised });
    expect([judged.gate, judged.decided.metric]).toEqual([10, 'latency']);
    expectTheSame(judged);
  });

  test('when its canary is as good: promoted', async () => {
    const judged = await judgedTwice({}, { ...good, ...advised }, { ...good, ...advised });
    expect([judged.gate, judged.decided.kind]).toEqual([0, 'promote']);
    expectTheSame(judged);
  });

  test('on Kafka and Redis', async () => {
    const { kafkaBrokers, redisUrl } = sharedStack();
    const settings = {
      PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
      PLIMSOLL_STORE: redisUrl,
      PLIMSOLL_AUDIENCE: freshAudience(),
    };
    const judged = await judgedTwice(settings, { errors: 0.08 }, good);
    expect([judged.gate, judged.decided.metric]).toEqual([10, 'errors']);
    expectTheSame(judged);
  });
});
