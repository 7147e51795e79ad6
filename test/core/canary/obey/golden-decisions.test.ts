import { describe, expect, test } from 'vitest';
import { askAbout, goldenDecisions } from '../../../support/golden-decisions.ts';
import { recordsIn } from '../../../support/golden-logs.ts';

describe('golden decisions that are refused', () => {
  test.each(goldenDecisions('refused'))('$name: $about', async ({ records, asked, expect: is }) => {
    const answer = await askAbout(recordsIn({ records }), asked);
    expect(answer).toMatchObject({ ok: false, problem: is });
  });
});

describe('golden decisions that are obeyed', () => {
  test.each(goldenDecisions('obeyed'))('$name: $about', async ({ records, asked, expect: is }) => {
    const answer = await askAbout(recordsIn({ records }), asked);
    expect(answer).toMatchObject({ ok: true, value: 'act' in is ? is.act : {} });
  });
});

test('the golden decisions are there', () => {
  const refused = goldenDecisions('refused');
  expect(refused.length).toBeGreaterThanOrEqual(100);
  const codes = new Set(refused.map(({ expect: is }) => ('code' in is ? is.code : '')));
  expect(codes.size).toBeGreaterThanOrEqual(55);
  expect(goldenDecisions('obeyed').length).toBeGreaterThanOrEqual(12);
});
