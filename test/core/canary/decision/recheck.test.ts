import { describe, expect, test } from 'vitest';
import {
  emptyPartition,
  foldSample,
} from '../../../../services/core/canary/analysis/fold-samples.ts';
import { openTrace } from '../../../../services/core/canary/reading/trace.ts';
import { renewalMarker } from '../../../../services/core/canary/decision/decision-marker.ts';
import { recheckDecision } from '../../../../services/core/canary/decision/recheck.ts';
import type { Decided } from '../../../../services/core/markers/marker.ts';
import { twoServers } from '../../../support/canary/capture-lines.ts';
import { judgedCapture } from '../../../support/canary/backtests.ts';
import {
  olderDeployment,
  opening,
  tools as canaryTools,
} from '../../../support/canary/sample-streams.ts';
import { tools } from '../../../support/given.ts';

const decided = (): Decided => {
  const settled = judgedCapture(twoServers(200, { canary: 20, baseline: 1 })).settled();
  if (settled === null) throw new Error('nothing was decided');
  return settled;
};
const recordedAs = (decision: Decided) => ({
  bytes: tools.codec.encode('decision', decision).bytes,
  decision,
});

test('the same decision has the same bytes', () => {
  const decision = decided();
  expect(recheckDecision(canaryTools, tools.codec, recordedAs(decision), [decision])).toEqual({
    outcome: 'equal',
  });
});

test('one that says otherwise differs, and it is said where', () => {
  const decision = decided();
  const forged = { ...decision, evidence: 9_999, toVersion: '6.6.6' };
  expect(recheckDecision(canaryTools, tools.codec, recordedAs(forged), [decision])).toEqual({
    outcome: 'differs',
    differences: [
      { field: 'evidence', recorded: 9_999, recomputed: decision.evidence },
      { field: 'toVersion', recorded: '6.6.6', recomputed: '1.9.4' },
    ],
  });
});

test('one that the samples do not lead to was not said', () => {
  const decision = decided();
  const other = {
    ...decision,
    marker: '6f1c1a52-0000-8000-8000-0000000000aa' as Decided['marker'],
  };
  expect(recheckDecision(canaryTools, tools.codec, recordedAs(other), [decision])).toEqual({
    outcome: 'not-said',
    said: [`roll-back of window ${decision.windowIndex}`],
  });
});

describe('a decision that is said again because it still stands', () => {
  /** A window of five seconds: of five minutes the last is for the next renewal, and one window for its sample. */
  const due = 47;
  const renewed = (windows: number, change: Partial<Decided> = {}): unknown => {
    const decision = decided();
    const again = renewalMarker(canaryTools, decision, decision.windowIndex + windows);
    return recheckDecision(canaryTools, tools.codec, recordedAs({ ...again, ...change }), [
      decision,
    ]);
  };

  test.each([due, 2 * due, 30 * due])('is found again %i windows later', (windows) => {
    expect(renewed(windows)).toEqual({ outcome: 'equal' });
  });

  test('differs where it claims more than what it renews', () => {
    expect(renewed(due, { evidence: 9_999 })).toMatchObject({
      outcome: 'differs',
      differences: [{ field: 'evidence' }],
    });
  });

  test.each([1, due - 1, due + 1])(
    'was not said where none is due: after %i windows',
    (windows) => {
      expect(renewed(windows)).toMatchObject({ outcome: 'not-said' });
    },
  );

  test('was not said of a kind that was never decided', () => {
    const decision = decided();
    const promoted = { ...decision, kind: 'promote' } as const;
    const again = renewalMarker(canaryTools, promoted, decision.windowIndex + due);
    expect(recheckDecision(canaryTools, tools.codec, recordedAs(again), [decision])).toMatchObject({
      outcome: 'not-said',
    });
  });
});

describe('a hold because too many canaries were open beside it', () => {
  const mine = opening();
  const other = {
    ...mine,
    analysis: '6f1c1a52-0000-8000-8000-0000000000bb',
    deployment: olderDeployment,
  };
  const full = { ...canaryTools, analysesMax: 1 };
  const { state } = foldSample(full, emptyPartition, other, 3);
  const [hold] = foldSample(full, state, mine, 4).decisions;
  const trace = openTrace(canaryTools, mine.analysis);
  trace.add(mine, 4);
  const rechecked = (change: Partial<Decided> = {}): unknown =>
    hold &&
    recheckDecision(
      canaryTools,
      tools.codec,
      recordedAs({ ...hold, ...change }),
      trace.decisions(),
      trace.refusal(),
    );

  test('is not called forged: one analysis does not know of others', () => {
    expect(rechecked()).toEqual({ outcome: 'not-alone' });
  });

  test('is held against what can be computed of it', () => {
    expect(rechecked({ toVersion: '6.6.6' })).toMatchObject({
      outcome: 'differs',
      differences: [{ field: 'toVersion' }],
    });
  });
});
