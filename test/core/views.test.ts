import { describe, expect, test } from 'vitest';
import type { DecisionRow } from '../../services/core/read-models.ts';
import type { KeyState } from '../../services/core/trust/trust.ts';
import type { SlotState } from '../../services/core/slot-state.ts';
import type { AttemptLine } from '../../services/core/slot-state.ts';
import type { Line } from '../../services/core/views.ts';
import {
  currentLines,
  deadLetterLine,
  decisionLine,
  deploymentView,
  expiredAfterMs,
  keyLine,
  presentOf,
  timelineLine,
} from '../../services/core/views.ts';
import type { House, Step } from '../support/given.ts';
import {
  by,
  findsCompromised,
  given,
  keyOf,
  openedAtMs,
  retires,
  trusts,
} from '../support/given.ts';
import {
  canceled,
  decided,
  failed,
  id,
  logged,
  noDetails,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../support/markers.ts';

/** Right after it was told, by the reader's clock; no key was found compromised. */
const none = presentOf(openedAtMs, []);
const slotKey = 'default/production/checkout/';
const details = {
  ...noDetails,
  commit: 'c'.repeat(40),
  links: [{ name: 'run', value: 'https://ci.example/7' }],
};

const house = await given(
  by('ci', logged('1.9.0')),
  by('ci', planned('2.0.0', { details, canaryShare: 0.1, attempt: '1' })),
  by('ci', started({ statusReported: 'IN_PROGRESS', attempt: '1' })),
  trusts('analyser', { roles: ['analyser'] }),
  by('analyser', decided('roll-back', { attempt: '1' })),
  by('agent', failed({ reason: 'rolled back', attempt: '1' })),
  by('ci', planned('3.0.0', { deployment: run('8') })),
);

const lineOf = {
  deployment: run('7'),
  attempt: 1,
  namespace: 'default',
  component: 'checkout',
  environment: 'production',
  target: null,
  version: '2.0.0',
  name: 'default',
  status: 'failed',
  statusReported: null,
  failureReason: 'rolled back',
  rollback: false,
  startedAt: '2026-11-21T10:00:04.000Z',
  endedAt: '2026-11-21T10:00:08.000Z',
  heardAt: '2026-11-21T10:00:08.000Z',
  signer: 'agent',
  onBehalf: null,
  links: [{ name: 'run', url: 'https://ci.example/7' }],
  digest: null,
  unplanned: false,
  conflict: false,
  suspect: false,
  position: 3,
  statusPosition: 8,
};

test('timeline: one attempt a line', async () => {
  const row = await house.row<AttemptLine>('timeline', '000000000003');
  if (row === undefined) throw new Error('there is no such attempt');
  expect(timelineLine(row, none)).toEqual(lineOf);
});

test('current: one held version a line, with what is uncertain and what goes on beside it', async () => {
  const state = await house.row<SlotState>('slot', slotKey);
  if (state === undefined) throw new Error('there is no such slot');
  expect(currentLines(state, none)).toEqual([
    {
      ...lineOf,
      deployment: id('marker 2'),
      version: '1.9.0',
      status: 'logged',
      statusReported: 'logged',
      failureReason: null,
      startedAt: null,
      endedAt: '2026-11-21T10:00:02.000Z',
      heardAt: '2026-11-21T10:00:02.000Z',
      signer: 'ci',
      links: [],
      position: 2,
      statusPosition: 2,
      since: '2026-11-21T10:00:02.000Z',
      uncertain: {
        deployment: run('7'),
        attempt: 1,
        status: 'failed',
        version: '2.0.0',
        at: '2026-11-21T10:00:08.000Z',
      },
      beside: [
        {
          ...lineOf,
          deployment: run('8'),
          version: '3.0.0',
          status: 'planned',
          failureReason: null,
          startedAt: null,
          endedAt: null,
          heardAt: '2026-11-21T10:00:09.000Z',
          signer: 'ci',
          links: [],
          position: 9,
          statusPosition: 9,
        },
      ],
    },
  ]);
});

test('a slot that holds nothing has no line', async () => {
  const planning = await given(by('ci', planned()));
  const state = await planning.row<SlotState>('slot', slotKey);
  expect(state && currentLines(state, none)).toEqual([]);
});

test('show: the whole deployment, every line with position and signer', async () => {
  const view = deploymentView(await house.deployment(), none);
  expect(view).toMatchObject({
    deployment: run('7'),
    conflicts: [],
    attempts: [
      {
        ...lineOf,
        rerunOf: null,
        strategy: null,
        canaryShare: 0.1,
        colour: null,
        slot: slotKey,
        details: { commit: 'c'.repeat(40) },
        contradictions: [],
        disagreements: [],
        history: [
          { position: 3, kind: 'planned', signer: 'ci', note: 'applied' },
          {
            position: 4,
            kind: 'started',
            signer: 'ci',
            at: '2026-11-21T10:00:04.000Z',
            statusReported: 'IN_PROGRESS',
            waitedMs: 0,
            clockSkewed: false,
            key: keyOf('ci').keyId,
            source: '/pipelines/ci',
          },
          { position: 6, kind: 'roll-back', signer: 'analyser' },
          { position: 8, kind: 'failed', signer: 'agent', reason: 'rolled back' },
        ],
        decisions: [{ position: 6, decision: 'roll-back', deployment: run('7') }],
      },
    ],
  });
});

test('decisions: the verdict, its numbers, and how long it may be obeyed', async () => {
  const row = await house.row<DecisionRow>('decision', '000000000006');
  if (row === undefined) throw new Error('there is no such decision');
  expect(decisionLine(row, none)).toEqual({
    position: 6,
    at: '2026-11-21T10:00:06.000Z',
    decision: 'roll-back',
    deployment: run('7'),
    attempt: 1,
    ...place('production'),
    verdict: 'fail',
    reason: 'errors',
    explanation: 'the canary fails more often than allowed',
    metric: 'errors',
    canary: { requests: 100, errors: 9 },
    baseline: { requests: 900, errors: 1 },
    ratio: 81,
    interval: [10, 600],
    evidence: 250,
    evidenceNeeded: 200,
    evidenceIs: 'odds',
    tolerance: { relative: 0.1, absolute: 0.001 },
    windows: 4,
    windowMs: 5000,
    windowEndedAt: '2026-11-18T11:06:40.000Z',
    share: null,
    validUntil: '2026-11-21T10:01:06.000Z',
    renewal: null,
    fromVersion: '2.0.0',
    fromDigest: null,
    toVersion: '1.9.0',
    toDigest: null,
    judge: 'errors.v1',
    policyDigest: 'a'.repeat(64),
    evidenceDigest: 'b'.repeat(64),
    samples: { partition: 0, from: 10, to: 90 },
    marker: id('marker 6'),
    signer: 'analyser',
    key: keyOf('analyser').keyId,
    note: 'applied',
    suspect: false,
    metrics: [
      {
        id: 'errors',
        judged: 'errors',
        weight: 1,
        blamed: true,
        canary: { count: 100, events: 9, level: null },
        baseline: { count: 900, events: 1, level: null },
        ratio: 81,
        interval: [10, 600],
        tolerated: 0.0017,
        evidence: 250,
        promoteEvidence: 1,
        dispersion: 1,
        dispersionFrom: 'none',
        cappedBlocks: 0,
        strongest: [1, 2],
      },
    ],
    stage: 'rolled-back',
    mode: 'decide',
    onSilence: null,
    noiseDigest: null,
    carriedFrom: null,
  });
});

test('decisions: what the test at the deadline found is told in deviations', async () => {
  const row = await house.row<DecisionRow>('decision', '000000000006');
  if (row === undefined) throw new Error('there is no such decision');
  const found = { reason: 'worse-at-deadline', evidence: 3.1, evidenceNeeded: 2.8 };
  expect(decisionLine({ ...row, ...found }, none)).toMatchObject({
    evidence: 3.1,
    evidenceNeeded: 2.8,
    evidenceIs: 'deviations',
  });
});

describe('decisions: what is renewed', () => {
  const sameAgain = decided('roll-back', { windowIndex: 50 });
  const lineAt = async (found: House, position: string, present = none): Promise<Line> => {
    const row = await found.row<DecisionRow>('decision', position);
    if (row === undefined) throw new Error('there is no such decision');
    return decisionLine(row, present);
  };
  const renewed = given(
    trusts('analyser', { roles: ['analyser'] }),
    by('ci', planned()),
    by('ci', started()),
    by('analyser', decided('roll-back')),
    by('analyser', sameAgain),
    by('analyser', decided('roll-back', { evidenceDigest: 'c'.repeat(64) })),
  );

  test('may be obeyed as long as its newest renewal', async () => {
    const [standing, renewal, another] = await Promise.all(
      ['5', '6', '7'].map(async (position) => lineAt(await renewed, position.padStart(12, '0'))),
    );
    expect(standing).toMatchObject({ note: 'applied', renewal: 6 });
    expect(renewal).toMatchObject({ note: 'repeat', renewal: null });
    expect(standing?.['validUntil']).toBe(renewal?.['validUntil']);
    expect(another).toMatchObject({ note: 'repeat', renewal: null });
  });

  test('is prolonged by no key that was found compromised', async () => {
    const suspects = new Map([[keyOf('analyser').keyId, 6]]);
    const row = '000000000005';
    const trusted = await lineAt(await renewed, row);
    const suspected = await lineAt(await renewed, row, { ...none, suspects });
    expect(suspected['suspect']).toBe(false);
    expect((suspected['validUntil'] as string) < (trusted['validUntil'] as string)).toBe(true);
  });
});

test('decisions: an interval that is open at one end says the other', async () => {
  const row = await house.row<DecisionRow>('decision', '000000000006');
  if (row === undefined) throw new Error('there is no such decision');
  const intervalOf = (ratioLow: number | null, ratioHigh: number | null): unknown =>
    decisionLine({ ...row, ratioLow, ratioHigh }, none)['interval'];
  expect(intervalOf(12.1, null)).toEqual([12.1, null]);
  expect(intervalOf(null, 0.9)).toEqual([null, 0.9]);
  expect(intervalOf(null, null)).toBeNull();
});

test('dead letters: where, why, whose, and what it claims', async () => {
  const refused = await given(
    trusts('stage', { environments: ['staging'] }),
    by('stage', planned()),
  );
  const [letter] = await refused.deadLetters();
  expect(letter && deadLetterLine(letter)).toEqual({
    position: 2,
    code: 'out-of-scope',
    message: `the key ${keyOf('stage').keyId} of stage may not act on ${slotKey}`,
    appendedAt: '2026-11-21T10:00:02.000Z',
    valueBytes: refused.records[2]?.value.length,
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    signer: 'stage',
    claims: {
      type: 'plimsoll.planned.v1',
      marker: id('marker 2'),
      keyId: keyOf('stage').keyId,
      deployment: run('7'),
      kind: 'planned',
    },
    state: 'open',
    discarded: null,
    redriveOf: null,
    redriven: [],
    redrives: 0,
  });
});

test('keys: what each may do, and since when no more', async () => {
  const keys = await given(
    trusts('ci', { environments: ['staging'], kinds: ['logged'] }),
    retires('ci'),
    findsCompromised('ci', 1),
  );
  const row = await keys.row<KeyState>('trust', `key/${keyOf('ci').keyId}`);
  expect(row && keyLine(row)).toEqual({
    key: keyOf('ci').keyId,
    principal: 'ci',
    algorithm: 'ed25519',
    roles: ['emitter'],
    environments: ['staging'],
    components: ['*'],
    kinds: ['logged'],
    addedAt: 1,
    retiredAt: 2,
    compromisedSince: 1,
  });
});

describe('conflict: a marker that came again with other content', () => {
  const conflicting = [
    by('ci', planned('2.0.0', { attempt: '1' }), { marker: 'one' }),
    by('ci', started({ attempt: '1' })),
    by('ci', planned('6.6.6', { attempt: '1' }), { marker: 'one' }),
  ];
  const conflicts = async (...steps: readonly Step[]): Promise<unknown> => {
    const { timeline, current } = await (await given(...steps)).lines();
    const marks = (lines: readonly unknown[]): readonly unknown[] =>
      lines.map((line) => (line as { readonly conflict: unknown }).conflict);
    return {
      timeline: marks(timeline),
      current: marks(current),
      beside: marks(current.flatMap((line) => line['beside'])),
    };
  };

  test('marks what is beside the holder, at once, and what holds the slot later', async () => {
    expect(await conflicts(by('ci', logged('1.9.0')), ...conflicting)).toEqual({
      timeline: [false, true],
      current: [false],
      beside: [true],
    });
    const taken = [...conflicting, by('ci', succeeded({ attempt: '1' }))];
    expect(await conflicts(...taken)).toEqual({ timeline: [true], current: [true], beside: [] });
  });

  test('marks what holds the slot already', async () => {
    const [plan, start, again] = conflicting;
    if (plan === undefined || start === undefined || again === undefined) throw new Error('none');
    const late = [plan, start, by('ci', succeeded({ attempt: '1' })), again];
    expect(await conflicts(...late)).toEqual({ timeline: [true], current: [true], beside: [] });
  });

  test('marks no other attempt of the deployment', async () => {
    const rerun = [
      ...conflicting,
      by('ci', succeeded({ attempt: '1' })),
      by('ci', planned('2.0.0', { attempt: '2' })),
    ];
    expect(await conflicts(...rerun)).toEqual({
      timeline: [true, false],
      current: [true],
      beside: [false],
    });
  });
});

const suspectIn = async (...steps: readonly Step[]): Promise<readonly unknown[]> => {
  const story = await given(...steps);
  const key = await story.row<KeyState>('trust', `key/${keyOf('careless').keyId}`);
  const present = presentOf(openedAtMs, key === undefined ? [] : [key]);
  const state = await story.row<SlotState>('slot', slotKey);
  return state === undefined ? [] : currentLines(state, present).map(({ suspect }) => suspect);
};

describe('suspect: what a key signed since it was compromised', () => {
  test('is marked from that position on, and history stays', async () => {
    const story = await given(
      by('ci', planned()),
      by('ci', started()),
      by('ci', failed()),
      findsCompromised('ci', 3),
    );
    const key = await story.row<KeyState>('trust', `key/${keyOf('ci').keyId}`);
    const present = presentOf(openedAtMs, key === undefined ? [] : [key]);
    const view = deploymentView(await story.deployment(), present);
    expect(view).toMatchObject({
      attempts: [
        {
          status: 'failed',
          suspect: true,
          position: 2,
          statusPosition: 4,
          history: [{ suspect: false }, { suspect: true }, { suspect: true }],
        },
      ],
    });
  });

  test('a version is suspect by its plan or by its success, whichever the key signed', async () => {
    const found = findsCompromised('careless', 0);
    expect(await suspectIn(by('careless', planned()), by('ci', succeeded()), found)).toEqual([
      true,
    ]);
    expect(await suspectIn(by('ci', planned()), by('careless', succeeded()), found)).toEqual([
      true,
    ]);
    expect(
      await suspectIn(by('ci', planned()), by('careless', started()), by('ci', succeeded()), found),
    ).toEqual([false]);
  });
});

describe('expired: what nobody has heard of for too long', () => {
  const story = given(
    by('ci', logged('1.9.0')),
    by('ci', planned('2.0.0')),
    by('ci', started({ statusReported: 'IN_PROGRESS' })),
    by('ci', planned('3.0.0', { deployment: run('8') })),
    by('ci', canceled({ deployment: run('8') })),
  );
  /** The log hears of 2.0.0 for the last time when it takes `started`. */
  const heardAtMs = openedAtMs + 4000;
  const statusesAt = async (nowMs: number): Promise<readonly unknown[]> => {
    const present = presentOf(nowMs, []);
    const state = await (await story).row<SlotState>('slot', slotKey);
    if (state === undefined) throw new Error('there is no such slot');
    const beside = currentLines(state, present).flatMap((line) => line['beside']);
    const row = await (await story).row<AttemptLine>('timeline', '000000000003');
    if (row === undefined) throw new Error('there is no such attempt');
    return [
      timelineLine(row, present),
      ...beside,
      ...((deploymentView(await (await story).deployment(), present)['attempts'] ??
        []) as unknown[]),
    ].map((line) => {
      const { status, statusReported } = line as { status: unknown; statusReported: unknown };
      return [status, statusReported];
    });
  };

  test('is shown so in timeline, beside the holder and in show, with the word that was said last', async () => {
    const running = ['running', 'IN_PROGRESS'];
    expect(await statusesAt(heardAtMs + expiredAfterMs)).toEqual([running, running, running]);
    const expired = ['expired', 'IN_PROGRESS'];
    expect(await statusesAt(heardAtMs + expiredAfterMs + 1)).toEqual([expired, expired, expired]);
  });

  test('a plan that nothing follows expires, too; what has ended never does', async () => {
    const told = await given(
      by('ci', planned()),
      by('ci', planned('2.0.0', { deployment: run('8') })),
      by('ci', canceled({ deployment: run('8') })),
      by('ci', logged('1.9.0')),
    );
    const rows = ['000000000002', '000000000003', '000000000005'];
    const muchLater = presentOf(openedAtMs + 1000 * expiredAfterMs, []);
    const statuses = rows.map(async (key) => {
      const row = await told.row<AttemptLine>('timeline', key);
      return row && timelineLine(row, muchLater)['status'];
    });
    expect(await Promise.all(statuses)).toEqual(['expired', 'canceled', 'logged']);
  });

  test("the analyser's renewals do not count as heard", async () => {
    const told = await given(
      trusts('analyser', { roles: ['analyser'] }),
      by('ci', planned()),
      by('ci', started()),
      by('analyser', decided('promote')),
      by('analyser', decided('promote', { windowIndex: 50 })),
    );
    const line = await told.row<AttemptLine>('timeline', '000000000003');
    expect(line?.heardAt).toBe(openedAtMs + 5000);
  });

  test('whatever was said of it counts as heard, a late delivery by when it was said', async () => {
    const told = await given(
      by('ci', planned()),
      by('ci', started(), { at: 7200, waitedMs: 7_000_000 }),
      by('ci', started(), { at: 7300 }),
    );
    const row = await told.row<AttemptLine>('timeline', '000000000002');
    expect(row && timelineLine(row, none)['heardAt']).toBe('2026-11-21T12:01:40.000Z');
    const waited = await given(
      by('ci', planned()),
      by('ci', started(), { at: 7200, waitedMs: 7_000_000 }),
    );
    const early = await waited.row<AttemptLine>('timeline', '000000000002');
    expect(early && timelineLine(early, none)['heardAt']).toBe('2026-11-21T10:03:20.000Z');
  });
});
