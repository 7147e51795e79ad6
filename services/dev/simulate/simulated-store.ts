import { createMemoryReadModelStore } from '../../adapters/memory/read-model-store.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail } from '../../core/result.ts';
import type {
  Checkpoint,
  Generation,
  ReadModelStore,
  Refused,
  Step,
  StoreProblem,
} from '../../ports/read-model-store.ts';
import type { Life, Scheduler } from './scheduler.ts';

// The memory store of the product behind the scheduler. What was written to it is remembered, so that it can be put
// back to an earlier consistent state, as a replica that was behind when it took over.

type Write =
  | { readonly wrote: 'step'; readonly generation: Generation; readonly step: Step }
  | {
      readonly wrote: 'switch';
      readonly expected: Generation | undefined;
      readonly generation: Generation;
    }
  | { readonly wrote: 'drop'; readonly generation: Generation }
  | { readonly wrote: 'aside'; readonly entries: Parameters<ReadModelStore['aside']['write']>[0] };

export type StoreEvents = {
  /** A step was taken. */
  readonly committed: (
    life: Life,
    generation: Generation,
    step: Step,
    before: Checkpoint | undefined,
  ) => void;
  /** A step was taken, and whoever asked has heard it. */
  readonly told: (life: Life, step: Step) => void;
  readonly switched: (life: Life, from: Generation | undefined, to: Generation) => Promise<void>;
  readonly dropped: (generation: Generation) => void;
  readonly checkpointRead: (life: Life) => void;
  readonly rebuildBegun: (life: Life) => Promise<void>;
};

/** One server with its data; the simulation may put another in its place. */
export type StoreInstance = {
  readonly store: ReadModelStore;
  readonly history: readonly Write[];
};

export type SimulatedStore = {
  readonly open: (life: Life) => ReadModelStore;
  readonly instance: () => StoreInstance;
  /** From now on everybody is connected to this one. */
  readonly replace: (instance: StoreInstance) => void;
};

type Mutable = { readonly store: ReadModelStore; readonly history: Write[] };

const emptyStore = (): ReadModelStore => createMemoryReadModelStore({ orderedModels });

export const emptyInstance = (): StoreInstance => ({ store: emptyStore(), history: [] });

/** A server that has had these writes, and no others. */
export const instanceOf = async (history: readonly Write[]): Promise<StoreInstance> => {
  const store = emptyStore();
  for (const write of history)
    switch (write.wrote) {
      case 'step':
        await store.commit(write.generation, write.step);
        break;
      case 'switch':
        await store.switchTo(write.expected, write.generation);
        break;
      case 'drop':
        await store.drop(write.generation);
        break;
      case 'aside':
        await store.aside.write(write.entries);
        break;
    }
  return { store, history: [...history] };
};

/** The same writes, as another version of the fold would have made them. */
export const rewritten = (
  history: readonly Write[],
  generation: Generation,
  foldVersion: number,
): readonly Write[] => {
  const by = (checkpoint: Checkpoint): Checkpoint => ({ ...checkpoint, foldVersion });
  return history.map((write) =>
    write.wrote !== 'step' || write.generation !== generation
      ? write
      : {
          ...write,
          step: {
            ...write.step,
            from: write.step.from === undefined ? undefined : by(write.step.from),
            to: by(write.step.to),
          },
        },
  );
};

const unreachable = (): { ok: false; problem: StoreProblem } =>
  fail({ code: 'unreachable', message: 'simulated: no answer' });

export const openSimulatedStore = (scheduler: Scheduler, events: StoreEvents): SimulatedStore => {
  let at: Mutable = { store: emptyStore(), history: [] };

  const commit = async (
    life: Life,
    generation: Generation,
    step: Step,
  ): Promise<Result<'committed' | Refused, StoreProblem>> => {
    const before = await at.store.checkpoint(generation);
    const answer = await at.store.commit(generation, step);
    if (answer.ok && answer.value === 'committed') {
      at.history.push({ wrote: 'step', generation, step });
      events.committed(life, generation, step, before.ok ? before.value : undefined);
    }
    return answer;
  };

  const switchTo = async (
    life: Life,
    expected: Generation | undefined,
    generation: Generation,
  ): Promise<Result<boolean, StoreProblem>> => {
    const answer = await at.store.switchTo(expected, generation);
    if (answer.ok && answer.value) {
      at.history.push({ wrote: 'switch', expected, generation });
      await events.switched(life, expected, generation);
    }
    return answer;
  };

  const drop = async (generation: Generation): Promise<Result<void, StoreProblem>> => {
    const answer = await at.store.drop(generation);
    if (answer.ok) {
      at.history.push({ wrote: 'drop', generation });
      events.dropped(generation);
    }
    return answer;
  };

  const open = (life: Life): ReadModelStore => {
    const call = <Value>(
      name: string,
      run: () => Promise<Result<Value, StoreProblem>>,
    ): Promise<Result<Value, StoreProblem>> =>
      scheduler.call<Result<Value, StoreProblem>>(life, `store.${name}`, run, unreachable);
    return {
      name: at.store.name,
      current: () => call('current', () => at.store.current()),
      switchTo: (expected, generation) =>
        call(`switch to ${generation}`, () => switchTo(life, expected, generation)),
      generations: () =>
        call('generations', async () => {
          await events.rebuildBegun(life);
          return at.store.generations();
        }),
      drop: (generation) => call(`drop ${generation}`, () => drop(generation)),
      checkpoint: (generation) =>
        call('checkpoint', () => {
          events.checkpointRead(life);
          return at.store.checkpoint(generation);
        }),
      rows: (generation, keys) => call('rows', () => at.store.rows(generation, keys)),
      scan: (generation, model, range) =>
        call(`scan ${model}`, () => at.store.scan(generation, model, range)),
      commit: async (generation, step) => {
        const answer = await call(
          `commit ${generation} ${step.from?.next ?? 'nothing'} -> ${step.to.next}`,
          () => commit(life, generation, step),
        );
        if (answer.ok && answer.value === 'committed') events.told(life, step);
        return answer;
      },
      walk: (generation, cursor, rowsMax) =>
        call('walk', () => at.store.walk(generation, cursor, rowsMax)),
      counts: (generation) => call('counts', () => at.store.counts(generation)),
      dump: (generation) => call('dump', () => at.store.dump(generation)),
      aside: {
        read: (keys) => call('aside.read', () => at.store.aside.read(keys)),
        write: (entries) =>
          call('aside.write', async () => {
            const answer = await at.store.aside.write(entries);
            if (answer.ok) at.history.push({ wrote: 'aside', entries });
            return answer;
          }),
        scan: (range) => call('aside.scan', () => at.store.aside.scan(range)),
      },
      close: async () => {},
    };
  };

  return {
    open,
    instance: () => at,
    replace: (instance) => {
      at = { store: instance.store, history: [...instance.history] };
    },
  };
};
