import { describe, expect, test } from 'vitest';
import { gateOf } from '../../../../services/core/canary/obey/gate.ts';
import type { ObeySource } from '../../../../services/core/canary/obey/obeying.ts';
import { askGate } from '../../../../services/core/canary/obey/obeying.ts';
import { refuse } from '../../../../services/core/canary/obey/refusal.ts';
import type { ReadRowsAtOnce } from '../../../../services/core/canary/obey/rows.ts';
import { readDeploymentRows } from '../../../../services/core/canary/obey/rows.ts';
import { ok } from '../../../../services/core/result.ts';
import { loadState } from '../../../../services/projector/project.ts';
import { canary, decides, decision, decisionIdOf, digestOf } from '../../../support/decisions.ts';
import type { Step } from '../../../support/given.ts';
import { findsCompromised, given, openedAtMs, portsOf, trusts } from '../../../support/given.ts';
import type { Said } from '../../../support/markers.ts';
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
  const gate = gateOf(
    rows,
    ({ position }) => {
      asked.push(position);
      return refuse('stopped', 'decisions are stopped');
    },
    () => undefined,
  );
  expect(asked).toEqual([48, 8, 7]);
  expect(gate).toMatchObject({ found: 'answer', answer: { outcome: 'waiting' } });
});

describe('a renewal that may be obeyed is found behind one that may not', () => {
  const first = decision('roll-back');
  const renewal = (windowIndex: number): Said => {
    const body = { ...first, windowIndex };
    return { ...body, marker: decisionIdOf(body) };
  };
  const outcomeAfter = async (...steps: readonly Step[]): Promise<string | undefined> => {
    const { store } = await given(
      trusts('analyser#2', { roles: ['analyser'] }),
      ...canary,
      ...steps,
    );
    const read: ReadRowsAtOnce<never> = async (keys) => ok(value(await store.rows('g', keys)).rows);
    const { trust } = value(await loadState(portsOf(store), 'g')) ?? raise();
    const source: ObeySource<never> = {
      rows: read,
      policies: async () => ok([]),
      keys: trust.keys,
      logId: trust.logId,
      pinnedLogId: null,
      digest: digestOf,
      nowMs: openedAtMs + 60_000,
    };
    const gate = value(await askGate(source, run('7')));
    return gate.found === 'answer' ? gate.answer.outcome : undefined;
  };

  test('that is of a key that was found compromised', async () => {
    const steps = [
      await decides(first),
      await decides(renewal(60), 'analyser#2'),
      await decides(renewal(61)),
    ];
    expect(await outcomeAfter(...steps, findsCompromised('analyser', 8))).toBe('roll-back');
    expect(await outcomeAfter(...steps.toSpliced(1, 1), findsCompromised('analyser', 8))).toBe(
      'waiting',
    );
  });

  test('that came out of order', async () => {
    const steps = [
      await decides(first),
      await decides(renewal(61), 'analyser#2'),
      await decides(renewal(60), 'analyser#2'),
    ];
    expect(await outcomeAfter(...steps, findsCompromised('analyser', 8))).toBe('roll-back');
  });
});

const raise = (): never => {
  throw new Error('no state');
};
