import { expect, test } from 'vitest';
import { judgedDecisions } from '../../../../services/core/canary/obey/trusted.ts';
import { decides, decision, decisionIdOf, canary } from '../../../support/decisions.ts';
import { given } from '../../../support/given.ts';
import { run } from '../../../support/markers.ts';
import { readRow } from '../../../../services/core/row-text.ts';
import type { Deployment } from '../../../../services/core/deployment.ts';
import { address } from '../../../../services/core/known-rows.ts';
import { value } from '../../../support/records.ts';

test('a repeat without metrics has those of decisions before it, and none of a later one', async () => {
  const says = decision('promote');
  const again = (windowIndex: number, over: object = {}): ReturnType<typeof decision> => {
    const body = { ...says, windowIndex, ...over };
    return { ...body, marker: decisionIdOf(body) };
  };
  const metricCounts = async (
    ...decisions: readonly ReturnType<typeof decision>[]
  ): Promise<readonly number[]> => {
    const steps = await Promise.all(decisions.map(async (one) => decides(one)));
    const { store } = await given(...canary, ...steps);
    const at = { model: 'deployment', key: run('7') };
    const text = value(await store.rows('g', [at])).rows.get(address(at.model, at.key)) ?? '';
    const [attempt] = readRow<Deployment>('deployment', text).attempts;
    const { trusted } = judgedDecisions({ decisions: attempt?.decisions ?? [] }, new Map());
    return trusted.map(({ metrics }) => metrics.length);
  };
  expect(await metricCounts(says, again(50), again(60))).toEqual([1, 1, 1]);
  const empty = { metrics: [] };
  expect(await metricCounts({ ...says, ...empty }, again(50, empty), again(60))).toEqual([0, 0, 1]);
});
