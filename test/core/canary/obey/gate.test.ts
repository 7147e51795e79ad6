import { expect, test } from 'vitest';
import { gateOf } from '../../../../services/core/canary/obey/gate.ts';
import { refuse } from '../../../../services/core/canary/obey/refusal.ts';
import { readDeploymentRows } from '../../../../services/core/canary/obey/rows.ts';
import { ok } from '../../../../services/core/result.ts';
import { canary, decides, decision, decisionIdOf } from '../../../support/decisions.ts';
import { given } from '../../../support/given.ts';
import { run } from '../../../support/markers.ts';
import { value } from '../../../support/records.ts';

test('of a day of renewals that nobody may obey a gate asks about the newest and the first', async () => {
  const first = decision('roll-back');
  const renewals = Array.from({ length: 40 }, (_, at) => {
    const body = { ...first, windowIndex: 50 + at };
    return decides({ ...body, marker: decisionIdOf(body) });
  });
  const { store } = await given(
    ...canary,
    await decides(decision('hold')),
    await decides(first),
    ...(await Promise.all(renewals)),
  );
  const rows = value(
    await readDeploymentRows(async (keys) => ok(value(await store.rows('g', keys)).rows), run('7')),
  );
  const asked: number[] = [];
  const gate = gateOf(rows, ({ position }) => {
    asked.push(position);
    return refuse('stopped', 'decisions are stopped');
  });
  expect(asked).toEqual([48, 8, 7]);
  expect(gate).toMatchObject({ found: 'answer', answer: { outcome: 'waiting' } });
});
