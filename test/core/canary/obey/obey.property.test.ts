import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayObey } from '../../../../services/core/canary/obey/obey.ts';
import type { DecisionRow } from '../../../../services/core/read-models.ts';
import {
  canary,
  decides,
  decision,
  decisionIdOf,
  firstPosition,
} from '../../../support/decisions.ts';
import { findsCompromised, openedAtMs, recordsOf, trusts } from '../../../support/given.ts';
import { askAbout } from '../../../support/golden-decisions.ts';
import type { Said } from '../../../support/markers.ts';
import { questionAbout } from '../../../support/obey-question.ts';

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

type Spoken = { readonly by: 'analyser' | 'thief'; readonly says: Said };

/** What the analyser says: decisions of one window after the other, and renewals of the one before. */
const honestly = fc
  .array(fc.constantFrom('promote', 'advance', 'hold', 'roll-back', 'renewal'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((kinds) => {
    const said: Said[] = [];
    for (const [at, kind] of kinds.entries()) {
      const windowIndex = 3 + 2 * at;
      const before = said.at(-1);
      if (kind !== 'renewal')
        said.push(
          decision(kind, {
            ...{ windowIndex, windows: windowIndex + 1 },
            evidenceDigest: String(at).repeat(64),
          }),
        );
      else if (before !== undefined) {
        const body = { ...before, windowIndex };
        said.push({ ...body, marker: decisionIdOf(body) });
      }
    }
    return said;
  });

/** What a thief says: whatever the analyser says too, earlier or later, or changed. */
const forged = (honest: readonly Said[]): fc.Arbitrary<Spoken> =>
  fc
    .record({
      like: fc.constantFrom(...honest, decision('roll-back'), decision('hold')),
      change: fc.constantFrom(
        ...[{}, { toVersion: '0.0.1' }, { evidenceDigest: 'f'.repeat(64) }, { metrics: [] }],
      ),
      windowIndex: fc.constantFrom(3, 5, 7, 500),
    })
    .map(({ like, change, windowIndex }) => {
      const body = { ...like, ...change, windowIndex };
      return { by: 'thief', says: { ...body, marker: decisionIdOf(body) } };
    });

/** Both, in any order, with the place where the theft is found. */
const told = honestly
  .filter((honest) => honest.length > 0)
  .chain((honest) =>
    fc.record({
      honest: fc.constant(honest),
      forged: fc.array(fc.tuple(fc.nat(honest.length), forged(honest)), { maxLength: 4 }),
      foundAt: fc.nat(honest.length),
    }),
  );

test('what a thief has said changes nothing, once the theft is known', async () => {
  await fc.assert(
    fc.asyncProperty(told, async ({ honest, forged: lies, foundAt }) => {
      const everything: (Spoken | 'found')[] = honest.flatMap((says, at) => [
        ...lies.flatMap(([before, lie]) => (before === at ? [lie] : [])),
        ...(foundAt === at ? ['found' as const] : []),
        { by: 'analyser' as const, says },
      ]);
      everything.push(...lies.flatMap(([before, lie]) => (before >= honest.length ? [lie] : [])));
      if (foundAt === honest.length) everything.push('found');
      const answers = async (
        spoken: readonly (Spoken | 'found')[],
      ): Promise<readonly (readonly [marker: unknown, answer: string])[]> => {
        const steps = await Promise.all(
          spoken.map(async (one) =>
            one === 'found' ? findsCompromised('thief', 0) : decides(one.says, one.by),
          ),
        );
        const first = [trusts('thief', { roles: ['analyser'] }), ...canary];
        const records = await recordsOf(...first, ...steps);
        const asked = spoken.flatMap((one, at) =>
          one !== 'found' && one.by === 'analyser' ? [{ at, says: one.says }] : [],
        );
        return Promise.all(
          asked.map(async ({ at, says }) => {
            const answer = await askAbout(records, {
              ...{ position: firstPosition + 1 + at, nowMs: openedAtMs + 60_000 },
              ...{ pinnedLogId: null, obeyed: [] },
              policy: { flap: { windowMs: 3_600_000, freeze: true } },
            });
            const said = answer.ok
              ? `${answer.value.kind} ${answer.value.id} to ${answer.value.toVersion}`
              : answer.problem.code;
            return [says['marker'], said] as const;
          }),
        );
      };
      const without = everything.filter((one) => one === 'found' || one.by === 'analyser');
      expect(await answers(everything)).toEqual(await answers(without));
    }),
    { numRuns: 60 },
  );
});
