import { describe, expect, test } from 'vitest';
import { askAbout, goldenDecisions } from '../../../support/golden-decisions.ts';
import { recordsIn } from '../../../support/golden-logs.ts';

describe('golden decisions that are refused', () => {
  test.each(goldenDecisions('refused'))('$name: $about', async ({ records, asked, expect: is }) => {
    const answer = await askAbout(recordsIn({ records }), asked);
    expect(answer).toMatchObject({ ok: false, problem: is });
  });
});

test.each([
  [
    'flapping',
    / was decided at .* already \(position \d+\); it counts whether anybody obeyed it or not$/,
  ],
  [
    'component_cap',
    /^in the hour before 1 roll-back of checkout was decided, and the policy allows 1$/,
  ],
  ['hour_cap', /^in the hour before \d+ roll-backs? w\w+ decided, and the policy allows \d+$/],
])(
  'what holds %s back are decisions, and nobody says that they were carried out',
  async (name, said) => {
    const golden = goldenDecisions('refused').find((one) => one.name === name);
    if (golden === undefined) throw new Error('there is no such decision');
    const answer = await askAbout(recordsIn(golden), golden.asked);
    expect(answer).toMatchObject({ problem: { message: expect.stringMatching(said) } });
  },
);

describe('golden decisions that are obeyed', () => {
  test.each(goldenDecisions('obeyed'))('$name: $about', async ({ records, asked, expect: is }) => {
    const answer = await askAbout(recordsIn({ records }), asked);
    expect(answer).toMatchObject({ ok: true, value: 'act' in is ? is.act : {} });
  });
});

test('the golden decisions are there', () => {
  const refused = goldenDecisions('refused');
  // README.md says so many.
  expect(refused.length).toBeGreaterThan(120);
  const codes = new Set(refused.map(({ expect: is }) => ('code' in is ? is.code : '')));
  expect(codes.size).toBeGreaterThanOrEqual(55);
  expect(goldenDecisions('obeyed').length).toBeGreaterThanOrEqual(12);
});
