import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CliPorts } from '../../../services/cli/ports.ts';
import type { NewRecord } from '../../../services/core/log/record.ts';
import { fail, ok } from '../../../services/core/result.ts';
import type { ProgramCall } from '../../../services/ports/programs.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import {
  canary,
  decides,
  decision,
  decisionIdOf,
  decisionRecord,
} from '../../support/decisions.ts';
import type { Desk, DeskOptions, Said as Printed } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, keyOf, signed, trusts } from '../../support/given.ts';
import { compromised, failed, operated, run } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

type Machine = {
  readonly desk: Desk;
  readonly calls: ProgramCall[];
  readonly files: Map<string, string>;
  exits: (number | null)[];
  /** Writes of the checkpoint that are lost, as when the process is killed before them. */
  lostWrites: number;
  /** The other process that has the checkpoint. */
  holder: number | null | undefined;
  releases: number;
  readonly exec: (...args: readonly string[]) => Promise<Printed>;
};

/** A machine that runs programs, and keeps files, from call to call. */
const machineAfter = async (
  steps: readonly (Step | Promise<Step>)[],
  options: Pick<DeskOptions, 'isRemote' | 'env'> = {},
): Promise<Machine> => {
  const calls: ProgramCall[] = [];
  const files = new Map<string, string>();
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [...canary, ...(await Promise.all(steps.map(async (step) => step)))],
    ...options,
  });
  const machine: Machine = {
    desk,
    calls,
    files,
    exits: [],
    lostWrites: 0,
    holder: undefined,
    releases: 0,
    exec: (...args) =>
      desk
        .elsewhere({
          ...options,
          change: (ports): CliPorts => ({
            ...ports,
            runProgram: async (call) => {
              calls.push(call);
              return ok({ exit: machine.exits.length > 0 ? (machine.exits.shift() ?? null) : 0 });
            },
            keptFile: {
              read: async (path) => ok(files.get(path)),
              replace: async (path, text) => {
                if (machine.lostWrites > 0) {
                  machine.lostWrites -= 1;
                  return fail({ message: 'the power went off' });
                }
                files.set(path, text);
                return ok(undefined);
              },
              hold: async () =>
                machine.holder === undefined
                  ? ok(() => void (machine.releases += 1))
                  : fail({ code: 'held', holder: machine.holder }),
            },
          }),
        })
        .plimsoll('decisions', '--once', '--exec=./obey.sh now', '--checkpoint=done.json', ...args),
  };
  return machine;
};

const append = async ({ desk }: Machine, says: ReturnType<typeof decision>): Promise<void> => {
  value(await desk.house.log.append(0, [await decisionRecord(says)]));
};

const acts = ({ calls }: Machine): readonly string[] =>
  calls.map(({ env }) => env['PLIMSOLL_DECISION_ACT'] ?? '');

describe('the command is run', () => {
  test('once for a decision, with all that it needs', async () => {
    const machine = await machineAfter([decides(decision('roll-back'))]);
    const said = await machine.exec('--json');
    expect([said.exit, said.err]).toEqual([0, []]);
    expect(faultsOf('obeyed', jsonOf(said))).toEqual([]);
    const [call] = machine.calls;
    expect(call).toMatchObject({
      command: ['./obey.sh', 'now'],
      env: {
        PLIMSOLL_DECISION_ACT: 'roll-back',
        PLIMSOLL_DECISION_ID: decisionIdOf(decision('roll-back')),
        PLIMSOLL_DECISION_COMPONENT: 'checkout',
        PLIMSOLL_DECISION_TO_VERSION: '1.9.4',
        PLIMSOLL_DECISION_SHARE: '',
      },
    });
    expect({ ...JSON.parse(call?.input ?? ''), exit: 0 }).toEqual(jsonOf(said));
    // Whoever comes again finds nothing to do.
    expect(await machine.exec()).toMatchObject({ exit: 0, out: [], err: [] });
    expect(machine.calls).toHaveLength(1);
  });

  test('through a gateway the same', async () => {
    const machine = await machineAfter([decides(decision('promote'))], { isRemote: true });
    expect((await machine.exec()).out).toEqual([
      'obeyed  promote  checkout 2.0.0 -> production  (position 8)',
    ]);
    await machine.exec();
    expect(acts(machine)).toEqual(['promote']);
  });

  test('for each of them, in their order, and not for renewals', async () => {
    const machine = await machineAfter([decides(decision('advance'))]);
    await machine.exec();
    const promote = decision('promote', { windowIndex: 9, windows: 10 });
    await append(machine, promote);
    const body = { ...promote, windowIndex: 50 };
    await append(machine, { ...body, marker: decisionIdOf(body) });
    await machine.exec();
    await machine.exec();
    expect(acts(machine)).toEqual(['advance', 'promote']);
  });

  test('and once for a silence, however often it is said again', async () => {
    const machine = await machineAfter([decides(decision('hold', { validForMs: 50_000 }))]);
    await machine.exec();
    for (const windowIndex of [10, 16, 22]) {
      const body = { ...decision('hold', { validForMs: 50_000 }), windowIndex };
      await append(machine, { ...body, marker: decisionIdOf(body) });
      await machine.exec();
    }
    expect(acts(machine)).toEqual(['hold']);
    await append(
      machine,
      decision('hold', { windowIndex: 60, windows: 61, evidenceDigest: 'c'.repeat(64) }),
    );
    await machine.exec();
    expect(acts(machine)).toEqual(['hold', 'hold']);
  });

  test('again with the same id, when it is killed before its checkpoint', async () => {
    const machine = await machineAfter([decides(decision('roll-back'))]);
    machine.lostWrites = 1;
    expect((await machine.exec()).exit).toBe(2);
    await machine.exec();
    await machine.exec();
    expect(machine.calls.map(({ env }) => env['PLIMSOLL_DECISION_ID'])).toEqual([
      decisionIdOf(decision('roll-back')),
      decisionIdOf(decision('roll-back')),
    ]);
  });

  test('again when it failed, while the decision counts', async () => {
    const machine = await machineAfter([decides(decision('roll-back'))]);
    machine.exits = [1, null];
    const first = await machine.exec('--json');
    expect([first.exit, first.out]).toEqual([1, []]);
    expect(first.err.map((line) => JSON.parse(line))).toMatchObject([
      { code: 'exec-failed', message: expect.stringMatching(/it ended with 1$/) as unknown },
      { code: 'exec-failed' },
    ]);
    expect((await machine.exec()).exit).toBe(1);
    expect((await machine.exec()).exit).toBe(0);
    expect(machine.calls).toHaveLength(3);
    // By now it has lapsed, and it was done.
    for (let minute = 0; minute < 6; minute++) await machine.exec();
    expect(machine.calls).toHaveLength(3);
  });
});

describe('the command is not run', () => {
  test('for what may not be obeyed: that is told, once', async () => {
    const machine = await machineAfter([decides(decision('roll-back', { mode: 'dry-run' }))]);
    expect((await machine.exec()).err).toEqual([
      'plimsoll: the decision at position 8 is not obeyed: it was decided for show only; the policy says when decisions count',
    ]);
    expect((await machine.exec()).err).toEqual([]);
    expect(machine.calls).toEqual([]);
  });

  test('for history, of which nobody who begins hears', async () => {
    const machine = await machineAfter([decides(decision('roll-back')), by('ci', failed())]);
    expect(await machine.exec()).toMatchObject({ exit: 0, err: [] });
    expect(machine.calls).toEqual([]);
  });

  test('before a person has approved it, and then it is', async () => {
    const machine = await machineAfter([decides(decision('roll-back', { mode: 'ask' }))]);
    expect((await machine.exec()).err[0]).toContain('nobody has approved it');
    const yes = await signed('ops', operated('decision-approved', { positions: [8] }), 'yes');
    value(await machine.desk.house.log.append(0, [yes]));
    await machine.exec();
    expect(acts(machine)).toEqual(['roll-back']);
  });

  test('while decisions are stopped, also across a restart', async () => {
    const machine = await machineAfter([
      decides(decision('promote')),
      by('ops', operated('decisions-stopped')),
    ]);
    await machine.exec();
    await machine.exec();
    expect(machine.calls).toEqual([]);
    const on = await signed('ops', operated('decisions-resumed'), 'on');
    value(await machine.desk.house.log.append(0, [on]));
    await machine.exec();
    expect(acts(machine)).toEqual(['promote']);
  });
});

describe('a checkpoint that another process works with', () => {
  test.each<readonly [holder: number | null, who: string, what: string]>([
    [4711, 'the process 4711', 'kill 4711'],
    [null, 'another process', 'end that one'],
  ])('is left to it (%s)', async (holder, who, what) => {
    const machine = await machineAfter([decides(decision('roll-back'))]);
    machine.holder = holder;
    const said = await machine.exec('--json');
    expect([said.exit, said.out, JSON.parse(said.err[0] ?? '')]).toMatchObject([
      ...[3, []],
      {
        code: 'checkpoint-held',
        message: expect.stringContaining(`done.json is in use: ${who}`) as unknown,
        hint: expect.stringContaining(what) as unknown,
      },
    ]);
    expect([machine.calls, machine.files.size]).toEqual([[], 0]);
    // Then it has ended.
    machine.holder = undefined;
    await machine.exec();
    expect([acts(machine), machine.releases]).toEqual([['roll-back'], 1]);
  });

  test('is given back also where it is of another log', async () => {
    const machine = await machineAfter([decides(decision('roll-back'))]);
    machine.files.set('done.json', '{"of":"elsewhere","after":3,"pending":[],"obeyed":[]}');
    await machine.exec();
    expect(machine.releases).toBe(1);
  });
});

test('of a decision that waits and its renewals one is looked at again, and told of', async () => {
  const says = decision('roll-back', { mode: 'ask' });
  const renewal = (windowIndex: number): ReturnType<typeof decision> => {
    const body = { ...says, windowIndex };
    return { ...body, marker: decisionIdOf(body) };
  };
  const machine = await machineAfter([decides(says), decides(renewal(50)), decides(renewal(90))]);
  const said = await machine.exec();
  expect(said.err).toHaveLength(1);
  const { pending, after } = JSON.parse(machine.files.get('done.json') ?? '') as {
    readonly pending: readonly number[];
    readonly after: number;
  };
  expect([pending, after]).toEqual([[8], 10]);
  const yes = await signed('ops', operated('decision-approved', { positions: [8] }), 'yes');
  value(await machine.desk.house.log.append(0, [yes]));
  await machine.exec();
  expect(acts(machine)).toEqual(['roll-back']);
});

test('a renewal by another key counts on when the key of the first is found compromised', async () => {
  const says = decision('roll-back');
  const body = { ...says, windowIndex: 60 };
  const renewal = { ...body, marker: decisionIdOf(body) };
  const machine = await machineAfter([
    trusts('analyser#2', { roles: ['analyser'] }),
    by('ops', operated('decisions-stopped')),
    decides(says),
  ]);
  const then = async (record: NewRecord): Promise<void> => {
    value(await machine.desk.house.log.append(0, [record]));
    await machine.exec();
  };
  expect((await machine.exec()).err).toHaveLength(1);
  await then(await decisionRecord(renewal, 'analyser#2'));
  await then(await signed('admin', compromised(keyOf('analyser'), 10), 'found'));
  expect(acts(machine)).toEqual([]);
  await then(await signed('ops', operated('decisions-resumed'), 'on'));
  expect(acts(machine)).toEqual(['roll-back']);
});

describe('the command line', () => {
  test.each([
    [['--exec=./obey.sh'], 'option-missing'],
    [['--once'], 'option-missing'],
    [['--follow', '--shell'], 'option-missing'],
    [['--once', '--exec=./obey.sh | tee log'], 'option-invalid'],
    [['--once', '--exec=sh -c "obey $X"'], 'option-invalid'],
  ])('%j is refused: %s', async (args, code) => {
    const { desk } = await machineAfter([]);
    const said = await desk.plimsoll('decisions', ...args, '--json');
    expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([2, { code }]);
  });

  test('a program that is not there is told at once, not when there is something to act on', async () => {
    const machine = await machineAfter([]);
    const said = await machine.desk
      .elsewhere({
        change: (ports) => ({
          ...ports,
          findProgram: async (program) => fail({ message: `there is no program ${program}` }),
        }),
      })
      .plimsoll('decisions', '--once', '--exec=./obay.sh now', '--json');
    expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
      2,
      { code: 'option-invalid', message: '--exec: there is no program ./obay.sh' },
    ]);
  });

  test('--shell gives the line to a shell', async () => {
    const machine = await machineAfter([decides(decision('promote'))]);
    const { desk, calls } = machine;
    await desk
      .elsewhere({
        change: (ports) => ({
          ...ports,
          runProgram: async (call) => {
            calls.push(call);
            return ok({ exit: 0 });
          },
        }),
      })
      .plimsoll('decisions', '--once', '--shell', '--exec=obey "$PLIMSOLL_DECISION_ACT" | tee log');
    expect(calls[0]?.command).toEqual({ shell: 'obey "$PLIMSOLL_DECISION_ACT" | tee log' });
  });

  test.each([[false], [true]])(
    'a checkpoint of the log that was there before is refused (through a gateway: %s)',
    async (isRemote) => {
      const machine = await machineAfter([decides(decision('roll-back'))], { isRemote });
      await machine.exec();
      const kept = machine.files.get('done.json') ?? '';
      const { log, after } = JSON.parse(kept) as { readonly log: string; readonly after: number };
      expect([log.length, after]).toEqual([36, 8]);
      // Its positions are past the end of the new one, where nothing would ever be done.
      const other = kept.replace(log, log.replace(/^.{8}/, '00000000')).replace(':8,', ':900,');
      machine.files.set('done.json', other);
      const said = await machine.exec('--json');
      expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
        3,
        { code: 'checkpoint-foreign' },
      ]);
      expect(machine.files.get('done.json')).toBe(other);
    },
  );

  test('what a gateway says of another log than the pinned one is not acted on', async () => {
    const env = { PLIMSOLL_LOG_ID: '0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d' };
    const machine = await machineAfter([decides(decision('promote'))], { isRemote: true, env });
    expect((await machine.exec()).err[0]).toContain('[foreign-log]');
    const gate = await machine.desk.plimsoll('gate', run('7'), '--wait=1s');
    expect([gate.exit, gate.out]).toEqual([3, []]);
    expect(machine.calls).toEqual([]);
  });

  test('a checkpoint of another log, and one that is none, are refused', async () => {
    const machine = await machineAfter([decides(decision('promote'))]);
    machine.files.set('done.json', '{"of":"elsewhere","after":3,"pending":[],"obeyed":[]}');
    expect((await machine.exec()).exit).toBe(3);
    machine.files.set('done.json', '{"of":"elsewhere"');
    expect((await machine.exec()).exit).toBe(2);
    expect(machine.calls).toEqual([]);
  });
});
