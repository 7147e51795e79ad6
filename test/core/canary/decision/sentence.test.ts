import { expect, test } from 'vitest';
import type { AnalysisState } from '../../../../services/core/canary/analysis/analysis-state.ts';
import type { Explanation, Verdict } from '../../../../services/core/canary/judge/verdict.ts';
import { weaknessOf } from '../../../../services/core/canary/rollouts/weakness.ts';
import {
  decisionSentence,
  exclusionPhrase,
  headlineOf,
  unknownIn,
} from '../../../../services/core/canary/decision/sentence.ts';
import { opening, run } from '../../../support/canary/sample-streams.ts';

const [state] = Object.values(run([opening()]).state.analyses);
if (state === undefined) throw new Error('nothing was opened');
const none: AnalysisState['excluded'] = { ...state.excluded, 'before-opening': 12, duplicate: 7 };

const explanation: Explanation = {
  evidence: 1,
  evidenceNeeded: 200,
  promoteEvidenceNeeded: 20,
  firstCrossed: null,
  windows: 9,
  carried: null,
  metrics: [],
};
const unheard: Verdict = {
  outcome: 'inconclusive',
  reason: 'no-data',
  missing: [{ what: 'canary', metric: 'errors' }],
};

test('what came and is no evidence is told by its reasons; what everybody has is not', () => {
  expect(exclusionPhrase(none)).toBe('');
  expect(exclusionPhrase({ ...none, late: 3, 'other-version': 1200 })).toBe(
    '. Points that are no evidence: other-version 1,200, late 3',
  );
});

const nobody = { toldMs: null };

test('senders of either version are told where they have told of requests', () => {
  const excluded = { ...none, 'either-cohort': 9, 'count-invalid': 1 };
  expect(unknownIn(excluded, nobody).message).not.toContain('either-cohort');
  const told = unknownIn(excluded, { toldMs: 1 });
  expect(told.message).toContain('either-cohort 9, count-invalid 1');
  expect(told.hint).toContain('service.version');
});

test('requests that nobody can count are told from those of which nobody knows how long they took', () => {
  const durations = { ...none, 'durations-negative': 8 };
  const { message, hint } = unknownIn(durations, nobody);
  expect(message).toBe(
    'requests came lately of which nobody knows how long they took (so far: durations-negative 8), so nothing is promoted',
  );
  expect(hint).toMatch(/^a duration is not below zero/);
  const huge = unknownIn({ ...durations, 'durations-implausible': 3 }, nobody);
  expect(huge.message).toContain('(so far: durations-implausible 3, durations-negative 8)');
  expect(huge.message).toMatch(/^requests came lately/);
  expect(huge.hint).toMatch(/^no request takes 36 hours/);
  for (const excluded of [none, { ...durations, 'count-invalid': 1 }])
    expect(unknownIn(excluded, nobody).message).toMatch(
      /^requests were left out lately that nobody can count/,
    );
});

test('durations that no request takes are told with what would mend them', () => {
  expect(exclusionPhrase({ ...none, 'durations-implausible': 3 })).toMatch(
    /durations-implausible 3 \(no request takes 36 hours: /,
  );
});

test('it is told where a cohort was not heard, and only there', () => {
  const excluded = { ...none, 'other-target': 5 };
  const said = (verdict: Verdict): string =>
    decisionSentence({ verdict, explanation }, null, excluded);
  expect(said(unheard)).toMatch(/Points that are no evidence: other-target 5$/);
  expect(said({ ...unheard, missing: [{ what: 'soak' }] })).not.toContain('no evidence');
});

test('a roll-back for silence says that it is one', () => {
  expect(decisionSentence({ verdict: unheard, explanation }, 'roll-back', none)).toMatch(
    /^rolled back because it is silent, as the policy asks\. held, for want of data/,
  );
});

test('however many metrics there are, it fits into a marker', () => {
  const reasons = Array.from({ length: 400 }, (_, index) => ({
    metric: `a metric with a long name ${index}`,
    code: 'worse-than-tolerated' as const,
    evidence: 300,
    evidenceNeeded: 200,
  }));
  const said = decisionSentence({ verdict: { outcome: 'fail', reasons }, explanation }, null, none);
  expect(said.length).toBeLessThan(3_900);
});

test('a headline says what was found, and how it was compared where that stands before it', () => {
  const weak = { ...opening(), comparison: 'before-after' as const };
  const said = decisionSentence(
    { verdict: unheard, explanation },
    'roll-back',
    none,
    weaknessOf(weak),
  );
  const headline = headlineOf(`${said}. cpu: never seen, so it weighs nothing`);
  expect(headline).toBe(said);
  expect(headline).toContain('weaker than a canary');
  expect(headlineOf('worse than tolerated in errors: evidence 1:653. errors: canary 1/2')).toBe(
    'worse than tolerated in errors: evidence 1:653',
  );
  expect(headlineOf('')).toBe('');
});
