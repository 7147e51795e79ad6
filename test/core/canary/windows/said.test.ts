import { describe, expect, test } from 'vitest';
import type { AttributeFilter } from '../../../../services/core/canary/policy/policy.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { PendingPoint } from '../../../../services/core/canary/windows/cohort-windows.ts';
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
