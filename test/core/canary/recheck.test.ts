import { expect, test } from 'vitest';
import { recheckDecision } from '../../../services/core/canary/recheck.ts';
import type { Decided } from '../../../services/core/markers/marker.ts';
import { twoServers } from '../../support/canary/capture-lines.ts';
import { judgedCapture } from '../../support/canary/backtests.ts';
import { tools } from '../../support/given.ts';

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
  expect(recheckDecision(tools.codec, recordedAs(decision), [decision])).toEqual({
    outcome: 'equal',
  });
});

test('one that says otherwise differs, and it is said where', () => {
  const decision = decided();
  const forged = { ...decision, evidence: 9_999, toVersion: '6.6.6' };
  expect(recheckDecision(tools.codec, recordedAs(forged), [decision])).toEqual({
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
  expect(recheckDecision(tools.codec, recordedAs(other), [decision])).toEqual({
    outcome: 'not-said',
    said: [`roll-back of window ${decision.windowIndex}`],
  });
});
