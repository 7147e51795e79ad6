import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CliPorts } from '../../../services/cli/ports.ts';
import { ok } from '../../../services/core/result.ts';
import type { ProgramCall } from '../../../services/ports/programs.ts';
import {
  analysisOf,
  artifact,
  canary,
  decides,
  decision,
  decisionIdOf,
  decisionRecord,
} from '../../support/decisions.ts';
import type { Desk, Said as Printed } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, signed } from '../../support/given.ts';
import { logged, operated, place, planned, run, started } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// Several commands of `--exec` at a time. Each runs until the test ends it.

const scratch = scratchFolder();

type Command = { readonly name: string; readonly end: (exit: number) => void };

type Machine = {
  readonly desk: Desk;
  /** In the order of their beginnings, those that have ended too. */
  readonly begun: Command[];
  readonly running: Set<Command>;
  readonly kept: () => {
    readonly after: number;
    readonly pending: unknown;
    readonly obeyed: unknown;
  };
  readonly exec: (mode?: '--once' | '--follow') => Promise<Printed>;
  /** What a look every second would see; false: it is asked to stop. */
  onRest: () => Promise<boolean>;
};

const nameOf = ({ env }: ProgramCall): string =>
  `${env['PLIMSOLL_DECISION_COMPONENT'] ?? ''} ${env['PLIMSOLL_DECISION_ACT'] ?? ''}`;

const machineAfter = async (steps: readonly (Step | Promise<Step>)[]): Promise<Machine> => {
  const files = new Map<string, string>();
  const begun: Command[] = [];
  const running = new Set<Command>();
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [...canary, ...(await Promise.all(steps.map(async (step) => step)))],
  });
  const change = (ports: CliPorts): CliPorts => {
    const stop = new AbortController();
    const beganMs = ports.clock.nowMs();
    let passedMs = 0;
    return {
      ...ports,
      stop: stop.signal,
      clock: {
        nowMs: () => beganMs + passedMs,
        sleep: async (ms) => {
          passedMs += ms;
          // Files are written meanwhile.
          await aWhile();
          if (!(await machine.onRest())) stop.abort();
        },
      },
      runProgram: async (call) => {
        const exit = await new Promise<number>((end) => {
          const command = { name: nameOf(call), end };
          begun.push(command);
          running.add(command);
        });
        for (const command of running) if (command.name === nameOf(call)) running.delete(command);
        return ok({ exit });
      },
      keptFile: {
        read: async (path) => ok(files.get(path)),
        replace: async (path, text) => {
          // As a disk takes its time.
          await turn();
          files.set(path, text);
          return ok(undefined);
        },
        hold: async () => ok(() => undefined),
      },
    };
  };
  const machine: Machine = {
    desk,
    begun,
    running,
    kept: () => JSON.parse(files.get('done.json') ?? 'null') as ReturnType<Machine['kept']>,
    exec: (mode = '--once') =>
      desk
        .elsewhere({ change })
        .plimsoll('decisions', mode, '--exec=./obey.sh', '--checkpoint=done.json'),
    onRest: async () => true,
  };
  return machine;
};

const turn = (): Promise<void> => new Promise((done) => void setImmediate(done));

const until = async (isSo: () => boolean): Promise<void> => {
  const beganMs = Date.now();
  while (!isSo()) {
    if (Date.now() - beganMs > 10_000) throw new Error('it never comes');
    await turn();
  }
};

/** Long enough for what must not happen. */
const aWhile = (): Promise<void> => new Promise((done) => void setTimeout(done, 20));

const names = ({ begun }: Machine): readonly string[] => begun.map(({ name }) => name);

/** Another component with its canary. */
const canaryOf = (component: string): readonly Step[] => {
  const slot = place('production', component);
  const deployment = run(component);
  return [
    by('ci', logged('1.9.4', { slot, digest: artifact('a') })),
    by(
      'ci',
      planned('2.0.0', {
        ...{ slot, deployment, digest: artifact('b'), strategy: 'canary', canaryShare: 0.1 },
      }),
    ),
    by('ci', started({ deployment })),
  ];
};

const rollBackOf = (component: string): ReturnType<typeof decision> => {
  const deployment = run(component);
  const body = decision('roll-back', {
    ...{ deployment, slot: place('production', component), analysis: analysisOf(deployment) },
  });
  return { ...body, marker: decisionIdOf(body) };
};

const checkout = decision('roll-back');

describe('commands of different slots', () => {
  test('run side by side, and a kill repeats the one that was not noted alone', async () => {
    const machine = await machineAfter([
      ...canaryOf('search'),
      decides(checkout),
      decides(rollBackOf('search')),
    ]);
    void machine.exec();
    await until(() => machine.begun.length === 2);
    expect(names(machine)).toEqual(['checkout roll-back', 'search roll-back']);
    machine.begun[1]?.end(0);
    await until(() => machine.kept() !== null);
    // The earlier one runs yet: it is begun, and not noted as done.
    expect(machine.kept()).toMatchObject({
      after: 12,
      pending: [11],
      obeyed: [rollBackOf('search')['marker']],
    });
    // The process is killed here; who comes next has the file alone.
    const next = machine.exec();
    await until(() => machine.begun.length === 3);
    machine.begun[2]?.end(0);
    expect((await next).out).toEqual([
      'obeyed  roll-back  checkout 2.0.0 -> production  (position 11)',
    ]);
    expect(names(machine).slice(2)).toEqual(['checkout roll-back']);
    expect(machine.kept()).toMatchObject({ after: 12, pending: [] });
  });

  test('are eight at most', async () => {
    const components = Array.from({ length: 11 }, (_none, index) => `c${index}`);
    const machine = await machineAfter([
      ...components.flatMap(canaryOf),
      by('ops', operated('decisions-stopped')),
      by('ops', operated('decisions-resumed')),
      ...components.map((component) => decides(rollBackOf(component))),
    ]);
    const all = machine.exec();
    let most = 0;
    for (let ended = 0; ended < components.length; ended++) {
      await until(() => machine.begun.length >= Math.min(components.length, ended + 8));
      await aWhile();
      most = Math.max(most, machine.running.size);
      machine.begun[ended]?.end(0);
    }
    expect((await all).exit).toBe(0);
    expect([most, new Set(names(machine)).size, machine.begun.length]).toEqual([8, 11, 11]);
  });

  test('do not wait for one that fails, which is tried again', async () => {
    const machine = await machineAfter([decides(checkout), ...canaryOf('search')]);
    let rests = 0;
    machine.onRest = async () => {
      for (const { end } of machine.begun.filter(({ name }) => name.startsWith('checkout')))
        end(machine.begun.length < 4 ? 1 : 0);
      await until(() => [...machine.running].every(({ name }) => name.startsWith('search')));
      rests += 1;
      if (rests === 1)
        value(await machine.desk.house.log.append(0, [await decisionRecord(rollBackOf('search'))]));
      if (rests < 9) return true;
      for (const { end } of machine.running) end(0);
      return false;
    };
    const said = await machine.exec('--follow');
    expect(said.exit).toBe(0);
    expect(names(machine)).toEqual([
      'checkout roll-back',
      ...['search roll-back', 'checkout roll-back', 'checkout roll-back'],
    ]);
    expect(said.err.filter((line) => line.includes('failed'))).toHaveLength(1);
    expect(machine.kept()).toMatchObject({ pending: [] });
  });
});

describe('a command that fails', () => {
  type Body = ReturnType<typeof decision>;

  const renewalOf = (says: Body, windowIndex: number): Body => {
    const body = { ...says, windowIndex };
    return { ...body, marker: decisionIdOf(body) };
  };

  const renewalsAt = (...seconds: readonly number[]): ReadonlyMap<number, Body> =>
    new Map(seconds.map((second, index) => [second, renewalOf(checkout, 40 + 20 * index)]));

  /** A look a second, and each command takes one; when each was found begun. */
  const followed = async (
    machine: Machine,
    said: ReadonlyMap<number, Body>,
    seconds: number,
    exitOf: (name: string, second: number) => number,
  ): Promise<{ readonly printed: Printed; readonly at: readonly number[] }> => {
    const at: number[] = [];
    machine.onRest = async () => {
      const second = ++passed;
      for (const { name, end } of machine.begun.slice(at.length)) {
        at.push(second - 1);
        end(exitOf(name, second));
      }
      await until(() => machine.running.size === 0);
      const says = said.get(second);
      if (says !== undefined)
        value(await machine.desk.house.log.append(0, [await decisionRecord(says)]));
      return second < seconds;
    };
    let passed = 0;
    return { printed: await machine.exec('--follow'), at };
  };

  const gaps = (at: readonly number[]): readonly number[] =>
    at.slice(1).map((second, index) => second - (at[index] ?? 0));

  test('is tried in one series, ever more seldom, however often the decision is renewed', async () => {
    const machine = await machineAfter([decides(checkout)]);
    const renewals = renewalsAt(20, 45, 70, 95);
    const { printed, at } = await followed(machine, renewals, 132, (_name, second) =>
      second < 129 ? 1 : 0,
    );
    expect(gaps(at).map((gap) => gap - 1)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    expect(printed.err.filter((line) => line.includes('failed'))).toHaveLength(1);
    // Once it is done, it is so for all that say the same.
    expect(machine.kept()).toMatchObject({ after: 12, pending: [], obeyed: [checkout['marker']] });
  });

  test('leaves the first and the newest that say it pending, for whoever follows next', async () => {
    const machine = await machineAfter([decides(checkout)]);
    await followed(machine, renewalsAt(3, 6, 9), 13, () => 1);
    expect(machine.kept()).toMatchObject({ after: 11, obeyed: [] });
    expect(new Set(machine.kept().pending as readonly number[])).toEqual(new Set([8, 11]));
    // A call tries it once, and two that say the same are one that failed.
    const before = machine.begun.length;
    const next = machine.exec();
    await until(() => machine.begun.length > before);
    machine.begun.at(-1)?.end(1);
    expect((await next).err.join()).toContain('failed for 1 decision');
    expect(machine.begun).toHaveLength(before + 1);
  });

  test('is run for a renewal of a step, where the step itself was overtaken by a silence', async () => {
    const step = decision('advance');
    const machine = await machineAfter([decides(step)]);
    const hold = decision('hold', { windowIndex: 20, windows: 21 });
    const said = new Map([
      [3, hold],
      // It comes while nothing is tried, so that of the step nobody has heard yet.
      [4, renewalOf(step, 30)],
    ]);
    await followed(machine, said, 8, (name, second) =>
      name === 'checkout advance' && second < 5 ? 1 : 0,
    );
    expect(names(machine)).toEqual([
      ...['checkout advance', 'checkout advance'],
      ...['checkout hold', 'checkout advance'],
    ]);
    expect(machine.kept()).toMatchObject({ pending: [], obeyed: [hold['marker'], step['marker']] });
  });
});

describe('commands of one slot', () => {
  const promote = decision('promote', { windowIndex: 9, windows: 10 });

  test('run one after another, the next behind the note of the one before', async () => {
    const machine = await machineAfter([decides(decision('advance'))]);
    let rests = 0;
    let begunBefore: readonly string[] = [];
    let keptBefore: unknown = null;
    machine.onRest = async () => {
      rests += 1;
      if (rests === 1)
        value(await machine.desk.house.log.append(0, [await decisionRecord(promote)]));
      if (rests === 3) {
        begunBefore = names(machine);
        machine.begun[0]?.end(0);
        void until(() => machine.begun.length === 2).then(() => (keptBefore = machine.kept()));
      }
      if (rests === 5) machine.begun[1]?.end(0);
      return rests < 7;
    };
    await machine.exec('--follow');
    expect(names(machine)).toEqual(['checkout advance', 'checkout promote']);
    expect(begunBefore).toEqual(['checkout advance']);
    expect(keptBefore).toMatchObject({ obeyed: [decision('advance')['marker']] });
    expect(machine.kept()).toMatchObject({ after: 9, pending: [] });
  });

  test('are asked about again when their turn has come', async () => {
    const machine = await machineAfter([decides(decision('advance'))]);
    let rests = 0;
    machine.onRest = async () => {
      rests += 1;
      if (rests === 1)
        value(await machine.desk.house.log.append(0, [await decisionRecord(promote)]));
      if (rests === 3) {
        const stop = await signed('ops', operated('decisions-stopped'), 'stop');
        value(await machine.desk.house.log.append(0, [stop]));
        machine.begun[0]?.end(0);
        await until(() => machine.running.size === 0);
      }
      return rests < 6;
    };
    const said = await machine.exec('--follow');
    expect(names(machine)).toEqual(['checkout advance']);
    expect(said.err.join()).toContain('decisions are stopped');
    expect(machine.kept()).toMatchObject({ pending: [9] });
  });

  test('none is left running when the follower ends', async () => {
    const machine = await machineAfter([decides(checkout)]);
    machine.onRest = async () => false;
    let hasEnded = false;
    const all = machine.exec('--follow').then(() => (hasEnded = true));
    await until(() => machine.begun.length === 1);
    await aWhile();
    expect(hasEnded).toBe(false);
    machine.begun[0]?.end(0);
    await all;
    expect(machine.kept()).toMatchObject({ pending: [], obeyed: [checkout['marker']] });
  });
});
