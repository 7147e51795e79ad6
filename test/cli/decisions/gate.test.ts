import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgingKey } from '../../../services/core/canary/analysis/judging-note.ts';
import type { JudgingNote } from '../../../services/core/canary/analysis/judging-note.ts';
import { onBehalfSource } from '../../../services/core/trust/on-behalf.ts';
import type { CliPorts } from '../../../services/cli/ports.ts';
import { openCanaryDesk } from '../../support/canary-desk.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import {
  analysisOf,
  artifact,
  canary,
  decides,
  decision,
  decisionIdOf,
  decisionRecord,
} from '../../support/decisions.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { jsonOf, openDesk, unreachable } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, openedAtMs, trusts } from '../../support/given.ts';
import {
  failed,
  logged,
  metricDecided,
  operated,
  place,
  planned,
  policySet,
  run,
  shifted,
  started,
  succeeded,
  undeployed,
} from '../../support/markers.ts';
import type { Said as Told } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { fail } from '../../../services/core/result.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const deployment = run('7');

const deskAfter = (
  steps: readonly (Step | Promise<Step>)[],
  options: DeskOptions = {},
): Promise<Desk> => openCanaryDesk(scratch, steps, options);

/** Without what ran before. */
const withoutHolder: readonly Step[] = [...canary.slice(0, -3), ...canary.slice(-2)];
/** A rollout without a share; with a colour it gets all the traffic. */
const rollout = ({
  strategy = null,
  colour = null,
}: {
  readonly strategy?: string | null;
  readonly colour?: string | null;
}): readonly Step[] => [
  trusts('ops', { roles: ['operator'] }),
  by('ci', logged('1.9.4')),
  by('ci', planned('2.0.0', { strategy })),
  by('ci', started()),
  ...(colour === null ? [] : [by('ci', shifted({ colour }))]),
];
const switched = { strategy: 'blue-green', colour: 'green' };
const rolloutsJudged = (rollouts: string): Told =>
  policySet(
    `{"policies":[{"component":"*","environment":"*","rollouts":{${rollouts}}}],"version":2}`,
  );
const gateway = trusts('gateway', { roles: ['gateway'] });
/** The same on behalf of a caller with a token. */
const byToken = (step: Step | undefined): Step => {
  if (step === undefined || !('says' in step)) throw new Error('nobody says anything there');
  return by('gateway', { ...step.says, source: onBehalfSource('shop') });
};

/** A gate between two looks sleeps for no longer; for more sleeps who gives up waiting. */
const napMsMax = 1000;

/** Whoever naps wakes at once, later; `meanwhile` happens in the second nap. */
const waiting = (desk: Desk, meanwhile: () => Promise<unknown> = async () => undefined): Desk => {
  let slept = 0;
  return desk.elsewhere({
    change: (ports): CliPorts => ({
      ...ports,
      clock: {
        ...ports.clock,
        sleep: async (ms, signal) => {
          if (ms > napMsMax) return ports.clock.sleep(ms, signal);
          slept += 1;
          if (slept === 2) await meanwhile();
          await desk.house.ports.clock.sleep(ms);
        },
      },
    }),
  });
};

describe('the exit code of a gate is the decision', () => {
  test.each([
    ['promote', 0, decision('promote')],
    ['roll-back', 10, decision('roll-back')],
    ['hold', 11, decision('hold')],
    ['inconclusive', 12, decision('hold', { stage: 'inconclusive', reason: 'deadline' })],
  ] as const)('%s: %i', async (outcome, exit, says) => {
    const desk = await deskAfter([decides(says)]);
    const said = await desk.plimsoll('gate', deployment, '--json');
    expect([said.exit, said.err]).toEqual([exit, []]);
    const line = jsonOf(said);
    expect(line).toMatchObject({ outcome, deployment });
    expect(faultsOf('gate', line)).toEqual([]);
  });

  test('and through a gateway the same', async () => {
    const desk = await deskAfter([decides(decision('roll-back'))], { isRemote: true });
    const said = await desk.plimsoll('gate', deployment);
    expect([said.exit, said.out]).toEqual([
      10,
      [
        'roll-back  checkout 2.0.0 in production: the canary fails more often than allowed (position 8)',
        '  errors  canary 9/100 (9.00 %), baseline 1/900 (0.11 %); 81x (10x to 600x); evidence 1:250 by itself; BLAMED',
        // A gateway does not explain.
        `  all that it rests on: plimsoll explain ${deployment}, beside the log (without PLIMSOLL_URL)`,
      ],
    ]);
  });
});

describe('a gate waits', () => {
  test('and says how it stands, until something is decided', async () => {
    const desk = await deskAfter([decides(decision('advance'))]);
    const said = await waiting(desk, async () => {
      const promote = decision('promote', { windowIndex: 9, windows: 10 });
      value(await desk.house.log.append(0, [await decisionRecord(promote)]));
    }).plimsoll('gate', deployment, '--wait=1m');
    expect([said.exit, said.out]).toEqual([
      0,
      [
        'promote  checkout 2.0.0 in production: the canary fails more often than allowed (position 9)',
        `  all that it rests on: plimsoll explain ${deployment}`,
      ],
    ]);
    expect(said.err).toEqual([
      'plimsoll: checkout 2.0.0 in production is running; 10 % of the traffic; advance (evidence 1:25 of 1:20 needed); 60 s left',
    ]);
  });

  test('so long as it may, and ends with 13', async () => {
    const said = await waiting(await deskAfter([])).plimsoll('gate', deployment, '--wait=20s');
    expect(said.exit).toBe(13);
    expect(said.out).toEqual(['waiting  checkout 2.0.0 in production']);
    expect(said.err.slice(-2)).toEqual([
      'plimsoll: no decision that may be obeyed within 20 s [no-decision]',
      `  plimsoll explain ${deployment} tells how far it is; is an analyser running, and does telemetry come? plimsoll up`,
    ]);
    // At the beginning, and when nothing was said for a while.
    expect(said.err.filter((line) => / left(;|$)/.test(line))).toHaveLength(2);
    expect(said.err[0]).toMatch(/ left; plimsoll explain [0-9a-f-]{36} tells how far it is$/);
  });

  describe('and says what the analyser tells of it meanwhile', () => {
    const note = {
      ...{ deployment, attempt: 1, slot: place('production'), version: '2.0.0', openedAtMs },
      ...{ windowMs: 5_000, windows: 9, pairedWindows: 4, warmUpWindows: 12, stage: 'warming' },
      ...{
        evidence: 1,
        evidenceNeeded: 200,
        unsent: [],
        targets: [],
        noBound: [],
        slowerPart: [],
        unsaid: [],
        held: [],
        lacking: null,
        unheard: [],
        otherVersions: 0,
      },
    };
    const lacking = {
      ...{ soakMs: 250_000, unshown: [{ metric: 'latency', evidence: 1.2 }], evidenceNeeded: 20 },
      ...{ silent: [], isVetoed: false, step: null },
    };
    const forgetful = {
      ...({ metric: 'errors', cohort: 'canary' } as const),
      ...{ by: 'http.response.status_code', canary: 0, baseline: 1, window: null },
    };
    const forgotOnce = {
      ...{ ...forgetful, canary: 0.25 },
      window: { index: 7, startMs: 1_795_330_835_000 },
    };
    const losing = {
      ...({ metric: 'traffic', code: 'traffic-lost' } as const),
      ...{ message: 'requests are lost now', hint: 'look for them' },
    };
    const slower = {
      ...{ metric: 'latency', canaryMs: 284.7, canary: { total: 1_000, events: 50 } },
      ...{ baselineMs: 250, baseline: { total: 900, events: 0 } },
    };
    const tell = async (
      desk: Desk,
      change: Partial<JudgingNote>,
      ageMs: number = 2_000,
    ): Promise<void> => {
      const atMs = desk.house.ports.clock.nowMs() - ageMs;
      const text = JSON.stringify({ ...note, atMs, ...change });
      const key = judgingKey(analysisOf());
      value(await desk.house.store.aside.write([{ key, value: text }]));
    };
    const saidWith = async (
      change: Partial<JudgingNote>,
      ageMs?: number,
      ...more: readonly string[]
    ): Promise<Said> => {
      const desk = await deskAfter([]);
      await tell(desk, change, ageMs);
      return waiting(desk).plimsoll('gate', deployment, '--wait=2s', ...more);
    };

    test.each<readonly [string, Partial<JudgingNote>]>([
      ['warming up, 4 of 12 windows', {}],
      ['it is being measured how often servers export', { windowMs: null, warmUpWindows: null }],
      ['9 windows closed, and none with requests of both versions', { pairedWindows: null }],
      [
        'nothing is received of either version (are service.name, service.version and deployment.environment.name sent as in the plan, and requests beside those of probes?)',
        { windowMs: null, warmUpWindows: null, unheard: ['canary', 'baseline'] },
      ],
      [
        '9 windows closed, and nothing is received of the canary, but 40 points of neither version (is service.version sent as in the plan?)',
        { pairedWindows: null, unheard: ['canary'], otherVersions: 40 },
      ],
      [
        '90 windows closed, and none with requests of both versions (where servers export less often than each 5 s, a longer no-data in the policy lets windows follow them)',
        { pairedWindows: null, windows: 90 },
      ],
      [
        'the first window of 60 s is not closed yet (each is 2 min after its end)',
        { windowMs: 60_000, windows: 0, pairedWindows: null },
      ],
      [
        '34 windows, evidence 1:3.2 of 1:200 needed to roll back',
        { pairedWindows: 34, stage: 'armed', evidence: 3.2 },
      ],
      ['warming up, 4 of 12 windows', { lacking }],
      [
        '34 windows, evidence 1:1 of 1:200 needed to roll back; to pass it lacks 4 min of the soak, evidence of 1:20 by latency (1:1.2)',
        { pairedWindows: 34, stage: 'armed', lacking },
      ],
      [
        '34 windows, evidence 1:1 of 1:200 needed to roll back; to pass it lacks time at its share, less evidence against it, telemetry of cpu by the canary',
        {
          ...{ pairedWindows: 34, stage: 'advanced' },
          lacking: {
            ...{ ...lacking, soakMs: 0, unshown: [], isVetoed: true, step: 'time' },
            silent: [{ metric: 'cpu', cohort: 'canary' }],
          },
        },
      ],
      [
        '34 windows, evidence 1:1 of 1:200 needed to roll back; to pass it lacks the share of its step',
        {
          ...{ pairedWindows: 34, stage: 'advanced' },
          lacking: { ...lacking, soakMs: 0, unshown: [], step: 'share' },
        },
      ],
      [
        'warming up, 4 of 12 windows; nobody sends cpu, heap',
        { unsent: ['cpu', 'heap'].map((id) => ({ id, critical: false, names: [id] })) },
      ],
      [
        'warming up, 4 of 12 windows; senders of eu, us are judged as one: plimsoll problems tells what the policy should say',
        { targets: ['eu', 'us'] },
      ],
      [
        'warming up, 4 of 12 windows; no bound near the durations of latency, so nothing is promoted: plimsoll problems tells what mends it',
        {
          noBound: [{ metric: 'latency', boundaryMs: 5_000, baseline: { total: 999, events: 0 } }],
        },
      ],
      [
        "warming up, 4 of 12 windows; a part of the requests is plainly slower by latency, so nothing is promoted: 5.00 % of the canary's took longer than 285 ms, 0.00 % of the baseline's longer than 250 ms",
        { slowerPart: [slower] },
      ],
      [
        'warming up, 4 of 12 windows; errors: the baseline says http.response.status_code for 100.00 % of its requests, the canary for 0.00 %: whether the others failed nobody knows, so nothing is promoted',
        { unsaid: [forgetful] },
      ],
      [
        'warming up, 4 of 12 windows; errors: in window 7 (07:00:35 UTC) the baseline said http.response.status_code for 100.00 % of its requests, the canary for 25.00 %: whether the others failed nobody knows, so nothing is promoted for now',
        { unsaid: [forgotOnce] },
      ],
      ['warming up, 4 of 12 windows; traffic: requests are lost now', { held: [losing] }],
      [
        'warming up, 4 of 12 windows; points come late',
        { held: [{ ...losing, metric: null, code: 'points-late', message: 'points come late' }] },
      ],
    ])('%s', async (told, change) => {
      const { err } = await saidWith(change);
      expect(err[0]).toContain(`; no decision yet: ${told}; 2 s left`);
    });

    test.each([
      ['hold', '10 % of the traffic; judged on: 34 windows, evidence 1:3.2 of 1:200 needed'],
      ['roll-back', '10 % of the traffic; roll-back at position 8 is not obeyed'],
    ] as const)(
      'behind a %s that counts no more, as far as it is judged on',
      async (kind, told) => {
        const desk = await deskAfter([decides(decision(kind, { validForMs: 50_000 }))]);
        await desk.house.ports.clock.sleep(60_000);
        await tell(desk, { pairedWindows: 34, stage: 'armed', evidence: 3.2 });
        const { err } = await waiting(desk).plimsoll('gate', deployment, '--wait=2s');
        expect(err[0]).toContain(told);
        expect(err[0]).toMatch(/is not obeyed: .* \[expired\]; 2 s left$/);
      },
    );

    test('unless that is old, or is no such note', async () => {
      for (const said of [await saidWith({}, 70_000), await saidWith({ windows: Number.NaN })])
        expect(said.err[0]).toContain('; no decision yet; 2 s left');
    });

    test('and programs have it as a line', async () => {
      const boundless = {
        noBound: [{ metric: 'pay', boundaryMs: null, baseline: { total: 9, events: 0 } }],
      };
      const change = {
        ...boundless,
        unheard: ['canary'] as const,
        slowerPart: [slower],
        unsaid: [forgetful, forgotOnce],
        held: [losing],
        lacking,
      };
      const line = jsonOf(await saidWith(change, 2_000, '--json'));
      expect(line).toMatchObject({
        outcome: 'waiting',
        judging: {
          ...{ stage: 'warming', windows: 9 },
          noBound: [{ metric: 'pay', boundMs: null, longer: 0 }],
          slowerPart: [{ boundMs: 284.7, longer: 0.05, baselineBoundMs: 250, baselineLonger: 0 }],
          ...{ unheard: ['canary'], otherVersions: 0 },
          lacking: { soakMs: 250_000, vetoed: false, unshown: [{ metric: 'latency' }] },
          unsaid: [{ window: null }, { window: { index: 7, at: '2026-11-22T07:00:35.000Z' } }],
        },
      });
      expect(faultsOf('gate', line)).toEqual([]);
    });
  });

  test.each([
    [
      'nobody has said that it runs',
      canary.slice(0, -1),
      'not-started',
      'release update --status=RUNNING',
    ],
    [
      'nothing held the slot before',
      withoutHolder,
      'no-baseline',
      'nothing held its slot before it',
    ],
    ['it is no canary', rollout({}), 'no-canary', 'it is no canary'],
    ['no policy has blue/green judged', rollout(switched), 'no-canary', 'it is no canary'],
    [
      'no colour has the traffic yet',
      [
        ...canary.slice(0, 2),
        by('ops', rolloutsJudged('"blue-green":true')),
        ...rollout({ strategy: 'blue-green' }),
      ],
      'not-switched',
      '--colour=NAME',
    ],
    [
      'it was said with a token',
      [gateway, ...canary.slice(0, 3), ...canary.slice(3).map(byToken)],
      'on-behalf',
      'it was said with a token',
    ],
    [
      'a token alone says what holds the slot',
      [gateway, ...canary.slice(0, 2), byToken(canary[2]), ...canary.slice(3)],
      'baseline-on-behalf',
      'what holds its slot was said with a token',
    ],
  ])('for nothing where %s, and says so at once', async (_why, steps, unjudged, said) => {
    const folder = join(scratch, randomUUID());
    const desk = waiting(await openDesk({ folder, steps: [...steps] }));
    const { exit, err } = await desk.plimsoll('gate', deployment, '--wait=3s');
    expect([exit, err[0], err.at(-1)]).toEqual([
      13,
      expect.stringContaining(said),
      expect.stringContaining(said),
    ]);
    expect(err.join()).not.toContain('is an analyser running');
    const line = jsonOf(await desk.plimsoll('gate', deployment, '--wait=2s', '--json'));
    expect(line).toMatchObject({ outcome: 'waiting', unjudged });
    expect(faultsOf('gate', line)).toEqual([]);
  });

  test.each([
    ['before-after', rollout({})],
    ['blue-green', rollout(switched)],
  ])('for a decision where the policy has it judged: %s', async (kind, steps) => {
    const judged = [by('ops', rolloutsJudged(`"${kind}":true`)), ...steps];
    const folder = join(scratch, randomUUID());
    const desk = waiting(await openDesk({ folder, steps: [...canary.slice(0, 2), ...judged] }));
    const line = jsonOf(await desk.plimsoll('gate', deployment, '--wait=2s', '--json'));
    expect(line).toMatchObject({ outcome: 'waiting', unjudged: null });
  });

  test('behind an advance for the promotion, and says that it is none', async () => {
    const desk = waiting(await deskAfter([decides(decision('advance'))]));
    const { exit, err } = await desk.plimsoll('gate', deployment, '--wait=3s');
    expect([exit, err.at(-1)]).toEqual([
      13,
      '  advance is no promotion: it is judged on, so wait longer (--wait)',
    ]);
  });

  test('for one target of several, and names it', async () => {
    const slot = place('production', 'checkout', 'eu');
    const steps = [
      by('ci', logged('1.9.4', { slot })),
      by('ci', planned('2.0.0', { slot, strategy: 'canary' })),
    ];
    const desk = waiting(await openDesk({ folder: join(scratch, randomUUID()), steps }));
    const { out } = await desk.plimsoll('gate', deployment, '--wait=2s');
    expect(out).toEqual(['waiting  checkout 2.0.0 in production (eu)']);
  });

  test('where decisions are stopped, and says so before there is one', async () => {
    const stopped = operated('decisions-stopped', { reason: 'we look at it' });
    const desk = await deskAfter([by('ops', stopped)]);
    const said = await waiting(desk).plimsoll('gate', deployment, '--wait=3s');
    const why =
      'a decision to act would not be obeyed: decisions are stopped everywhere since position 8 by ops: we look at it [stopped]';
    expect([said.exit, said.err[0], said.err.at(-1)]).toEqual([
      13,
      expect.stringContaining(`no decision yet; ${why}; 3 s left`),
      `  ${why}; plimsoll decisions resume lets them count again`,
    ]);
    const line = jsonOf(await waiting(desk).plimsoll('gate', deployment, '--wait=2s', '--json'));
    expect(line).toMatchObject({ barred: { code: 'stopped' }, refused: null });
    expect(faultsOf('gate', line)).toEqual([]);
  });

  test('in a slot that an earlier roll-back froze, and says so before there is a decision', async () => {
    const document =
      '{"policies":[{"component":"*","environment":"*","flap-guard":{"freeze":true}}],"version":2}';
    const next = { deployment: run('8') };
    const desk = await deskAfter([
      by('ops', policySet(document)),
      decides(decision('roll-back')),
      by('ci', failed()),
      by('ci', planned('2.0.1', { ...next, strategy: 'canary', canaryShare: 0.1 })),
      by('ci', started(next)),
    ]);
    const { err } = await waiting(desk).plimsoll('gate', run('8'), '--wait=3s');
    expect(err.at(-1)).toMatch(
      /production\/checkout is frozen since the roll-back at position 9 \[slot-frozen\]; plimsoll decisions lift lets decisions count there again$/,
    );
  });

  describe('where a fix took the slot meanwhile', () => {
    const log = (version: string, ...more: readonly string[]): readonly string[] => [
      ...['release', 'log', '--component-name=checkout', '--environment-name=production'],
      ...[`--target-version=${version}`, '--key=ci.json', ...more],
    ];
    /** The fix is told a minute after what the steps tell. */
    const deskWith = async (
      steps: readonly Step[] = canary,
      isRemote = false,
      ...then: readonly (readonly string[])[]
    ): Promise<Desk> => {
      const desk = await openDesk({ folder: join(scratch, randomUUID()), steps, isRemote });
      await desk.house.ports.clock.sleep(60_000);
      for (const words of [log('1.9.5'), ...then])
        expect(jsonOf(await desk.plimsoll(...words, '--json'))['delivery']).toBe('stored');
      return waiting(desk);
    };
    const barredIn = async (desk: Desk): Promise<unknown> => {
      const line = jsonOf(await desk.plimsoll('gate', deployment, '--wait=2s', '--json'));
      expect(faultsOf('gate', line)).toEqual([]);
      return line['barred'];
    };

    test.each([false, true])(
      'and says before there is a decision that none would be obeyed (gateway: %s)',
      async (isRemote) => {
        const desk = await deskWith(canary, isRemote);
        const { exit, err } = await desk.plimsoll('gate', deployment, '--wait=3s');
        const why =
          'a decision to act would not be obeyed: 1.9.5 took the slot after 2.0.0 was started, which was never compared with it [holder-changed]';
        expect([exit, err[0], err.at(-1)]).toEqual([
          13,
          expect.stringContaining(`no decision yet; ${why}; 3 s left`),
          `  ${why}; plan 2.0.0 anew, or what follows it`,
        ]);
      },
    );

    test('as is refused then', async () => {
      const desk = await deskWith();
      value(await desk.house.log.append(0, [await decisionRecord(decision('promote'))]));
      const line = jsonOf(await desk.plimsoll('gate', deployment, '--wait=2s', '--json'));
      expect(line).toMatchObject({ barred: null, refused: { code: 'holder-changed' } });
    });

    test('and not where it was taken back, for what is no later than it, for the first that holds it, or where nothing is judged', async () => {
      const back = log('1.9.4', `--digest=${artifact('a')}`);
      expect(await barredIn(await deskWith(canary, false, back))).toBe(null);
      const asLate = by('ci', logged('1.9.5'));
      expect(await barredIn(waiting(await deskAfter([asLate])))).toBe(null);
      expect(await barredIn(await deskWith(withoutHolder))).toBe(null);
      expect(await barredIn(await deskWith(canary.slice(0, -1)))).toBe(null);
      expect(await barredIn(await deskWith(rollout({})))).toBe(null);
    });
  });

  describe('beside what has no digest, where the policy asks for one', () => {
    const document =
      '{"policies":[{"component":"*","environment":"*","require":["digest"]}],"version":2}';
    const begun = (held: string | null, ran: string | null): readonly Step[] => [
      ...canary.slice(0, 2),
      by('ci', logged('1.9.4', { digest: held })),
      by('ops', policySet(document)),
      by('ci', planned('2.0.0', { digest: ran, strategy: 'canary', canaryShare: 0.5 })),
      by('ci', started()),
    ];
    const deskOf = async (...steps: readonly Step[]): Promise<Desk> =>
      waiting(await openDesk({ folder: join(scratch, randomUUID()), steps }));
    const barredIn = async (desk: Desk): Promise<unknown> => {
      const line = jsonOf(await desk.plimsoll('gate', deployment, '--wait=2s', '--json'));
      expect(faultsOf('gate', line)).toEqual([]);
      return line['barred'];
    };

    test('and says before there is a decision that no roll-back would be obeyed', async () => {
      const desk = await deskOf(...begun(null, artifact('b')));
      const { exit, err } = await desk.plimsoll('gate', deployment, '--wait=3s');
      const why =
        'a roll-back would not be obeyed: 1.9.4 holds production/checkout without its digest, and the policy asks for one [digest-missing]';
      expect([exit, err[0], err.at(-1)]).toEqual([
        13,
        expect.stringContaining(`no decision yet; ${why}; 3 s left`),
        `  ${why}; plimsoll release log with --digest names what runs; then plan 2.0.0 anew, as this attempt goes back to what it began beside`,
      ]);
      expect(await barredIn(desk)).toMatchObject({ code: 'digest-missing' });
    });

    test('also when that is said too late, and not for an attempt that begins behind it', async () => {
      const said = by('ci', logged('1.9.4', { digest: artifact('a') }));
      const steps = begun(null, artifact('b'));
      expect(await barredIn(await deskOf(...steps, said))).toMatchObject({
        code: 'digest-missing',
      });
      expect(await barredIn(await deskOf(...steps.slice(0, -1), said, ...steps.slice(-1)))).toBe(
        null,
      );
    });

    test('and not where no policy asks', async () => {
      const steps = begun(null, null);
      expect(await barredIn(await deskOf(...steps.slice(0, 3), ...steps.slice(4)))).toBe(null);
    });

    test('or of what was planned without one', async () => {
      expect(await barredIn(await deskOf(...begun(artifact('a'), null)))).toMatchObject({
        message:
          '2.0.0 is planned for production/checkout without its digest, and the policy asks for one',
        hint: 'plan it anew with --digest',
      });
      expect(await barredIn(await deskOf(...begun(artifact('a'), artifact('b'))))).toBe(null);
    });
  });

  test('for what may be obeyed, and says why the rest is not', async () => {
    const desk = await deskAfter([
      decides(decision('promote')),
      by('ops', operated('decisions-stopped', { reason: 'we look at it' })),
    ]);
    const said = await waiting(desk).plimsoll('gate', deployment, '--wait=3s', '--json');
    expect([said.exit, jsonOf(said)['refused']]).toMatchObject([13, { code: 'stopped' }]);
    expect(JSON.parse(said.err.at(-1) ?? '')).toEqual({
      code: 'no-decision',
      message: 'no decision that may be obeyed within 3 s',
      hint: 'promote at position 8 is not obeyed: decisions are stopped everywhere since position 9 by ops: we look at it [stopped]; plimsoll decisions resume lets them count again',
    });
  });

  test('no longer for a silence than it lasts: said again it counts, and a minute later it does not', async () => {
    const hold = decision('hold', { validForMs: 50_000 });
    const desk = await deskAfter([decides(hold)]);
    const exitNow = async (): Promise<number> =>
      (await waiting(desk).plimsoll('gate', deployment, '--wait=1s')).exit;
    for (const windowIndex of [9, 15, 21]) {
      await desk.house.ports.clock.sleep(40_000);
      const body = { ...hold, windowIndex };
      const again = { ...body, marker: decisionIdOf(body) };
      value(await desk.house.log.append(0, [await decisionRecord(again)]));
      expect(await exitNow()).toBe(11);
    }
    await desk.house.ports.clock.sleep(60_000);
    expect(await exitNow()).toBe(13);
  });

  test('where a hold has lapsed, until something else is decided', async () => {
    const desk = await deskAfter([decides(decision('hold'))]);
    const exits: number[] = [];
    for (let minute = 0; minute < 7; minute++)
      exits.push((await waiting(desk).plimsoll('gate', deployment, '--wait=1s')).exit);
    expect(exits).toEqual([11, 11, 11, 11, 11, 11, 13]);
    const later = decision('hold', {
      ...{ stage: 'inconclusive', windowIndex: 9, windows: 10, evidenceDigest: 'c'.repeat(64) },
    });
    const said = await waiting(desk, async () => {
      value(await desk.house.log.append(0, [await decisionRecord(later)]));
    }).plimsoll('gate', deployment, '--wait=1m');
    expect(said.exit).toBe(12);
    expect(said.err[0]).toMatch(
      /; hold at position 8 is not obeyed: held at \S+, lapsed at \S+ \[expired\]; 60 s left$/,
    );
  });

  test.each([
    ['that begins while it waits', 2],
    ['in which it starts', 1],
  ])('through an outage %s and is over in time', async (_, awayAt) => {
    const desk = await deskAfter([decides(decision('advance'))]);
    let asked = 0;
    const said = await desk
      .elsewhere({
        change: (ports) => ({
          ...waitingPorts(ports, desk),
          atHand: async (onProgress) => {
            asked += 1;
            if (asked === awayAt) return unreachable('the log is away');
            if (asked === awayAt + 1) {
              const rollBack = decision('roll-back', { windowIndex: 9, windows: 10 });
              value(await desk.house.log.append(0, [await decisionRecord(rollBack)]));
            }
            return ports.atHand(onProgress);
          },
        }),
      })
      .plimsoll('gate', deployment, '--wait=1m');
    expect(said.exit).toBe(10);
    expect(said.err.join('\n')).toContain('the log is away');
  });
});

const waitingPorts = (ports: CliPorts, desk: Desk): CliPorts => ({
  ...ports,
  clock: {
    ...ports.clock,
    sleep: (ms, signal) =>
      ms > napMsMax ? ports.clock.sleep(ms, signal) : desk.house.ports.clock.sleep(ms),
  },
});

describe('a deployment whose id somebody else plans elsewhere', () => {
  /** A key for staging plans the same id there, and its canary is good. */
  const intruded = [
    trusts('intern', { environments: ['staging'] }),
    by('intern', logged('0.9.0', { slot: place('staging') })),
    by(
      'intern',
      planned('2.0.0', { slot: place('staging'), digest: artifact('b'), attempt: 'intern' }),
    ),
    by('intern', started({ attempt: 'intern' })),
    decides(
      decision('promote', {
        ...{ slot: place('staging'), attempt: 'intern', analysis: analysisOf(deployment, 2) },
      }),
    ),
  ];
  const production = ['--environment-name=production', '--component-name=checkout'];

  test.each([[false], [true]])(
    'is not let through by the canary there (through a gateway: %s)',
    async (isRemote) => {
      const desk = await deskAfter([...intruded, decides(decision('roll-back'))], { isRemote });
      const bare = await desk.plimsoll('gate', deployment, '--json');
      expect([bare.exit, JSON.parse(bare.err[0] ?? '')]).toMatchObject([
        3,
        { code: 'deployment-ambiguous' },
      ]);
      expect((await desk.plimsoll('gate', deployment, ...production)).exit).toBe(10);
      const staging = await desk.plimsoll('gate', deployment, '--environment-name=staging');
      expect(staging.exit).toBe(0);
      const nowhere = await waiting(desk).plimsoll(
        ...['gate', deployment, '--environment-name=test'],
      );
      expect([nowhere.exit, nowhere.err.at(-2)]).toEqual([
        4,
        `plimsoll: ${deployment} was planned for default/production/checkout/, default/staging/checkout/, and not there [deployment-unknown]`,
      ]);
    },
  );
});

/** A plan was kept here while nobody was there; the gate's own naps take no time. */
const deskWithKept = async (
  isRemote: boolean,
  change: (ports: CliPorts) => CliPorts = (same) => same,
): Promise<Desk> => {
  const desk = await deskAfter([], { isRemote });
  const away = desk.elsewhere({
    change: (ports) => ({
      ...ports,
      gateway: isRemote
        ? async () => fail({ code: 'no-connection', message: 'nobody is there' })
        : null,
      log: async () => unreachable('no log'),
      atHand: async () => unreachable('no log'),
    }),
  });
  const plan = ['release', 'plan', 'cart', '--component-name=cart', '--target-version=1'];
  const kept = await away.plimsoll(...plan, '--key=ci.json', '--json');
  expect(jsonOf(kept)).toMatchObject({ delivery: 'spooled' });
  return desk.elsewhere({
    env: { PLIMSOLL_KEY: 'ci.json' },
    change: (ports) => waitingPorts(change(ports), desk),
  });
};

describe.each([false, true])('a plan that waits in the spool (gateway: %s)', (isRemote) => {
  test('is sent by the gate that wants it, which says so and waits on', async () => {
    const desk = await deskWithKept(isRemote);
    const said = await desk.plimsoll('gate', 'cart', '--wait=2s');
    expect([said.exit, said.err[0], said.err[1]]).toEqual([
      13,
      'plimsoll: 1 marker was sent from the spool, as nobody knew the deployment',
      expect.stringContaining('cart 1 in'),
    ]);
    expect((await desk.plimsoll('spool', 'list')).out).toEqual(['nothing waits for this log']);
  });

  test('is waited for where nobody takes it, for a minute, and named in the end', async () => {
    let isThere = false;
    let asked = 0;
    const desk = await deskWithKept(isRemote, (ports) => ({
      ...ports,
      keys: {
        ...ports.keys,
        read: async (path) => {
          asked += 1;
          return isThere
            ? ports.keys.read(path)
            : fail({ code: 'key-file-missing', message: 'no key yet', hint: '' });
        },
      },
    }));
    const said = await desk.plimsoll('gate', 'cart');
    expect([said.exit, asked]).toEqual([4, 61]);
    expect(said.err.join('\n')).toMatch(
      /^plimsoll: the plan may wait in the spool \S+, which cannot be sent now: no key yet\n[^\n]*; 1 marker waits in the spool \S+ \[deployment-unknown\]\n {2}plimsoll flush sends what waits there; /,
    );
    isThere = true;
    expect((await desk.plimsoll('gate', 'cart', '--wait=1s')).exit).toBe(13);
  });

  test('holds up no gate for a deployment that it does not plan', async () => {
    const desk = await deskWithKept(isRemote);
    const said = await desk.plimsoll('gate', run('9'));
    expect([said.exit, said.err[0]]).toEqual([4, expect.stringContaining('1 marker was sent')]);
  });
});

test('a gateway may be behind a plan that the gate has sent late', async () => {
  let keyReads = 0;
  let isBehindFor = 12;
  const desk = await deskWithKept(true, (ports) => ({
    ...ports,
    keys: {
      ...ports.keys,
      read: async (path) =>
        ++keyReads > 10
          ? ports.keys.read(path)
          : fail({ code: 'key-file-missing', message: 'no key yet', hint: '' }),
    },
    gateway: async (request, withinMs) => {
      const isHidden = request.path === '/v1/gate' && isBehindFor-- > 0;
      const body = Buffer.from(JSON.stringify({ deployment: run('9') }));
      return (
        ports.gateway?.(isHidden ? { ...request, body } : request, withinMs) ??
        fail({ code: 'no-connection', message: 'there is none' })
      );
    },
  }));
  const said = await desk.plimsoll('gate', 'cart', '--wait=20s');
  expect([said.exit, said.err.join()]).toEqual([13, expect.stringContaining('cart 1 in')]);
});

describe('a gate does not wait', () => {
  test('for a deployment that nobody planned', async () => {
    const said = await (await deskAfter([])).plimsoll('gate', run('9'), '--json');
    expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
      4,
      { code: 'deployment-unknown' },
    ]);
  });

  test('through a gateway longer for it than its read models may be behind', async () => {
    const desk = await deskAfter([], { isRemote: true });
    const said = await waiting(desk).plimsoll('gate', run('9'), '--json');
    expect([said.exit, desk.house.sleptMs() < 70_000]).toEqual([4, true]);
    // It is no outage: it is told once.
    expect(said.err.map((line) => JSON.parse(line) as object)).toMatchObject([
      { code: 'deployment-unknown' },
    ]);
  });

  test('for an attempt that has ended', async () => {
    const desk = await deskAfter([decides(decision('promote')), by('ci', succeeded())]);
    const said = await desk.plimsoll('gate', deployment);
    expect([said.exit, said.err[0]]).toEqual([
      3,
      'plimsoll: attempt 1 has ended as succeeded: nothing will be decided about it [attempt-ended]',
    ]);
  });

  test('where nobody ever answered, after a minute', async () => {
    const desk = await deskAfter([]);
    let asked = 0;
    const said = await desk
      .elsewhere({
        change: (ports) => ({
          ...waitingPorts(ports, desk),
          atHand: async () => {
            asked += 1;
            return unreachable('the log is away');
          },
        }),
      })
      .plimsoll('gate', deployment);
    expect([said.exit, asked]).toEqual([6, 61]);
  });

  test('goes by the name of a plan from here, as updates do', async () => {
    const desk = await deskAfter([]);
    const plan = ['--component-name=cart', '--environment-name=staging', '--target-version=2.0.0'];
    for (const name of ['cart-2', 'cart-3']) {
      expect((await desk.plimsoll('release', 'plan', name, ...plan)).exit).toBe(0);
    }
    const said = jsonOf(await waiting(desk).plimsoll('gate', 'cart-2', '--wait=1s', '--json'));
    const second = jsonOf(await desk.plimsoll('release', 'plan', 'cart-2', ...plan, '--json'));
    expect(said).toMatchObject({ deployment: second['deployment'], outcome: 'waiting' });
  });

  test('goes by the name of a plan in the run that an option names, wherever that was', async () => {
    const desk = await deskAfter([]);
    const plan = ['--component-name=cart', '--environment-name=staging', '--target-version=2.0.0'];
    const planned17 = await desk.plimsoll(
      'release',
      'plan',
      'web',
      ...plan,
      '--run-id=17',
      '--json',
    );
    const { deployment: id } = jsonOf(planned17);
    const other = desk.elsewhere({ folder: join(scratch, randomUUID()) });
    const here = await waiting(other).plimsoll('gate', 'web', '--wait=1s', '--json');
    expect([here.exit, JSON.parse(here.err[0] ?? '')]).toMatchObject([
      4,
      { hint: expect.stringContaining('--run-id=ID or PLIMSOLL_RUN_ID') as unknown },
    ]);
    const gate = await waiting(other).plimsoll('gate', 'web', '--run-id=17', '--wait=1s', '--json');
    expect(jsonOf(gate)).toMatchObject({ deployment: id });
    const shown = await other.plimsoll('show', 'web', '--run-id=17', '--json');
    expect(jsonOf(shown)).toMatchObject({ deployment: id });
    const shift = ['traffic', 'web', '--canary-share=10%', '--run-id=17', '--json'];
    expect(jsonOf(await other.plimsoll(...shift))).toMatchObject({ deployment: id });
    const explained = await other.plimsoll('explain', 'web', '--run-id=17', '--json');
    expect(explained.err.join()).toContain(String(id));
  });

  test('where the holder was taken away, and names no other version', async () => {
    const desk = await deskAfter([decides(decision('roll-back')), by('ci', undeployed())]);
    const said = await waiting(desk).plimsoll('gate', deployment, '--wait=1s');
    expect(said.err.join('\n')).toContain('nothing holds the slot any more: 1.9.4 was taken away');
  });

  test('and tells of a retry that earlier attempts had decided', async () => {
    const blamed = metricDecided({
      isBlamed: true,
      ...{ canaryCount: 0, canaryEvents: 0, baselineCount: 0, baselineEvents: 0 },
    });
    const first = decision('roll-back');
    const second = decision('roll-back', {
      ...{ analysis: analysisOf(deployment, 2), carriedFrom: analysisOf() },
      ...{ metrics: [blamed], windowEndedAt: openedAtMs + 10_000 },
    });
    const again = { deployment, attempt: 'again' };
    const desk = await deskAfter([
      decides(first),
      by('ci', failed()),
      by('ci', planned('2.0.0', { ...again, digest: artifact('b'), strategy: 'canary' })),
      by('ci', started(again)),
      decides({ ...second, marker: decisionIdOf(second) }),
    ]);
    const said = await desk.plimsoll('gate', deployment);
    expect([said.exit, said.out[1]]).toEqual([
      10,
      expect.stringContaining('the evidence of earlier attempts suffices'),
    ]);
  });

  test.each([
    [['gate', 'checkout'], 'deployment-unknown'],
    [['gate', deployment, '--wait=15'], 'option-invalid'],
    [['gate', deployment, '--wait=25h'], 'option-invalid'],
    [['gate'], 'deployment-unknown'],
  ])('%j: %s', async (args, code) => {
    const said = await (await deskAfter([])).plimsoll(...args, '--json');
    expect(JSON.parse(said.err[0] ?? '')).toMatchObject({ code });
  });
});

describe('last-good', () => {
  const slot = ['--environment-name=production', '--component-name=checkout'];

  test('is one word for scripts, or a line', async () => {
    const desk = await deskAfter([by('ci', logged('2.0.1'))]);
    const said = await desk.plimsoll('last-good', ...slot);
    expect([said.exit, said.out]).toEqual([0, [`1.9.4 sha256:${'a'.repeat(64)}`]]);
    const line = jsonOf(await desk.plimsoll('last-good', ...slot, '--json'));
    expect(faultsOf('last-good', line)).toEqual([]);
    const remote = desk.elsewhere({ isRemote: true });
    expect(jsonOf(await remote.plimsoll('last-good', ...slot, '--json'))).toEqual(line);
  });

  test('is what holds the slot while a canary runs beside it, as its roll-back says', async () => {
    const desk = await deskAfter([decides(decision('roll-back'))]);
    const gate = jsonOf(await desk.plimsoll('gate', run('7'), '--json'));
    const line = jsonOf(await desk.plimsoll('last-good', ...slot, '--json'));
    expect(faultsOf('last-good', line)).toEqual([]);
    expect(line).toMatchObject({ version: '1.9.4', running: { version: '2.0.0' }, before: null });
    expect(gate['act']).toMatchObject({ toVersion: line['version'], toDigest: line['digest'] });
  });

  test('of a place that is spelt otherwise says which one is perhaps meant', async () => {
    const desk = await deskAfter([]);
    for (const asked of [
      ['--environment-name=production', '--component-name=chekout'],
      ['--component-name=checkout'],
    ]) {
      const said = await desk.plimsoll('last-good', ...asked, '--json');
      expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
        4,
        {
          code: 'not-found',
          message: expect.stringContaining('nothing was ever deployed to'),
          hint: expect.stringContaining('is it perhaps production/checkout?'),
        },
      ]);
    }
  });

  test('of a place that has targets alone names them', async () => {
    const eu = place('production', 'search', 'eu');
    const desk = await deskAfter([by('ci', logged('1.0.0', { slot: eu }))]);
    const asked = ['--environment-name=production', '--component-name=search'];
    const said = await desk.plimsoll('last-good', ...asked, '--json');
    expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
      4,
      {
        message: expect.stringContaining('production/search, but to its targets eu'),
        hint: 'say which: --target=eu',
      },
    ]);
  });

  test('is not found where there is none', async () => {
    for (const isRemote of [false, true]) {
      const said = await (
        await deskAfter([by('ci', failed())], { isRemote })
      ).plimsoll('last-good', '--environment-name=staging', '--component-name=checkout');
      expect(said.exit).toBe(4);
    }
  });
});
