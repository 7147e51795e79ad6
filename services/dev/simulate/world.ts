import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Generation, ReadModelStore } from '../../ports/read-model-store.ts';
import type { ProjectionPorts } from '../../ports/projecting.ts';
import { rebuild } from '../../projector/catch-up.ts';
import { startProjector } from '../../projector/start.ts';
import type { Projector, ProjectorEvent } from '../../projector/start.ts';
import { canaryDeployment, openCanaryHouse } from './canary.ts';
import type { Chance } from './chance.ts';
import type { Corpus } from './corpus.ts';
import type { Faults } from './faults.ts';
import { Diverged, openJudge } from './judge.ts';
import type { DivergenceCode, Judge } from './judge.ts';
import { Reference } from './reference.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { openLife, openScheduler, settleTicks, settleTurns } from './scheduler.ts';
import { openSimulatedLog } from './simulated-log.ts';
import type { SimulatedLog } from './simulated-log.ts';
import { openSimulatedStore } from './simulated-store.ts';
import type { SimulatedStore } from './simulated-store.ts';
import type { Fact } from './told.ts';
import { tools } from './tools.ts';
import type { Emission } from './workload.ts';
import { emit } from './workload.ts';
import { audience, logIdOf, openedAtMs, readDecision } from './write.ts';

// One simulated installation: a log, a store, several projectors, whoever writes, and an operator.

export type ProjectorProcess = {
  readonly life: Life;
  readonly projector: Projector;
  /** Positions whose step it has heard to be taken. */
  passed: number;
  readonly conflictsTold: Set<Position>;
};

export type World = {
  readonly scheduler: Scheduler;
  readonly log: SimulatedLog;
  readonly store: SimulatedStore;
  readonly judge: Judge;
  readonly faults: Faults;
  /** By name; a process that died has a successor of the same name. */
  readonly projectors: ReadonlyMap<string, ProjectorProcess>;
  /** Reasons for which a projector may rightly stop for good. */
  readonly causes: Set<string>;
  readonly acknowledged: readonly { readonly position: Position; readonly fact: Fact }[];
  readonly trace: ((line: string) => void) | undefined;
  /** The connected store holds this log's read models. */
  isOwnStore: boolean;
  /** Its read models are as another release has written them. */
  isOfNewerRelease: boolean;
  brokerSkewMs: number;
  /** Calls of this kind fail. */
  readonly outages: Set<'log' | 'store'>;
  /** How probable it is that time goes on while somebody has something to do. */
  impatience: number;
  /** Positions below which readers must not be sent by a rebuild that runs. */
  readonly floors: Map<Life, Position>;
  readonly factAt: (position: Position) => Fact | undefined;
  readonly pinnedLogId: string | null;
  readonly startProjector: (name: string) => void;
  /** Analysers work here, and a canary that must be rolled back. */
  readonly hasCanary: boolean;
  readonly startCanary: (facts: readonly Fact[]) => void;
  readonly isCanaryJudged: () => boolean;
  /** Leases of every log, as `SimulatedLog.rebalance`. */
  readonly rebalance: SimulatedLog['rebalance'];
  readonly startEmission: (emission: Emission) => void;
  readonly startRebuild: () => void;
  readonly crash: (life: Life) => void;
  /** Emissions that have not ended. */
  readonly emitting: () => number;
  /** The newest generation that readers were pointed to. */
  readonly current: () => Generation | undefined;
  readonly asBroker: (label: string, what: () => void | Promise<void>, afterMs?: number) => void;
  /** Notes what must not be, and ends the schedule. */
  readonly diverge: (code: DivergenceCode, message: string) => never;
  readonly failure: () => Error | undefined;
};

export type WorldOptions = {
  readonly order: Chance;
  readonly faults: Faults;
  readonly corpus: Corpus;
  readonly isPinned: boolean;
  readonly throughGateway: boolean;
  /** Projectors give the thread back while they fold. */
  readonly inPieces: boolean;
  readonly hasCanary: boolean;
  readonly batchRecordsMax: number;
  readonly opening: Opening;
  readonly trace: ((line: string) => void) | undefined;
};

/** What lies on every log when a schedule begins, and what the reference makes of it. */
export type Opening = {
  readonly records: readonly LogRecord[];
  readonly facts: readonly Fact[];
  readonly remembered: ReturnType<Reference['remembered']>;
};

const restartAfterMs = 3_000;
/** The generation that another log's store has when it is taken for ours. */
const foreignGeneration = 'g1';

export const openWorld = (options: WorldOptions): World => {
  const { order, faults, trace } = options;
  const broker = openLife('broker');
  const facts: (Fact | undefined)[] = [...options.opening.facts];
  const factOf = new Map<unknown, Fact>();
  const projectors = new Map<string, ProjectorProcess>();
  const acknowledged: { position: Position; fact: Fact }[] = [];
  const mortal = new Set<Life>();
  const starts = new Map<string, number>();
  const lookedElsewhere = new Set<Life>();
  let failure: Error | undefined;
  let emitting = 0;
  let current: Generation | undefined;
  let judgedTo = 0;
  let isRolledBack = false;

  /** For what is found inside the product's own calls, which might catch what is thrown. */
  const note = (code: DivergenceCode, message: string): Diverged => {
    const diverged = new Diverged(code, message);
    failure ??= diverged;
    return diverged;
  };
  const diverge = (code: DivergenceCode, message: string): never => {
    throw note(code, message);
  };

  const scheduler: Scheduler = openScheduler({
    startMs: openedAtMs + 60_000,
    chance: order,
    crash: (life) => world.crash(life),
    impatience: () => world.impatience,
    settle: options.throughGateway ? settleTurns : settleTicks,
    trace,
    turnOf: (life, label, canFail) => {
      if (life === broker) return 'runs';
      if (canFail)
        for (const outage of world.outages) if (label.startsWith(`${outage}.`)) return 'fails';
      return faults.turnOf(label, mortal.has(life), canFail);
    },
  });

  const log = openSimulatedLog({
    name: 'log',
    partitions: 1,
    scheduler,
    broker,
    batchRecordsMax: options.batchRecordsMax,
    brokerMs: () => Math.round(scheduler.nowMs() + world.brokerSkewMs),
    copied: (record) => record,
    appended: (_partition, position, record) => {
      // What nobody prepared is a decision of an analyser.
      const fact = factOf.get(record) ?? readDecision(record);
      facts[position] = fact;
      trace?.(`  ->  ${position}: ${fact.what}`);
    },
  });
  log.lay(options.opening.records);
  const canary = options.hasCanary
    ? openCanaryHouse({ scheduler, broker, log, trace, openStore: (life) => store.open(life) })
    : undefined;
  const logs = [log, ...(canary?.logs ?? [])];
  const revivals = new Map<Life, () => void>();

  const judge = openJudge(
    log.records(0),
    (position) => {
      const fact = facts[position];
      if (fact === undefined) throw new RangeError(`nobody knows what record ${position} says`);
      return fact.told;
    },
    new Reference(log.records(0), options.opening.remembered),
  );

  const nextOf = async (store: ReadModelStore): Promise<Position> => {
    const pointed = await store.current();
    const generation = pointed.ok ? pointed.value : undefined;
    if (generation === undefined) return 0;
    const checkpoint = await store.checkpoint(generation);
    return (checkpoint.ok ? checkpoint.value?.next : undefined) ?? 0;
  };

  const store = openSimulatedStore(scheduler, {
    committed: (life, generation, step, before) => {
      if (!world.isOwnStore) {
        // What begins a generation of its own there spoils nothing.
        if (generation !== foreignGeneration) return;
        diverge('foreign-write', `${life.name} wrote ${generation} of another log's store`);
      }
      judge.committed(generation, step, before);
    },
    told: (life, step) => {
      for (const process of projectors.values())
        if (process.life === life) process.passed += step.to.next - (step.from?.next ?? 0);
    },
    rebuildBegun: async (life) => {
      world.floors.delete(life);
      if (world.isOwnStore) world.floors.set(life, await nextOf(store.instance().store));
    },
    checkpointRead: (life) => {
      if (world.isOwnStore) lookedElsewhere.delete(life);
      else lookedElsewhere.add(life);
    },
    switched: async (life, _from, to) => {
      if (!world.isOwnStore) {
        // Who was put before another store between looking and switching could not know.
        if (lookedElsewhere.has(life))
          diverge('foreign-write', `${life.name} pointed readers of another log to ${to}`);
        return;
      }
      current = to;
      const floor = world.floors.get(life) ?? 0;
      const next = await nextOf(store.instance().store);
      if (next < floor)
        diverge('switched-too-early', `${to} stands at ${next}; readers had ${floor} already`);
    },
    dropped: () => undefined,
  });

  const portsOf = (life: Life): ProjectionPorts => ({
    log: log.open(life),
    store: store.open(life),
    tools,
    audience,
    pinnedLogId: world.pinnedLogId,
    ...(options.inPieces ? cores(life) : {}),
  });

  /** Others have their turn in the middle of a batch, and signatures are checked on further cores. */
  const cores = (life: Life): Pick<ProjectionPorts, 'turn' | 'signatureChecking'> => ({
    turn: () => scheduler.call(life, 'turn', () => undefined),
    signatureChecking: {
      verifyAll: (signed) =>
        scheduler.call(life, 'verify', () =>
          signed.map(({ publicKey, message, signature }) =>
            tools.crypto.verify('ed25519', publicKey, message, signature),
          ),
        ),
      close: async () => {},
    },
  });

  const newLife = (name: string): Life => {
    const number = (starts.get(name) ?? 0) + 1;
    starts.set(name, number);
    return openLife(`${name}#${number}`);
  };

  const hear = (heard: ProjectorProcess | undefined, event: ProjectorEvent): void => {
    trace?.(`  ..  ${heard?.life.name ?? 'a projector'} says ${JSON.stringify(event)}`);
    if (event.event === 'conflict' && heard !== undefined) {
      if (heard.conflictsTold.has(event.position))
        note('conflict-told-twice', `${heard.life.name} told ${event.position} again`);
      heard.conflictsTold.add(event.position);
      judge.reference.foldTo(event.position + 1);
      const outcome = judge.reference.outcomeAt(event.position);
      if (outcome?.outcome !== 'dead-letter' || outcome.holds !== event.deployment)
        note('conflict-untrue', `${event.position} is no conflict of ${event.deployment}`);
    }
    if (event.event === 'stopped-by' && /^[A-Z][A-Za-z]*Error\b/.test(event.message))
      note('threw', event.message);
  };

  const world: World = {
    scheduler,
    log,
    store,
    judge,
    faults,
    projectors,
    causes: new Set(),
    acknowledged,
    trace,
    isOwnStore: true,
    isOfNewerRelease: false,
    brokerSkewMs: 0,
    outages: new Set(),
    impatience: 0.08,
    floors: new Map(),
    factAt: (position) => facts[position],
    pinnedLogId: options.isPinned ? logIdOf('simulated') : null,
    startProjector: (name) => {
      const life = newLife(name);
      mortal.add(life);
      revivals.set(life, () => world.startProjector(name));
      const holder: { process?: ProjectorProcess } = {};
      const projector = startProjector({
        ...portsOf(life),
        clock: scheduler.clockOf(life),
        tell: (event) => hear(holder.process, event),
      });
      holder.process = { life, projector, passed: 0, conflictsTold: new Set() };
      projectors.set(name, holder.process);
      void projector.ended.then((problem) => {
        if (!life.isAlive) return;
        trace?.(`  !!  ${life.name} ends: ${problem?.code ?? 'stopped'}`);
        const code = problem?.code ?? 'stopped';
        if (!world.causes.has(code))
          note('stopped-without-cause', `${life.name}: ${problem?.message}`);
        faults.refused(code);
        life.isAlive = false;
        scheduler.forget(life);
        world.asBroker(`start ${name}`, () => world.startProjector(name), restartAfterMs);
      });
    },
    hasCanary: options.hasCanary,
    rebalance: (choose) => {
      for (const one of logs) one.rebalance(choose);
    },
    startCanary: (canaryFacts) => {
      const start = (name: string): void => {
        const life = newLife(name);
        mortal.add(life);
        revivals.set(life, () => start(name));
        canary?.startAnalyser(life);
      };
      for (const name of ['analyser A', 'analyser B']) start(name);
      world.startEmission({
        name: 'canary',
        groups: canaryFacts.map((fact) => ({ afterMs: 0, facts: [fact] })),
      });
      const started = canaryFacts.at(-1);
      canary?.startServers(
        newLife('servers'),
        () => acknowledged.some(({ fact }) => fact === started),
        world.isCanaryJudged,
      );
    },
    isCanaryJudged: () => {
      const end = log.records(0).length;
      judge.reference.foldTo(end);
      for (; judgedTo < end; judgedTo++) {
        const outcome = judge.reference.outcomeAt(judgedTo);
        if (outcome?.outcome !== 'applied' || outcome.note !== 'applied') continue;
        const { marker } = outcome.change;
        if (marker.kind === 'roll-back' && marker.deployment === canaryDeployment)
          isRolledBack = true;
      }
      return isRolledBack;
    },
    startEmission: (emission) => {
      const life = newLife(emission.name);
      for (const { facts: sent } of emission.groups)
        for (const fact of sent) factOf.set(fact.record, fact);
      emitting += 1;
      const sending = emit(
        {
          log: log.open(life),
          clock: scheduler.clockOf(life),
          throughGateway: options.throughGateway,
          acknowledged: (position, fact) => void acknowledged.push({ position, fact }),
        },
        emission,
      );
      void sending.then(() => {
        emitting -= 1;
      });
    },
    startRebuild: () => {
      const life = newLife('operator');
      mortal.add(life);
      rebuild(portsOf(life)).then(
        (rebuilt) => {
          const answer = rebuilt.ok ? rebuilt.value.generation : rebuilt.problem.code;
          trace?.(`  ..  the rebuild of ${life.name} ends: ${answer}`);
        },
        (cause: unknown) => {
          note('threw', String(cause));
        },
      );
    },
    crash: (life) => {
      life.isAlive = false;
      scheduler.forget(life);
      for (const one of logs) one.expire(life);
      const revive = revivals.get(life);
      if (revive !== undefined) world.asBroker(`start ${life.name}`, revive, restartAfterMs);
    },
    emitting: () => emitting,
    current: () => current,
    asBroker: (label, what, afterMs = 0) => {
      void scheduler
        .clockOf(broker)
        .sleep(afterMs)
        .then(() => scheduler.call(broker, label, what));
    },
    diverge,
    failure: () => failure,
  };
  return world;
};
