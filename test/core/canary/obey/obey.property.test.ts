import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayObey } from '../../../../services/core/canary/obey/obey.ts';
import { noPolicySet } from '../../../../services/core/canary/obey/policy-standing.ts';
import type { ObeyQuestion } from '../../../../services/core/canary/obey/question.ts';
import { readDecisionRows } from '../../../../services/core/canary/obey/rows.ts';
import type { DecisionRow } from '../../../../services/core/read-models.ts';
import { ok } from '../../../../services/core/result.ts';
import { loadState } from '../../../../services/projector/project.ts';
import { canary, decides, decision, digestOf, firstPosition } from '../../../support/decisions.ts';
import { given, openedAtMs, portsOf } from '../../../support/given.ts';
import { value } from '../../../support/records.ts';

const questionAbout = async (kind: 'promote' | 'roll-back'): Promise<ObeyQuestion> => {
  const { store } = await given(...canary, await decides(decision(kind)));
  const { trust } = value(await loadState(portsOf(store), 'g')) ?? { trust: undefined };
  if (trust === undefined) throw new Error('nothing was folded');
  const { rows, logTimeMs } = value(
    await readDecisionRows(
      async (keys) => ok(value(await store.rows('g', keys)).rows),
      firstPosition,
    ),
  );
  return {
    position: firstPosition,
    rows,
    keys: trust.keys,
    logId: trust.logId,
    pinnedLogId: null,
    policy: noPolicySet,
    digest: digestOf,
    logTimeMs,
    nowMs: openedAtMs + 60_000,
    isObeyed: () => false,
  };
};

/** Values as a row of the right types may have them, most of them absurd. */
const anything = fc.oneof(
  fc.constantFrom(null, 0, -1, 1, 2, 1e308, Number.NaN, Number.POSITIVE_INFINITY, '', '2.0.0'),
  fc.constantFrom('promote', 'roll-back', 'hold', 'pass', 'fail', 'repeat', 'late', 'applied'),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.uuid(),
);

test.each(['promote', 'roll-back'] as const)(
  'whatever is changed in a %s, it is refused or does what it did',
  async (kind) => {
    const asked = await questionAbout(kind);
    const row = asked.rows.decision;
    if (row === undefined) throw new Error('there is no decision');
    const names = Object.keys(row).filter(
      (name) =>
        !['metrics', 'canary', 'baseline', 'strongest', 'slot', 'renewal', 'note'].includes(name),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), anything), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('applied', 'repeat', 'late', 'contradiction', 'held'),
        fc.integer({ min: -86_400_000, max: 86_400_000 }),
        (changes, note, laterMs) => {
          // Rows hold values of the right types: the door sees to that.
          const typed = changes.filter(
            ([name, content]) => typeof content === typeof row[name as keyof DecisionRow],
          );
          const changed = { ...row, ...Object.fromEntries(typed), note } as DecisionRow;
          const answer = mayObey({
            ...asked,
            nowMs: asked.nowMs + laterMs,
            rows: { ...asked.rows, decision: changed },
          });
          if (!answer.ok) return;
          expect(answer.value).toMatchObject({
            kind,
            id: row.marker,
            deployment: row.deployment,
            fromVersion: '2.0.0',
            share: null,
            toVersion: kind === 'roll-back' ? '1.9.4' : answer.value.toVersion,
          });
          expect(Math.abs(laterMs)).toBeLessThan(300_000 + 60_000);
        },
      ),
      { numRuns: 2000 },
    );
  },
);
