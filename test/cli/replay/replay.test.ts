import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noteKey, readNote, writeNote } from '../../../services/core/generation-note.ts';
import { ok } from '../../../services/core/result.ts';
import type { Step } from '../../support/given.ts';
import { by, signed, trusts } from '../../support/given.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { jsonOf, openDesk, unreachable } from '../../support/desk.ts';
import { decided, logged, place, planned, run, started, succeeded } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { plant } from '../../support/verifier.ts';

const scratch = scratchFolder();
const ops = '--key=keys/ops.json';
const why = '--reason=because';

const history: readonly Step[] = [
  trusts('ops', { roles: ['operator'] }),
  by('ci', logged('1.0.0')),
  by('ci', planned('2.0.0', { deployment: run('two') })),
  by('ci', started({ deployment: run('two') })),
  by('ci', succeeded({ deployment: run('two') })),
  by('ci', logged('5.0.0', { slot: place('staging', 'cart') })),
];

const aDesk = (): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), steps: history });

const linesOf = ({ out }: Said): readonly { readonly [field: string]: unknown }[] =>
  out.map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
const good = (name: string, said: Said): Said => {
  expect(said.exit).toBe(0);
  for (const line of linesOf(said)) expect([line, faultsOf(name, line)]).toEqual([line, []]);
  return said;
};
const kindsOf = async (desk: Desk): Promise<readonly unknown[]> =>
  linesOf(await desk.plimsoll('operations', '--json')).map(({ kind }) => kind);

describe('a generation from its plan to its end', () => {
  test('is planned, made, compared, used, given back and dropped; the log tells each step', async () => {
    const desk = await aDesk();
    const before = (await desk.plimsoll('timeline', '--json')).out;
    const size = (await desk.house.records()).length;

    const plan = jsonOf(good('replay-plan', await desk.plimsoll('replay', 'plan', '--json')));
    expect(plan).toMatchObject({
      ...{ to: size, records: size, filter: '', sample: 0.01, seed: 1 },
      effect: { against: 'g1', models: [], examples: [] },
    });

    const ran = good('replay-run', await desk.plimsoll('replay', 'run', why, ops, '--json'));
    expect(jsonOf(ran)).toMatchObject({ generation: 'g2', state: 'complete', operation: size + 1 });

    const [summary, ...rows] = linesOf(await desk.plimsoll('replay', 'diff', 'g2', 'g1', '--json'));
    expect(faultsOf('replay-diff', summary)).toEqual([]);
    expect([summary?.['differences'], rows]).toEqual([0, []]);

    const switched = await desk.plimsoll('replay', 'switch', 'g2', why, ops, '--json');
    expect(jsonOf(good('replay-switched', switched))).toMatchObject({
      ...{ from: 'g1', to: 'g2', lag: 0, operation: size + 2 },
    });
    expect((await desk.plimsoll('timeline', '--json')).out).toEqual(before);
    const again = await desk.plimsoll('replay', 'switch', 'g2', why, ops, '--json');
    expect(jsonOf(good('replay-switched', again))).toMatchObject({ operation: null });

    const status = good('replay-status', await desk.plimsoll('replay', 'status', '--json'));
    expect(linesOf(status)).toMatchObject([
      { generation: 'g1', isCurrent: false, isPrevious: true, state: 'complete' },
      { generation: 'g2', isCurrent: true, isPrevious: false, madeBy: 'ops', why: 'because' },
    ]);

    const back = await desk.plimsoll('replay', 'back', why, ops, '--json');
    expect(jsonOf(good('replay-switched', back))).toMatchObject({ from: 'g2', to: 'g1' });
    expect((await desk.plimsoll('timeline', '--json')).out).toEqual(before);

    const kept = await desk.plimsoll('replay', 'drop', 'g2', why, ops);
    expect([kept.exit, kept.err[0]]).toEqual([3, expect.stringContaining('[generation-in-use]')]);
    const gone = await desk.plimsoll('replay', 'drop', 'g2', why, ops, '--force', '--json');
    expect(jsonOf(good('replay-dropped', gone))).toMatchObject({ generation: 'g2' });

    expect(await kindsOf(desk)).toEqual([
      'generation-begun',
      'generation-built',
      'generation-switched',
      'generation-switched',
      'generation-dropped',
    ]);
  });

  test('is not touched by an operator for some places only', async () => {
    const desk = await openDesk({
      folder: join(scratch, randomUUID()),
      steps: [...history, trusts('some', { roles: ['operator'], environments: ['staging'] })],
    });
    jsonOf(good('replay-run', await desk.plimsoll('replay', 'run', why, ops, '--json')));
    const before = (await desk.plimsoll('replay', 'status', '--json')).out;
    for (const command of [['run'], ['switch', 'g2'], ['drop', 'g2'], ['back']]) {
      const refused = await desk.plimsoll('replay', ...command, why, '--key=keys/some.json');
      expect([command, refused.exit, refused.err]).toEqual([
        command,
        5,
        [expect.stringContaining('[out-of-scope]'), expect.any(String)],
      ]);
    }
    expect((await desk.plimsoll('replay', 'status', '--json')).out).toEqual(before);
  });

  test('is told for people with what to do next', async () => {
    const desk = await aDesk();
    expect((await desk.plimsoll('replay', 'plan')).out).toEqual([
      expect.stringMatching(/^9 of 9 records, [0-9.]+ KB, of log /),
      expect.stringMatching(/^appended from 2026-11-21 10:00:00Z to /),
      'kinds: key-added 3, logged 2, log-opened 1, planned 1, started 1, succeeded 1',
      'components: checkout 4, cart 1',
      'environments: production 4, staging 1',
      'signers: ci 5, admin 4',
      'outcomes: applied 5, trust 4',
      'signature checks remembered: 8 of 9',
      'expected duration: a moment',
      'no row would change against g1 (position 9)',
    ]);
    const ran = await desk.plimsoll('replay', 'run', why, ops);
    expect(ran.err).toEqual(['plimsoll: folding into generation g2; readers go on as before']);
    const size = (await desk.house.records()).length;
    expect(ran.out[0]).toMatch(new RegExp(`^folded ${size - 1} records into generation g2 in `));
    expect(ran.out.slice(-2)).toEqual([
      'compare it: plimsoll replay diff g2',
      'use it: plimsoll replay switch g2 --reason=TEXT',
    ]);
    expect((await desk.plimsoll('replay', 'diff', 'g2')).out.at(-1)).toBe('the same rows');
    expect((await desk.plimsoll('replay', 'switch', 'g2', why, ops)).out.at(-1)).toBe(
      'generation g1 is kept: plimsoll replay back --reason=TEXT',
    );
    const [heading, ...rows] = (await desk.plimsoll('replay', 'status')).out;
    expect(heading).toMatch(/^GENERATION +USED +STATE +ROWS +NEXT +LAG .* DIGEST$/);
    expect(rows).toEqual([
      expect.stringMatching(/^g1 +before +complete /),
      expect.stringMatching(/^g2 +now +complete /),
    ]);
  });

  test('rebuild makes and uses one in one go, and keeps the one before', async () => {
    const desk = await aDesk();
    const before = (await desk.plimsoll('current', '--json')).out;
    expect((await desk.plimsoll('rebuild', why, ops)).out).toEqual([
      expect.stringMatching(
        /^rebuilt from [0-9]+ records of log .*; readers use generation g2 now$/,
      ),
      'generation g1 is kept: plimsoll replay back --reason=TEXT',
    ]);
    expect((await desk.plimsoll('current', '--json')).out).toEqual(before);
    expect(await kindsOf(desk)).toEqual([
      'generation-begun',
      'generation-built',
      'generation-switched',
    ]);
    for (let count = 0; count < 3; count += 1) await desk.plimsoll('rebuild', why, ops);
    expect((await desk.plimsoll('rebuild', why, ops)).out.at(-1)).toBe('dropped, beyond a few: g2');
    expect(
      jsonOf(good('rebuild', await desk.plimsoll('rebuild', why, ops, '--json'))),
    ).toMatchObject({
      ...{ generation: 'g7', before: 'g6', dropped: ['g3'] },
    });
    const told = linesOf(await desk.plimsoll('operations', '--json'));
    expect(told.filter(({ kind }) => kind === 'generation-dropped')).toMatchObject([
      { generation: 'g1', signer: 'ops', reason: 'because', from: 0 },
      { generation: 'g2', signer: 'ops', reason: 'because', from: 0 },
      { generation: 'g3', signer: 'ops', reason: 'because', from: 0 },
    ]);
  });

  test('switched while the log cannot be told, it is told when somebody says it again', async () => {
    const desk = await aDesk();
    await desk.plimsoll('replay', 'run', why, ops);
    const cutOff = desk.elsewhere({
      change: (ports) => ({ ...ports, log: async () => unreachable('the line is cut') }),
    });
    const untold = await cutOff.plimsoll('replay', 'switch', 'g2', why, ops, '--json');
    expect([untold.exit, JSON.parse(untold.err.at(-1) ?? '')]).toMatchObject([
      6,
      {
        message: expect.stringContaining('it was done, and could not be told') as unknown,
        hint: 'plimsoll replay switch g2 --reason=TEXT tells it',
      },
    ]);
    expect(await kindsOf(desk)).toEqual(['generation-begun', 'generation-built']);
    const again = async (): Promise<unknown> =>
      jsonOf(
        good('replay-switched', await desk.plimsoll('replay', 'switch', 'g2', why, ops, '--json')),
      );
    const told = { from: 'g1', to: 'g2', operation: expect.any(Number) as unknown };
    expect(await again()).toMatchObject(told);
    expect(await again()).toMatchObject({ from: 'g2', to: 'g2', operation: null });
    expect(await kindsOf(desk)).toEqual([
      'generation-begun',
      'generation-built',
      'generation-switched',
    ]);
  });
});

test('rows that were written past the projector are told as that, whatever the digests say', async () => {
  const desk = await aDesk();
  await desk.plimsoll('replay', 'run', why, ops);
  await plant(desk.house.store, [{ model: 'timeline', key: '000000000005', value: null }]);
  const { out } = await desk.plimsoll('replay', 'diff', 'g2', 'g1');
  expect(out.slice(2)).toEqual([
    'the digests rolled along are the same, although rows differ: somebody wrote to the store past the projector',
    'from g2 to g1:',
    '  timeline: 0 added, 1 removed, 0 changed',
    expect.stringMatching(/^MODEL +KEY +FIRST +SECOND +NEWEST RECORDS +WHY$/),
    expect.stringMatching(/^timeline .*UNEXPLAINED/),
  ]);
});

describe('a part of the log', () => {
  test('is folded by what was asked for, and used only by force', async () => {
    const desk = await aDesk();
    const part = ['--component=cart', '--environment=staging', '--kind=logged', '--from=2'];
    const plan = jsonOf(
      good('replay-plan', await desk.plimsoll('replay', 'plan', ...part, '--json')),
    );
    expect(plan['filter']).toBe('from 2, environment staging, component cart, kind logged');
    expect(plan['effect']).toMatchObject({
      models: expect.arrayContaining([
        { model: 'timeline', added: 0, removed: 2, changed: 0 },
      ]) as unknown,
    });
    const ran = await desk.plimsoll('replay', 'run', ...part, why, ops);
    expect(ran.out.slice(0, 4)).toEqual([
      expect.stringMatching(/^folded 10 records into generation g2 in /),
      expect.stringMatching(/^it stands at position 10, /),
      '6 of these records passed the filter, 4 were left out',
      'only from 2, environment staging, component cart, kind logged: switching to it needs --force',
    ]);
    expect(linesOf(await desk.plimsoll('operations', '--json'))).toMatchObject([
      { kind: 'generation-begun', note: expect.stringMatching(/^only from 2, /) as unknown },
      { counts: [{ name: 'records', value: 10 }, { name: 'left-out', value: 4 }, {}] },
    ]);
    const diff = await desk.plimsoll('replay', 'diff', 'g2', '--json');
    const [summary, ...rows] = linesOf(diff);
    expect(summary?.['differences']).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(3);
    for (const row of rows) expect([row, faultsOf('replay-difference', row)]).toEqual([row, []]);
    const page = await desk.plimsoll('replay', 'diff', 'g2', '--json', '--limit=1', '--after=2');
    expect(linesOf(page).slice(1)).toEqual([rows[2]]);
    const refused = await desk.plimsoll('replay', 'switch', 'g2', why, ops);
    expect([refused.exit, refused.err[0]]).toEqual([
      3,
      expect.stringContaining('[generation-filtered]'),
    ]);
    expect((await desk.plimsoll('replay', 'switch', 'g2', why, ops, '--force')).exit).toBe(0);
    expect(linesOf(await desk.plimsoll('current', '--json'))).toMatchObject([
      { component: 'cart' },
    ]);
  });

  test('may be named by times', async () => {
    const desk = await aDesk();
    const times = ['--from-time=2026-11-21T09:00:00Z', '--to-time=2026-11-22T09:00:00Z'];
    const plan = await desk.plimsoll('replay', 'plan', '--json', ...times);
    expect(jsonOf(plan)).toMatchObject({ filter: '', to: 9 });
    const later = '--from-time=2026-11-21T10:00:01Z';
    const none = await desk.plimsoll('replay', 'plan', '--json', later);
    expect(jsonOf(none)).toMatchObject({ filter: 'from 9', components: [] });
  });

  test.each([
    [['--from=3', '--from-time=2026-11-21T10:00:02Z'], 'option-invalid'],
    [['--from=5', '--to=5'], 'option-invalid'],
    [['--to=0'], 'option-invalid'],
    [['--to=99'], 'option-invalid'],
    [['--kind=whatever'], 'kind-unknown'],
    [['--header=nothing'], 'option-invalid'],
    [['--sample=2'], 'option-invalid'],
    [['--seed=-1'], 'option-invalid'],
  ])('%j is refused before anything is folded', async (args, code) => {
    const desk = await aDesk();
    const said = await desk.plimsoll('replay', 'plan', ...args, '--json');
    expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([2, { code }]);
  });
});

describe('a run that stops before its end', () => {
  test('by Ctrl-C is paused, says how to go on, and goes on as it was begun', async () => {
    const desk = await aDesk();
    const stopping = new AbortController();
    stopping.abort();
    const stopped = desk.elsewhere({ change: (ports) => ({ ...ports, stop: stopping.signal }) });
    const said = await stopped.plimsoll('replay', 'run', '--component=cart', why, ops, '--json');
    expect(said.exit).toBe(3);
    expect(linesOf(said)).toMatchObject([{ state: 'paused', next: 1, operation: 10 }]);
    expect(JSON.parse(said.err.at(-1) ?? '')).toMatchObject({
      code: 'paused',
      hint: expect.stringContaining('--resume=g2') as unknown,
    });
    const otherwise = await desk.plimsoll(
      'replay',
      'run',
      '--resume=g2',
      '--kind=planned',
      why,
      ops,
    );
    expect([otherwise.exit, otherwise.err[0]]).toEqual([
      2,
      expect.stringContaining('--kind does not go with --resume'),
    ]);
    const resumed = await desk.plimsoll('replay', 'run', '--resume=g2', why, ops, '--json');
    expect(jsonOf(good('replay-run', resumed))).toMatchObject({
      ...{ generation: 'g2', state: 'complete', filter: 'component cart' },
    });
    expect(linesOf(await desk.plimsoll('operations', '--json'))).toMatchObject([
      { kind: 'generation-begun', signer: 'ops', reason: 'because', note: 'only component cart' },
      { kind: 'generation-paused', generation: 'g2', from: 0, to: 1, note: null },
      { kind: 'generation-begun', note: 'only component cart' },
      { kind: 'generation-built', generation: 'g2' },
    ]);
  });

  test('by a kill is on the log: who began it, why, and what of the log', async () => {
    const desk = await aDesk();
    const dying = desk.elsewhere({
      change: (ports) => ({
        ...ports,
        replay: async () => {
          const opened = await ports.replay();
          if (!opened.ok) return opened;
          return ok({
            ...opened.value,
            run: (wish, watch) =>
              opened.value.run(wish, {
                ...watch,
                isWanted: () => {
                  throw new Error('killed');
                },
              }),
          });
        },
      }),
    });
    await expect(dying.plimsoll('replay', 'run', why, ops)).rejects.toThrow('killed');
    expect(linesOf(await desk.plimsoll('operations', '--json'))).toMatchObject([
      { kind: 'generation-begun', generation: 'g2', from: 0, signer: 'ops', reason: 'because' },
    ]);
  });

  test('is not even begun where the log cannot be told', async () => {
    const desk = await aDesk();
    const cutOff = desk.elsewhere({
      change: (ports) => ({ ...ports, log: async () => unreachable('the line is cut') }),
    });
    const said = await cutOff.plimsoll('replay', 'run', why, ops, '--json');
    expect([said.exit, JSON.parse(said.err.at(-1) ?? '')]).toMatchObject([
      6,
      { message: 'nothing was folded: the line is cut' },
    ]);
    expect(linesOf(await desk.plimsoll('replay', 'status', '--json'))).toMatchObject([
      { generation: 'g1' },
    ]);
  });

  test('shows the rate that it is folded on with; whoever comes too soon is told what to do', async () => {
    const desk = await aDesk();
    const [made] = linesOf(
      good('replay-status', await desk.plimsoll('replay', 'status', '--json')),
    );
    expect(made).toMatchObject({ state: 'complete', madeBy: 'projector', rate: null });
    await desk.plimsoll('replay', 'run', '--rate=400', '--to=5', why, ops);
    const status = await desk.plimsoll('replay', 'status', '--json');
    expect(linesOf(good('replay-status', status))[1]).toMatchObject({ rate: 400, to: 5 });
    const [heading, , row] = (await desk.plimsoll('replay', 'status')).out;
    expect([heading, row]).toEqual([
      expect.stringMatching(/ TO +RATE +WHY +DIGEST$/),
      expect.stringMatching(/ 5 +400 a second +because +[0-9a-f]{12}$/),
    ]);
    const { aside } = desk.house.store;
    const kept = readNote(value(await aside.read([noteKey('g2')])).get(noteKey('g2')) ?? '');
    if (kept === undefined) throw new Error('there is a note');
    const running = { ...kept, state: 'running', seenAt: 1e15 } as const;
    value(await aside.write([{ key: noteKey('g2'), value: writeNote(running) }]));
    const early = await desk.plimsoll('replay', 'run', '--resume=g2', why, ops, '--json');
    expect(JSON.parse(early.err.at(-1) ?? '')).toMatchObject({
      code: 'generation-in-use',
      hint: 'wait a minute if it was killed, or plimsoll replay pause g2',
    });
  });

  test('can be asked to by somebody else, where one runs', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll('replay', 'pause', 'g1');
    expect([said.exit, said.err[0]]).toEqual([4, expect.stringContaining('[generation-unknown]')]);
  });
});

describe('who may do it', () => {
  test.each([
    [['replay', 'run']],
    [['rebuild']],
    [['replay', 'switch', 'g1']],
    [['replay', 'back']],
    [['replay', 'drop', 'g1']],
  ])('%j needs a reason and an operator, and does nothing without', async (command) => {
    const desk = await aDesk();
    const size = (await desk.house.records()).length;
    expect((await desk.plimsoll(...command, ops)).exit).toBe(2);
    const byAnother = await desk.plimsoll(...command, why, '--key=keys/ci.json');
    expect([byAnother.exit, byAnother.err[0]]).toEqual([
      5,
      expect.stringContaining('role-missing'),
    ]);
    const byNobody = await desk.plimsoll(...command, why, '--key=missing.json');
    expect(byNobody.exit).toBe(5);
    expect(await desk.house.records()).toHaveLength(size);
    expect(linesOf(await desk.plimsoll('replay', 'status', '--json'))).toHaveLength(1);
  });

  test.each([
    [['replay', 'plan']],
    [['replay', 'run', why]],
    [['replay', 'pause', 'g1']],
    [['replay', 'status']],
    [['replay', 'diff', 'g1']],
    [['replay', 'switch', 'g1', why]],
    [['replay', 'back', why]],
    [['replay', 'drop', 'g1', why]],
    [['rebuild', why]],
  ])('%j is not done through a gateway', async (command) => {
    const desk = (await aDesk()).elsewhere({ isRemote: true });
    const said = await desk.plimsoll(...command);
    expect([said.exit, said.err[0]]).toEqual([2, expect.stringContaining('[not-through-gateway]')]);
  });
});

test('decisions that are followed come once, whatever is built, switched and given back', async () => {
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [
      trusts('ops', { roles: ['operator'] }),
      trusts('judge', { roles: ['analyser'] }),
      by('ci', planned('2.0.0', { canaryShare: 0.1 })),
      by('ci', started()),
      by('judge', decided('hold')),
    ],
  });
  const stopping = new AbortController();
  const acts: readonly (() => Promise<unknown>)[] = [
    async () => desk.plimsoll('rebuild', why, ops),
    async () => {
      const decision = await signed('judge', decided('roll-back'), 'a later decision');
      value(await desk.house.log.append(0, [decision]));
    },
    async () => desk.plimsoll('replay', 'back', why, ops, '--stale'),
    async () => desk.plimsoll('rebuild', why, ops),
    async () => desk.plimsoll('replay', 'back', why, ops),
  ];
  let looks = 0;
  const follower = desk.elsewhere({
    change: (ports) => ({
      ...ports,
      stop: stopping.signal,
      clock: {
        ...ports.clock,
        sleep: async () => {
          const act = acts[looks];
          looks += 1;
          if (act === undefined) stopping.abort();
          else await act();
        },
      },
    }),
  });
  const followed = await follower.plimsoll('decisions', '--follow', '--json');
  expect(linesOf(followed).map(({ decision }) => decision)).toEqual(['hold', 'roll-back']);
  expect(await kindsOf(desk)).toHaveLength(8);
});
