import { expect, test } from 'vitest';
import type { JudgingNote } from '../../../services/core/canary/analysis/judging-note.ts';
import { artifact } from '../../support/decisions.ts';
import type { Step } from '../../support/given.ts';
import { by, openedAtMs, trusts } from '../../support/given.ts';
import { logged, place, planned, policySet, run, started } from '../../support/markers.ts';
import { problemsOf, told } from '../../support/problems.ts';

const requiring = JSON.stringify({
  policies: [{ component: 'checkout', environment: 'production', require: ['digest'] }],
  version: 2,
});

const digest = artifact('a');
const canary = (held: ReturnType<typeof logged>): readonly Step[] => [
  trusts('ops', { roles: ['operator'] }),
  by('ci', held),
  by('ops', policySet(requiring)),
  by('ci', planned('2.0.0', { strategy: 'canary', canaryShare: 0.5, digest: artifact('b') })),
  by('ci', started()),
];

const note: JudgingNote = {
  ...{ atMs: openedAtMs + 90_000, openedAtMs: openedAtMs + 7_500, deployment: run('7') },
  ...{ attempt: 1, slot: place('production'), version: '2.0.0' },
  ...{ windowMs: 5_000, windows: 18, pairedWindows: 17, warmUpWindows: 12 },
  ...{ stage: 'armed', evidence: 1, evidenceNeeded: 200, unheard: [], otherVersions: 0 },
  ...{ unsent: [], targets: [], noBound: [], slowerPart: [], unsaid: [], held: [], lacking: null },
};

const toldOf = async (steps: readonly Step[], over: Partial<JudgingNote> = {}) =>
  problemsOf(steps, { now: 120, judging: [{ ...note, ...over }] });

test('a canary beside what has no digest is told while it runs, where the policy asks for one', async () => {
  const problems = await toldOf(canary(logged('1.9.4')));
  expect(told(problems)).toEqual([
    'warning digest-missing at : a roll-back of 2.0.0 would not be obeyed: 1.9.4 holds production/checkout without its digest, and the policy asks for one',
  ]);
  expect(problems[0]).toMatchObject({
    subject: `${run('7')}/1`,
    deployment: run('7'),
    place: { environment: 'production', component: 'checkout' },
  });
  expect(problems[0]?.hint).toMatch(/^plimsoll release log with --digest names what runs/);
});

test('it is told on when the digest is said later: the canary goes back to what it began beside', async () => {
  const again = by('ci', logged('1.9.4', { digest }));
  const steps = canary(logged('1.9.4'));
  expect(told(await toldOf([...steps, again]))).toHaveLength(1);
  // Of one that began behind it there is nothing to tell.
  expect(told(await toldOf([...steps.slice(0, -1), again, ...steps.slice(-1)]))).toEqual([]);
});

test.each<readonly [string, readonly Step[], Partial<JudgingNote>]>([
  ['what holds the place has one', canary(logged('1.9.4', { digest })), {}],
  ['no policy asked for one yet', canary(logged('1.9.4')), { openedAtMs }],
  ['no analyser tells of it any more', canary(logged('1.9.4')), { atMs: openedAtMs }],
])('nothing is told where %s', async (_what, steps, over) => {
  expect(told(await toldOf(steps, over))).toEqual([]);
});
