import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSampleArchive } from '../../../services/adapters/archive/samples.ts';
import { createMemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import { backtestOpening } from '../../../services/core/canary/backtest/opening.ts';
import { analysisIdOf } from '../../../services/core/canary/attempts/canary-attempts.ts';
import {
  refusalMarker,
  renewalMarker,
} from '../../../services/core/canary/decision/decision-marker.ts';
import { beforeText } from '../../../services/core/canary/rollouts/before.ts';
import { emptyPartition, foldSample } from '../../../services/core/canary/analysis/fold-samples.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import type { Decided } from '../../../services/core/markers/marker.ts';
import { signMarker } from '../../../services/core/markers/wire.ts';
import { compactPoints } from '../../../services/core/samples/compact.ts';
import { partitionOfKey, sampleKey } from '../../../services/core/samples/key.ts';
import type { Sample } from '../../../services/core/samples/sample.ts';
import { signSample } from '../../../services/core/samples/wire.ts';
import { openTelemetryReader } from '../../../services/adapters/otlp/metrics-request.ts';
import { selectionOf } from '../../../services/core/canary/policy/selection.ts';
import { openExplaining } from '../../../services/cli/main/explaining.ts';
import { onBehalfSource } from '../../../services/core/trust/on-behalf.ts';
import { ok } from '../../../services/core/result.ts';
import { judging, setup, shortPolicy } from '../../support/canary/backtests.ts';
import { captureSinceMs, twoServers } from '../../support/canary/capture-lines.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { by, keyOf, tools, trusts } from '../../support/given.ts';
import type { Step } from '../../support/given.ts';
import {
  audience,
  id,
  logged,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../../support/markers.ts';
import { value } from '../../support/records.ts';

const slot = place('production', 'checkout');
const eu = place('production', 'checkout', 'eu');
const deployment = run('7');
const analyser = 'analyser';

let folder: string;
let desk: Desk;
let decisions: readonly Decided[];
let samples: readonly LogRecord[];

const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
const analysis = analysisIdOf(digest, deployment, 1);
const partition = partitionOfKey(sampleKey(slot), 12);

/** A canary on the log, and its samples, signed by an analyser. */
const openCanary = async (
  said: readonly Sample[],
  name: string,
  ...later: readonly Step[]
): Promise<Desk> => {
  const opened = await openDesk({
    folder: join(folder, name),
    steps: [
      trusts(analyser, { roles: ['analyser'] }),
      by('ci', logged('1.9.4', { slot })),
      by('ci', planned('2.0.0', { slot, strategy: 'canary' })),
      by('ci', started()),
      ...later,
    ],
  });
  await append(opened, said);
  return opened;
};

const append = async (to: Desk, said: readonly Sample[]): Promise<void> => {
  for (const sample of said)
    value(
      await to.house.samples.append(partition, [
        await signSample(tools.codec, tools.text, sample, keyOf(analyser)),
      ]),
    );
};

/** And what these lead to. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-explain-'));
  const said = samplesOf(twoServers(90, { canary: 20, baseline: 1 }));
  desk = await openCanary(said, 'desk');
  samples = value(await desk.house.samples.read(partition, 0, 1_000));
  decisions = decisionsOf(said);
});
afterEach(() => rmSync(folder, { recursive: true }));

const samplesOf = (lines: readonly string[]): readonly Sample[] => {
  const opening = backtestOpening(digest, { ...setup, audience, deployment }, judging);
  const read = openTelemetryReader();
  const received = lines.flatMap((line) =>
    value(read(Buffer.from(line), 'application/json', selectionOf([shortPolicy]))).points.map(
      (point) => ({ point, receivedAt: point.timeMs }),
    ),
  );
  const records = received
    .toSorted((one, other) => one.receivedAt - other.receivedAt)
    .flatMap((one) => compactPoints(audience, [one]).records);
  const first: Sample = { ...opening, analysis, canary: { ...opening.canary, deployment } };
  return [
    first,
    ...records,
    {
      kind: 'tick',
      audience,
      environment: 'production',
      component: 'checkout',
      at: captureSinceMs + 120_000,
    },
  ];
};

const decisionsOf = (said: readonly Sample[]): readonly Decided[] => {
  const found: Decided[] = [];
  said.reduce((state, sample, position) => {
    const folded = foldSample({ digest, partition }, state, sample, position);
    found.push(...folded.decisions);
    return folded.state;
  }, emptyPartition);
  return found;
};

const decide = async (decision = decisions[0]): Promise<void> => {
  if (decision === undefined) throw new Error('nothing was decided');
  const record = await signMarker(tools.codec, tools.text, decision, keyOf(analyser));
  value(await desk.house.log.append(0, [record]));
};

const explain = (...more: readonly string[]): Promise<Said> =>
  desk.plimsoll('explain', deployment, ...more);

describe('plimsoll explain', () => {
  test('says why, with a table of all metrics and a plot', async () => {
    await decide();
    const { exit, out } = await explain();
    expect(exit).toBe(0);
    const text = out.join('\n');
    expect(text).toMatch(
      /^roll-back of checkout 2\.0\.0 against 1\.9\.4 in production, attempt 1: position \d+/,
    );
    expect(text).toMatch(/worse than tolerated in errors: evidence 1:\d+ of 1:200 needed/);
    expect(text).toMatch(
      /errors +\d[\d,/]+ 20\.00 % +\d[\d,/]+ 1\.00 % +20x +[\d.]+x to [\d.]+x +to 1\.15 % .*fallback.* yes/,
    );
    expect(text).toContain('errors: canary / baseline (ratio)');
    expect(text).toMatch(/rolled-back at \d+ s/);
  });

  test('tells where a canary stands before anything is decided', async () => {
    const { exit, out } = await explain('--json');
    expect(exit).toBe(0);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({
      ...slot,
      decision: null,
      position: null,
      stage: 'rolled-back',
    });
  });

  test('of no deployment that is named is about the newest canary, and names those before it', async () => {
    await decide();
    const alone = await desk.plimsoll('explain', '--json');
    expect(alone.err).toEqual([]);
    expect(JSON.parse(alone.out[0] ?? '')).toMatchObject({ deployment, decision: 'roll-back' });
    const [older, whole] = [run('6'), run('5')];
    const several = await openDesk({
      folder,
      steps: [
        by('ci', logged('1.9.4', { slot })),
        by('ci', planned('1.9.9', { slot, strategy: 'canary', deployment: older })),
        by('ci', planned('2.0.0', { slot, strategy: 'canary' })),
        by('ci', planned('2.0.0', { slot, deployment: whole })),
      ],
    });
    const said = await several.plimsoll('explain');
    expect(said.err.join()).toContain(`this is the newest of 2 canaries; before it: ${older}`);
    expect(said.err.join()).toContain(`no window of attempt 1 of ${deployment} (checkout 2.0.0`);
    const nobody = await openDesk({ folder, steps: [by('ci', logged('1.9.4', { slot }))] });
    expect(await nobody.plimsoll('explain')).toMatchObject({ exit: 4 });
  });

  test('says of a hold that lapsed that the canary is judged on, and of no other decision', async () => {
    const { validForMs } = decisions[0] as Decided;
    await decide({ ...(decisions[0] as Decided), kind: 'hold', stage: 'hold' });
    expect((await explain()).err).toEqual([]);
    await desk.house.ports.clock.sleep(validForMs);
    const { exit, err } = await explain();
    expect([exit, err.join()]).toEqual([
      0,
      expect.stringMatching(
        /this is the newest decision, and it lapsed .* ago; the canary is judged on/,
      ),
    ]);
    expect((await explain('--json', '--recheck')).err.join()).not.toContain('lapsed');
  });

  test('has a line for programs, with a score after each window where that is asked for', async () => {
    await decide();
    const { out } = await explain('--json', '--score');
    const line = JSON.parse(out[0] ?? '') as { readonly [field: string]: unknown };
    expect(faultsOf('explain', line)).toEqual([]);
    expect(line).toMatchObject({
      decision: 'roll-back',
      baseline: ['1.9.4'],
      verdict: 'fail',
      metrics: [{ id: 'errors', isBlamed: true, canary: { events: decisions[0]?.canary.errors } }],
      recheck: null,
    });
    const scores = line['score'] as readonly { readonly score: number }[];
    expect([scores[0]?.score, scores.at(-1)?.score]).toEqual([50, 0]);
    expect((await explain('--score')).out.join('\n')).toContain('score 0 of 100');
  });

  test('takes a decision by its position, and a deployment by the name of its plan', async () => {
    await decide();
    const { position } = jsonOf(await explain('--json'));
    const byPosition = await desk.plimsoll('explain', `--decision=${String(position)}`, '--json');
    expect(jsonOf(byPosition)).toMatchObject({ deployment, position });

    const plan = ['--component-name=cart', '--environment-name=staging', '--target-version=2.0.0'];
    const cart = await desk.plimsoll(
      'release',
      'plan',
      'cart-2',
      ...plan,
      '--canary-share=0.1',
      '--json',
    );
    const said = await desk.plimsoll('explain', 'cart-2', '--json');
    expect([said.exit, JSON.parse(said.err.at(-1) ?? '')]).toMatchObject([
      4,
      {
        code: 'nothing-judged',
        message: expect.stringContaining(String(jsonOf(cart)['deployment'])),
      },
    ]);
  });

  test('of a deployment that was planned for two places it asks which one is meant', async () => {
    const staging = place('staging', 'checkout');
    const twice = await openDesk({
      folder: join(folder, 'twice'),
      steps: [
        by('ci', planned('2.0.0', { slot, strategy: 'canary' })),
        by('ci', planned('2.0.0', { slot: staging, strategy: 'canary', attempt: 'again' })),
      ],
    });
    const said = await twice.plimsoll('explain', deployment, '--json');
    expect([said.exit, JSON.parse(said.err.at(-1) ?? '')]).toMatchObject([
      3,
      {
        code: 'deployment-ambiguous',
        message: expect.stringContaining('default/staging/checkout/'),
      },
    ]);
    const first = await twice.plimsoll('explain', deployment, '--attempt=1', '--json');
    expect(JSON.parse(first.err.at(-1) ?? '')).toMatchObject({ code: 'nothing-judged' });
  });

  test.each([
    [
      'no baseline',
      [by('ci', planned('2.0.0', { slot: eu, strategy: 'canary' })), by('ci', started())],
      /nothing held its slot before it, so there is nothing to compare it with/,
    ],
    [
      'no start',
      [
        by('ci', logged('1.9.4', { slot: eu })),
        by('ci', planned('2.0.0', { slot: eu, strategy: 'canary' })),
      ],
      /nobody has said that it runs: plimsoll release update --status=RUNNING/,
    ],
    [
      'a baseline by a token alone',
      [
        trusts('gateway', { roles: ['gateway'] }),
        by('gateway', { ...logged('1.9.4', { slot: eu }), source: onBehalfSource('shop') }),
        by('ci', planned('2.0.0', { slot: eu, strategy: 'canary' })),
        by('ci', started()),
      ],
      /what holds its slot was said with a token/,
    ],
    [
      'no samples',
      [
        by('ci', logged('1.9.4', { slot: eu })),
        by('ci', planned('2.0.0', { slot: eu, strategy: 'canary' })),
        by('ci', started()),
      ],
      /is an analyser running, and does telemetry arrive\?/,
    ],
  ])('says why nothing was judged: %s', async (why, steps, hint) => {
    const idle = await openDesk({ folder: join(folder, why), steps });
    const { exit, err } = await idle.plimsoll('explain', deployment);
    expect(exit).toBe(4);
    expect(err[0]).toContain('(checkout 2.0.0 in production (eu)) has been judged');
    expect(err[1]).toMatch(hint);
  });

  test('tells where a rollout stands that is held against what ran before', async () => {
    const [first, ...rest] = samplesOf(twoServers(90, { canary: 20, baseline: 1 }));
    if (first?.kind !== 'analysis-opened') throw new Error('it begins with its opening');
    const before = beforeText({ windows: [], season: null });
    const opening = { ...first, comparison: 'before-after', before } as const;
    const steps = [
      trusts(analyser, { roles: ['analyser'] }),
      by('ci', logged('1.9.4', { slot })),
      by('ci', planned('2.0.0', { slot, strategy: 'rolling' })),
      by('ci', started()),
    ];
    const whole = await openDesk({ folder: join(folder, 'whole'), steps });
    expect(await whole.plimsoll('explain', deployment)).toMatchObject({
      exit: 4,
      err: [
        expect.stringContaining('is no canary, and nothing of it was judged'),
        expect.stringContaining('rollouts: { before-after: true }'),
      ],
    });
    const last = rest.at(-1);
    if (last?.kind !== 'tick') throw new Error('it ends with a tick');
    await append(whole, [opening, ...rest, { ...last, at: captureSinceMs + 300_000 }]);
    const { exit, out } = await whole.plimsoll('explain', deployment);
    expect([exit, out.slice(0, 2)]).toEqual([
      0,
      [
        expect.stringMatching(/^checkout 2\.0\.0 against 1\.9\.4 .*; nothing decided yet$/),
        expect.stringContaining('missing: '),
      ],
    ]);
    expect(out.join('\n')).toContain('before and after, not side by side: weaker than a canary');
  });

  test('says of a rollout that has ended that nothing more will be decided', async () => {
    const said = samplesOf(twoServers(90, { canary: 20, baseline: 1 }));
    const over = await openCanary(said, 'over', by('ci', succeeded()));
    const { out } = await over.plimsoll('explain', deployment);
    expect(out[0]).toContain('it ended as succeeded before anything was decided');
  });

  test('says of one that was opened just now that no window is closed yet', async () => {
    const [first] = samplesOf([]);
    const young = await openCanary(first === undefined ? [] : [first], 'opened');
    const said = await young.plimsoll('explain', deployment, '--json');
    expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
      4,
      {
        code: 'nothing-judged',
        message: expect.stringMatching(/has been judged yet; its analysis was opened \d+ \w+ ago$/),
        hint: expect.stringContaining('ask again in a minute'),
      },
    ]);
  });

  test('a plan that is spelt otherwise is perhaps another one', async () => {
    const where = ['--component-name=cart', '--environment-name=staging'];
    await desk.plimsoll('release', 'plan', 'cart-2', ...where, '--target-version=2.0.0');
    const said = await desk.plimsoll('explain', 'crat-2', '--json');
    expect(JSON.parse(said.err[0] ?? '')).toMatchObject({
      code: 'deployment-unknown',
      hint: expect.stringContaining('did you mean cart-2?'),
    });
  });

  test('draws nothing before anything was compared', async () => {
    const warming = twoServers(20, { canary: 1, baseline: 1 });
    const young = await openCanary(samplesOf(warming).slice(0, -1), 'young');
    const { exit, out } = await young.plimsoll('explain', deployment, '--ascii');
    expect([exit, out[0]]).toEqual([0, expect.stringContaining(': warming')]);
    expect(out.filter((line) => line.includes('canary / baseline') || line.includes('|'))).toEqual(
      [],
    );
  });

  test('draws with plain characters where it is asked to, or the locale has no others', async () => {
    await decide();
    const plain = await explain('--ascii');
    expect(plain.out.join('')).toMatch(/^[\u0020-\u007e]*$/);
    expect((await explain()).out).toEqual(plain.out);
    desk = desk.elsewhere({ env: { LANG: 'de_DE.UTF-8' } });
    expect((await explain()).out.join('')).toMatch(/[\u2801-\u28ff]/);
  });

  test('writes the plot into a file', async () => {
    await decide();
    const svg = join(folder, 'plot.svg');
    expect((await explain(`--svg=${svg}`)).exit).toBe(0);
    expect(readFileSync(svg, 'utf8')).toContain('checkout 2.0.0 in production: roll-back');
  });

  test.each([
    [['explain', 'x'], 'deployment-unknown', 4],
    [['explain', '--decision=1'], 'not-found', 4],
    [['explain', id('nobody')], 'deployment-unknown', 4],
    [['explain', deployment, '--attempt=2'], 'not-found', 4],
    [['explain', deployment, '--metric=speed'], 'option-invalid', 2],
    [['explain', deployment, '--recheck'], 'nothing-judged', 4],
  ])('%j is refused', async (args, code, exit) => {
    const said = await desk.plimsoll(...args, '--json');
    expect(said.exit).toBe(exit);
    expect((JSON.parse(said.err.at(-1) ?? '') as { readonly code: string }).code).toBe(code);
  });
});

describe('--recheck', () => {
  test('finds the decision that its samples lead to, byte for byte', async () => {
    await decide();
    const { exit, out } = await explain('--recheck');
    expect(exit).toBe(0);
    expect(out.join('\n')).toContain(
      'recheck: computed again from samples, the decision has the same bytes',
    );
  });

  test('finds a decision that was said again minutes later, which names the samples of the first', async () => {
    const [decision] = decisions;
    if (decision === undefined) throw new Error('nothing was decided');
    await decide(decision);
    await decide(renewalMarker({ digest, partition }, decision, decision.windowIndex + 47));
    const { exit, out } = await explain('--recheck');
    expect([exit, out.join('\n')]).toEqual([
      0,
      expect.stringMatching(/the decision has the same bytes\n  it says again what these lead to/),
    ]);
  });

  test('finds a decision that says otherwise than its samples, and where: exit 3', async () => {
    const [decision] = decisions;
    if (decision === undefined) throw new Error('nothing was decided');
    await decide({ ...decision, canary: { requests: 5_000, errors: 4_000 } });
    const { exit, out, err } = await explain('--recheck', '--json');
    expect(exit).toBe(3);
    expect(err.join()).toContain('recheck-differs');
    expect(err.join()).toContain('somebody has forged it');
    const line = JSON.parse(out[0] ?? '') as { readonly recheck: unknown };
    expect(faultsOf('explain', line)).toEqual([]);
    expect(line.recheck).toMatchObject({
      outcome: 'differs',
      differences: [{ field: 'canary', recorded: { errors: 4_000 } }],
    });
  });

  test('finds a decision that these samples do not lead to: exit 3', async () => {
    const [decision] = decisions;
    if (decision === undefined) throw new Error('nothing was decided');
    await decide({ ...decision, marker: id('forged', 8) as Decided['marker'] });
    expect((await explain('--recheck')).exit).toBe(3);
  });

  test('says of a decision of another judge who can check it: exit 3', async () => {
    const [decision] = decisions;
    if (decision === undefined) throw new Error('nothing was decided');
    await decide({ ...decision, judge: '2' });
    const { exit, err } = await explain('--recheck');
    expect(exit).toBe(3);
    expect(err.join()).toMatch(/judge 2 decided it.*check it with a release of that judge/);
  });

  test('says of a hold for want of room what one analysis cannot tell: exit 4', async () => {
    const [first] = samplesOf([]);
    if (first?.kind !== 'analysis-opened') throw new Error('nothing was opened');
    await decide(refusalMarker({ digest, partition }, first, 0, 'partition-full'));
    const { exit, out, err } = await explain('--recheck', '--json');
    expect([exit, err.join()]).toEqual([4, expect.stringContaining('recheck-alone')]);
    const line = JSON.parse(out[0] ?? '') as { readonly recheck: unknown };
    expect(faultsOf('explain', line)).toEqual([]);
    expect(line.recheck).toEqual({ outcome: 'not-alone', differences: [] });
  });

  test('finds samples that somebody without a key has put there: they are not used', async () => {
    await decide();
    const forged = samplesOf(twoServers(90, { canary: 0, baseline: 90 }));
    const [, ...points] = forged;
    for (const sample of points.slice(0, 3))
      value(
        await desk.house.samples.append(partition, [
          await signSample(tools.codec, tools.text, sample, keyOf('mallory')),
        ]),
      );
    expect((await explain('--recheck')).exit).toBe(0);
  });

  test('reads what was kept where samples no longer hold it, and ends with 4 where nothing was', async () => {
    await decide();
    const gone = createMemoryRecordLog({ name: 'samples', partitions: 12, nowMs: () => 0 });
    const archive = openSampleArchive(join(folder, 'kept'), 'samples');
    const { log, store, ports } = desk.house;
    const without = desk.elsewhere({
      change: (all) => ({
        ...all,
        explaining: async () =>
          ok(
            openExplaining({
              audience,
              log,
              store,
              samples: gone,
              archive,
              tools,
              clock: ports.clock,
            }),
          ),
      }),
    });
    const lost = await without.plimsoll('explain', deployment, '--recheck', '--json');
    expect(lost.exit).toBe(4);
    expect(lost.err.join()).toContain('samples-gone');

    const { samplesFrom: from = 0, samplesTo: to = 0 } = decisions[0] ?? {};
    const records = samples.filter(({ position }) => position <= to);
    value(
      await archive.keep(
        { analysis, partition, from, to },
        (async function* () {
          yield records;
        })(),
      ),
    );
    const kept = await without.plimsoll('explain', deployment, '--recheck');
    expect(kept.exit).toBe(0);
    expect(kept.out.join('\n')).toContain('computed again from the kept evidence');
  });
});
