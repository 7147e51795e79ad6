import type { Clock, Stop } from '../../ports/clock.ts';
import type { Chance } from './chance.ts';

// One scheduler decides everything that happens: each call of a port waits here until its turn, and its answer waits
// again. Which one is next, what fails and when time goes on follow from the seed.

/** One process of the simulation. What a dead one asked is never answered; a paused one hears nothing meanwhile. */
export type Life = {
  readonly name: string;
  isAlive: boolean;
  isPaused: boolean;
  /** How far its wall clock is from the true time, milliseconds. */
  skewMs: number;
};

/** What becomes of a call when its turn has come. */
export type Turn = 'runs' | 'fails' | 'answer-lost' | 'crash-before' | 'crash-after' | 'late';

type Operation = {
  readonly life: Life;
  readonly label: string;
  readonly run: () => unknown;
  /** The answer of a call that failed; `isDone`: it had its effect all the same. Null: it cannot fail. */
  readonly failed: ((isDone: boolean) => unknown) | null;
  readonly answer: (value: unknown) => void;
  done: { readonly value: unknown } | undefined;
};

type Sleeper = {
  readonly life: Life;
  readonly dueMs: number;
  readonly wake: () => void;
};

export type Scheduler = {
  /** True time, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Calls a port: `run` has its effect, in one moment, when the scheduler comes to it. */
  readonly call: <Value>(
    life: Life,
    label: string,
    run: () => Value | Promise<Value>,
    failed?: (isDone: boolean) => Value,
  ) => Promise<Value>;
  readonly clockOf: (life: Life) => Clock;
  /** One step: something runs, or time goes on. False: there is nothing left to do. */
  readonly step: () => Promise<boolean>;
  /** Lets everything run that waits for no port. */
  readonly settle: () => Promise<void>;
  /** What a process asked is dropped, with its sleepers. */
  readonly forget: (life: Life) => void;
  /** What waits for its turn, by who asked. */
  readonly operations: () => readonly string[];
};

export type SchedulerOptions = {
  readonly startMs: number;
  readonly chance: Chance;
  /** What happens to the call whose turn has come. */
  readonly turnOf: (life: Life, label: string, canFail: boolean) => Turn;
  /** A process dies in the middle of a call. */
  readonly crash: (life: Life) => void;
  /** How probable it is that time goes on while somebody has something to do. */
  readonly impatience: () => number;
  readonly settle: () => Promise<void>;
  readonly trace: ((line: string) => void) | undefined;
};

export const openLife = (name: string): Life => ({
  name,
  isAlive: true,
  isPaused: false,
  skewMs: 0,
});

/** Lets everything run that waits for no port: Node empties its queue of promises before the next tick. */
export const settleTicks = (): Promise<void> => new Promise((done) => process.nextTick(done));

/** The same for code that gives the thread back in between. */
export const settleTurns = (): Promise<void> => new Promise((done) => void setImmediate(done));

export const openScheduler = (options: SchedulerOptions): Scheduler => {
  const { chance, trace } = options;
  const operations: Operation[] = [];
  const sleepers: Sleeper[] = [];
  let nowMs = options.startMs;

  const goOn = (): boolean => {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers)
      if (isAwake(sleeper.life) && (next === undefined || sleeper.dueMs < next.dueMs))
        next = sleeper;
    if (next === undefined) return false;
    nowMs = Math.max(nowMs, next.dueMs);
    trace?.(`      time +${nowMs - options.startMs} ms: ${next.life.name} wakes`);
    next.wake();
    return true;
  };

  const answer = (operation: Operation, value: unknown, how: string): void => {
    remove(operations, operation);
    trace?.(`      ${operation.life.name} ${operation.label}${how}`);
    operation.answer(value);
  };

  const crash = (operation: Operation, how: string): void => {
    trace?.(`  !!  ${operation.life.name} dies ${how} ${operation.label}`);
    options.crash(operation.life);
  };

  const take = async (operation: Operation): Promise<void> => {
    const { life, label, failed } = operation;
    if (operation.done !== undefined) {
      answer(operation, operation.done.value, ' (answer)');
      return;
    }
    const turn = options.turnOf(life, label, failed !== null);
    if (turn === 'crash-before') {
      crash(operation, 'before');
      return;
    }
    if (turn === 'fails' && failed !== null) {
      answer(operation, failed(false), ' FAILS');
      return;
    }
    const value = await operation.run();
    if (turn === 'crash-after') crash(operation, 'after');
    else if (turn === 'answer-lost' && failed !== null)
      answer(operation, failed(true), ' is done, ANSWER LOST');
    else if (turn === 'late') {
      trace?.(`      ${life.name} ${label} is done`);
      operation.done = { value };
    } else answer(operation, value, '');
  };

  return {
    nowMs: () => nowMs,
    operations: () => operations.map(({ life, label }) => `${life.name} ${label}`),
    call: <Value>(
      life: Life,
      label: string,
      run: () => Value | Promise<Value>,
      failed?: (isDone: boolean) => Value,
    ): Promise<Value> =>
      new Promise<Value>((done) => {
        if (!life.isAlive) return;
        operations.push({
          life,
          label,
          run,
          failed: failed ?? null,
          answer: done as (value: unknown) => void,
          done: undefined,
        });
      }),
    clockOf: (life) => ({
      nowMs: () => nowMs + life.skewMs,
      sleep: (ms, signal) => {
        if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
        return life.isAlive ? sleep(sleepers, life, nowMs + ms, signal) : new Promise(() => {});
      },
    }),
    forget: (life) => {
      keep(operations, (operation) => operation.life !== life);
      keep(sleepers, (sleeper) => sleeper.life !== life);
    },
    settle: options.settle,
    step: async () => {
      await options.settle();
      const ready = operations.filter(({ life }) => isAwake(life));
      if (ready.length === 0 || chance.happens(options.impatience())) {
        if (goOn()) return true;
        if (ready.length === 0) return false;
      }
      await take(chance.oneOf(ready));
      return true;
    },
  };
};

const isAwake = ({ isAlive, isPaused }: Life): boolean => isAlive && !isPaused;

/** What a dead process still has may be forgotten already. */
const remove = <Item>(items: Item[], item: Item): void => {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
};

const keep = <Item>(items: Item[], isKept: (item: Item) => boolean): void => {
  let end = 0;
  for (const item of items) if (isKept(item)) items[end++] = item;
  items.length = end;
};

const sleep = (
  sleepers: Sleeper[],
  life: Life,
  dueMs: number,
  signal: Stop | undefined,
): Promise<void> =>
  new Promise((done) => {
    const wake = (): void => {
      remove(sleepers, sleeper);
      signal?.removeEventListener('abort', wake);
      done();
    };
    const sleeper: Sleeper = { life, dueMs, wake };
    sleepers.push(sleeper);
    signal?.addEventListener('abort', wake);
  });
