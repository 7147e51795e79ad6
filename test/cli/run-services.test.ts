import { describe, expect, test } from 'vitest';
import { createMemoryClock } from '../../services/adapters/memory/clock.ts';
import type { Note } from '../../services/cli/terminal/note.ts';
import type { Running, ServiceName } from '../../services/cli/ports.ts';
import type { CliProblem } from '../../services/cli/problem.ts';
import { problem } from '../../services/cli/problem.ts';
import { runServices } from '../../services/cli/run-services.ts';
import { ok } from '../../services/core/result.ts';
import type { Result } from '../../services/core/result.ts';
import { unreachable } from '../support/desk.ts';
import { eventually } from '../support/eventually.ts';

type House = {
  readonly ended: Promise<CliProblem | undefined>;
  readonly told: readonly string[];
  readonly notes: readonly Note[];
  /** Starts and stops, in order. */
  readonly steps: readonly string[];
  readonly prunes: () => number;
  readonly stop: () => void;
  readonly fail: (name: ServiceName, why: CliProblem) => void;
  readonly pass: (ms: number) => Promise<void>;
};

const everything: readonly ServiceName[] = ['projector', 'analyser', 'gateway'];

/** Services that start at once, unless `down` says how often they cannot be reached. */
const open = (
  down: { readonly [Name in ServiceName]?: number } = {},
  refused: { readonly [Name in ServiceName]?: CliProblem } = {},
  neverStops: ServiceName | null = null,
): House => {
  const clock = createMemoryClock(0);
  const stopping = new AbortController();
  const told: string[] = [];
  const notes: Note[] = [];
  const steps: string[] = [];
  const tries = { ...down };
  const ends = new Map<ServiceName, (why: CliProblem) => void>();
  let prunes = 0;
  const start = async (name: ServiceName): Promise<Result<Running, CliProblem>> => {
    const why = refused[name];
    if (why !== undefined) return { ok: false, problem: why };
    const left = tries[name] ?? 0;
    tries[name] = left - 1;
    if (left > 0) return unreachable('no answer');
    steps.push(`start ${name}`);
    return ok({
      name,
      lines: [`${name} is here`],
      ended: new Promise((end) => ends.set(name, end)),
      stop: async () => {
        steps.push(`stop ${name}`);
        if (name === neverStops) await new Promise(() => undefined);
      },
    });
  };
  const ended = runServices(
    {
      clock,
      start,
      stop: stopping.signal,
      note: (note) => void notes.push(note),
      prune: async () => {
        prunes++;
        throw new Error('disk full');
      },
    },
    everything,
    ({ message }) => void told.push(message),
  );
  return {
    ended,
    told,
    notes,
    steps,
    prunes: () => prunes,
    stop: () => stopping.abort(),
    fail: (name, why) => ends.get(name)?.(why),
    pass: clock.advance,
  };
};

const isReady = (house: House): Promise<void> =>
  eventually('all services run', () => house.told.some((line) => line.startsWith('ready')));

describe('services in one process', () => {
  test('start, say where they are, and stop in the other direction when asked to', async () => {
    const house = open();
    await isReady(house);
    expect(house.told).toEqual([
      'projector is here',
      'analyser is here',
      'gateway is here',
      'ready; Ctrl-C stops',
    ]);
    house.stop();
    expect(await house.ended).toBeUndefined();
    expect(house.steps).toEqual([
      ...everything.map((name) => `start ${name}`),
      ...everything.toReversed().map((name) => `stop ${name}`),
    ]);
    expect(house.notes).toEqual([]);
  });

  test('that cannot come to an end are cut off after ten seconds, and it is said which', async () => {
    const house = open({}, {}, 'analyser');
    await isReady(house);
    house.stop();
    await eventually('it tries to', () => house.steps.includes('stop analyser'));
    await house.pass(9_000);
    expect(house.notes).toEqual([]);
    await house.pass(2_000);
    expect(await house.ended).toBeUndefined();
    expect(house.notes).toMatchObject([
      {
        code: 'stop-cut',
        message: expect.stringMatching(/^projector, analyser did not/) as unknown,
      },
    ]);
  });

  test('wait for what cannot be reached, and say so once', async () => {
    const house = open({ analyser: 4 });
    await eventually('it was said', () => house.notes.length === 1);
    expect(house.notes).toMatchObject([{ code: 'unreachable' }]);
    expect(house.steps).toEqual(['start projector']);
    await house.pass(60_000);
    await isReady(house);
    expect(house.notes).toHaveLength(1);
    house.stop();
    expect(await house.ended).toBeUndefined();
  });

  test('stop while they wait', async () => {
    const house = open({ analyser: 1000 });
    await eventually('it was said', () => house.notes.length === 1);
    house.stop();
    expect(await house.ended).toBeUndefined();
    expect(house.steps).toEqual(['start projector', 'stop projector']);
  });

  test('end all together, with its problem, when one ends for good', async () => {
    const house = open();
    await isReady(house);
    const why = problem('foreign-log', 'another log', 'look');
    house.fail('projector', why);
    expect(await house.ended).toBe(why);
    expect(house.steps.filter((step) => step.startsWith('stop'))).toHaveLength(3);
  });

  test('end all together also while one of them is still waited for', async () => {
    const house = open({ gateway: 1_000 });
    await eventually('the gateway is waited for', () => house.notes.length === 1);
    const why = problem('foreign-log', 'another log', 'look');
    house.fail('projector', why);
    await house.pass(20_000);
    expect(await house.ended).toBe(why);
    expect(house.told).not.toContain('ready; Ctrl-C stops');
    expect(house.steps.slice(-2)).toEqual(['stop analyser', 'stop projector']);
  });

  test('do not begin where one is refused for good', async () => {
    const why = problem('port-taken', 'taken', 'another');
    const house = open({}, { gateway: why });
    expect(await house.ended).toBe(why);
    expect(house.told).not.toContain('ready; Ctrl-C stops');
    expect(house.steps.filter((step) => step.startsWith('stop'))).toEqual([
      'stop analyser',
      'stop projector',
    ]);
  });

  test('remove old telemetry now and then; a fault there is said and ends nothing', async () => {
    const house = open();
    await isReady(house);
    await house.pass(25 * 60_000);
    expect(house.prunes()).toBe(2);
    expect(house.notes).toMatchObject([{ code: 'prune' }, { code: 'prune' }]);
    house.stop();
    expect(await house.ended).toBeUndefined();
  });
});
