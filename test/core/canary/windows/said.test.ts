import { describe, expect, test } from 'vitest';
import type {
  AttributeFilter,
  MetricPolicy,
} from '../../../../services/core/canary/policy/policy.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { againstBefore } from '../../../../services/core/canary/rollouts/against-before.ts';
import { beforeWindowsMax } from '../../../../services/core/canary/rollouts/before.ts';
import type { PointAttribute } from '../../../../services/core/telemetry/telemetry-point.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { PendingPoint } from '../../../../services/core/canary/windows/cohort-windows.ts';
import { judgedAs } from '../../../../services/core/canary/windows/judged-as.ts';
import { saidBy } from '../../../../services/core/canary/windows/said.ts';
import { metrics, openedAtMs, requests } from '../../../support/canary/pending-points.ts';

const status = 'http.response.status_code';
const rpc = 'rpc.grpc.status_code';

describe('what became of its requests a point says by', () => {
  const named = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([name, value]) => ({ name, value }));
  const isFive: AttributeFilter = { attribute: 'code', test: { kind: 'starts-with', text: '5' } };
  const isPost: AttributeFilter = { attribute: 'verb', test: { kind: 'in', values: ['POST'] } };
  const isFault: AttributeFilter = { attribute: 'fault', test: { kind: 'present' } };
  test.each<
    [
      string,
      readonly AttributeFilter[] | null,
      readonly (readonly [string, string])[],
      string | undefined,
    ]
  >([
    ['the status that its reader found', null, [['plimsoll.status', status]], status],
    ['nothing where it found none', null, [], undefined],
    [
      'no name but those of the conventions',
      null,
      [['plimsoll.status', 'x'.repeat(99)]],
      undefined,
    ],
    ['the attribute whose value a policy compares', [isFive], [['code', '200']], 'code'],
    ['nothing where the point has it not', [isFive], [['status', '500']], undefined],
    ['all of them', [isFive, isPost], [['code', '200']], undefined],
    [
      'the first of all',
      [isFive, isPost],
      [
        ['code', '200'],
        ['verb', 'GET'],
      ],
      'code',
    ],
    ['nothing where only failures have it', [isFault], [['fault', 'x']], undefined],
    ['what is compared beside that', [isFault, isFive], [['code', '200']], 'code'],
    [
      'no status where the policy goes by others',
      [isFive],
      [['plimsoll.status', status]],
      undefined,
    ],
  ])('%s', (_, errors, attributes, by) => {
    expect(saidBy(errors, named(attributes))).toBe(by);
  });
});

describe('errors of the client are told', () => {
  const [errors] = presets.standard.metrics;
  if (errors?.judged !== 'errors') throw new Error('the preset judges errors first');
  const refused = { name: 'plimsoll.client-error', value: '4xx' };
  const told = { name: 'plimsoll.status', value: status };
  const judgedIn = (metric: MetricPolicy, attributes: readonly PointAttribute[]) =>
    judgedAs([metric], { metric: 'http.server.request.duration', attributes }, false);

  test('where what an error is is as OpenTelemetry says', () => {
    expect(judgedIn(errors, [refused, told])).toEqual([
      { metric: 0, fails: null, by: status, clientErrors: true },
    ]);
    expect(judgedIn(errors, [told])).toEqual([{ metric: 0, fails: null, by: status }]);
  });

  test('and nowhere else: not where a policy says it, nor of durations', () => {
    const own: AttributeFilter = { attribute: 'code', test: { kind: 'starts-with', text: '5' } };
    expect(judgedIn({ ...errors, errors: [own] }, [refused, told])).toEqual([
      { metric: 0, fails: false },
    ]);
    const [, latency] = presets.standard.metrics;
    expect(latency && judgedIn(latency, [refused, told])).toEqual([{ metric: 0, fails: null }]);
  });

  test('with how many they are in a window, all together', () => {
    const of = (series: string, count: number, clientErrors: boolean): PendingPoint =>
      requests({
        ...{ series, count, errors: 0 },
        judgedAs: [{ metric: 0, fails: null, by: status, ...(clientErrors && { clientErrors }) }],
      });
    const points = [of('a', 40, false), of('b', 10, true), of('c', 7, true)];
    const [counted] = takeWindow(metrics, noBases, points, openedAtMs).metrics;
    expect(counted?.canary).toEqual({
      ...{ total: 57, events: 0, clientErrors: 17 },
      said: { good: 57, by: status },
    });
  });

  test('but not of what is held against windows before, of which nobody kept them', () => {
    const canary = { total: 57, events: 0, clientErrors: 17, said: { good: 57, by: status } };
    const now = [{ judged: 'errors', canary, baseline: null }] as const;
    const { clientErrors: _, ...plain } = canary;
    const before = { windows: [[{ ...now[0], canary: null, baseline: plain }]], season: null };
    const index = beforeWindowsMax - 1;
    expect(againstBefore('before-after', before, index, now)).toEqual([
      { judged: 'errors', canary: plain, baseline: plain },
    ]);
    expect(againstBefore('concurrent', before, index, now)).toEqual(now);
  });
});

describe('a window counts the good ones that a point says are good', () => {
  const point = (series: string, count: number, errors: number, by?: string): PendingPoint =>
    requests({
      ...{ series, count, errors },
      judgedAs: [{ metric: 0, fails: null, ...(by === undefined ? {} : { by }) }],
    });
  const countedOf = (points: readonly PendingPoint[]): unknown => {
    const [errors] = takeWindow(metrics, noBases, points, openedAtMs).metrics;
    return errors?.canary;
  };
  test('without the failed ones, and by what says it of most', () => {
    const points = [
      point('a', 40, 0, status),
      point('b', 10, 10, status),
      point('c', 7, 0),
      point('d', 30, 0, rpc),
    ];
    const counted = { total: 87, events: 10, said: { good: 70, by: status } };
    expect(countedOf(points)).toStrictEqual(counted);
    expect(countedOf(points.toReversed())).toStrictEqual(counted);
    expect(countedOf([point('a', 5, 0, rpc), point('b', 5, 0, status)])).toMatchObject({
      said: { by: status },
    });
  });

  test('and none where nothing says so', () => {
    expect(countedOf([point('a', 40, 0), point('b', 10, 10)])).toStrictEqual({
      total: 50,
      events: 10,
    });
  });
});
