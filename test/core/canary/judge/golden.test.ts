import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { explain, verdictOf } from '../../../../services/core/canary/judge/verdict-of.ts';
import { verdictSentences } from '../../../../services/core/canary/judge/sentence.ts';
import {
  decisionsOn,
  familyRule,
  healthy,
  nothing,
  rate,
  times,
} from '../../../support/canary/family.ts';
import type { Shown } from '../../../support/canary/family.ts';
import { durationWindows } from '../../../support/canary/metric-windows.ts';

/**
 * What the judge says of streams of all kinds. A change here means that archived decisions would be computed
 * differently today: raise `judgeVersion`, then write the verdicts anew with `vitest -u`.
 */
const FOLDER = join(import.meta.dirname, '../../../golden/family');
/** Runtimes may differ in the last digits of a logarithm. */
const DIGITS_COMPARED = 9;

const latencies = (slower: number, explicit = false): readonly Shown[] =>
  durationWindows(360, { slower, explicit, seed: 7 }).map((latency) => ({ ...healthy, latency }));

const streams: readonly (readonly [name: string, windows: readonly Shown[]])[] = [
  ['good', latencies(1)],
  ['good, coarse buckets', latencies(1, true)],
  ['slower by a quarter', latencies(1.25)],
  ['slower by a quarter, coarse buckets', latencies(1.25, true)],
  ['errors late', [...times(100, healthy), ...times(100, { ...healthy, errors: rate(4, 1) })]],
  [
    'silent, back, and worse',
    [
      ...times(30, healthy),
      ...times(30, nothing),
      ...times(60, { ...healthy, errors: rate(9, 1) }),
    ],
  ],
  [
    'errors and traffic together',
    times(360, { ...healthy, errors: rate(2, 1), traffic: { canary: 215, baseline: 285 } }),
  ],
  ['undecided', times(360, { ...healthy, errors: rate(0, 0, 3) })],
];

const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(DIGITS_COMPARED))
    : value;

describe('the golden verdicts of a family', () => {
  test.each(streams)('%s', async (name, windows) => {
    const rule = familyRule(undefined, { soakMs: 600_000 });
    const { said, state } = decisionsOn(rule, windows);
    const told = {
      decisions: said.map(({ window, decision: { action, final, verdict } }) => ({
        window,
        action,
        final,
        verdict,
      })),
      sentencesAtTheEnd: verdictSentences(verdictOf(rule, state), explain(rule, state)),
      explanationAtTheEnd: explain(rule, state),
    };
    await expect(`${JSON.stringify(told, rounded, 2)}\n`).toMatchFileSnapshot(
      join(FOLDER, `${name.replaceAll(/\W+/g, '-')}.verdict.json`),
    );
  });
});
