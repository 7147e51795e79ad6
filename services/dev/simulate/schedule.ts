import { currentFoldVersion } from '../../core/projection.ts';
import { openChance } from './chance.ts';
import type { Corpus } from './corpus.ts';
import { openFaults } from './faults.ts';
import { Diverged } from './judge.ts';
import type { Divergence } from './judge.ts';
import { strikeOnce } from './strikes.ts';
import type { Elsewhere } from './strikes.ts';
import { chooseWorkload } from './workload.ts';
import type { Opening, World } from './world.ts';
import { openWorld } from './world.ts';
import { createMemoryReadModelStore } from '../../adapters/memory/read-model-store.ts';
import { projectorGroup } from '../../projector/group.ts';
import { refusedPrefix } from '../../projector/start.ts';
import { tools } from './tools.ts';
import { audience } from './write.ts';

// One schedule: an installation, some thirty faults, then everything heals, and must come to what the log says.

export type ScheduleOptions = {
  readonly seed: number;
  /** Faults that are left out, by their number; for shrinking. */
  readonly without?: ReadonlySet<number>;
  /** Each emitter says only so much; for shrinking. */
  readonly groupsMax?: number;
  readonly trace?: (line: string) => void;
};

export type ScheduleResult = {
  readonly seed: number;
  /** How many happened, and how many were drawn: those that were left out with them. */
  readonly faults: number;
  readonly drawn: number;
  readonly byName: ReadonlyMap<string, number>;
  readonly refusals: ReadonlyMap<string, number>;
  readonly records: number;
  readonly steps: number;
  readonly divergence: Divergence | null;
};

/** Made once, used by every schedule. */
export type Ground = {
  readonly corpus: Corpus;
  readonly opening: Opening;
  readonly elsewhere: Elsewhere;
};

/** Streams of one seed. */
const streams = { order: 1, faults: 2, strikes: 3, work: 4 } as const;
const troubledSteps = 190;
const strikeShare = 0.1;
const mendedWithinSteps = 50;
/** Healthy, everything must be done within so many steps. */
const healthySteps = 3_000;
/** Where a canary is judged there are many more. */
const healthyStepsWithCanary = 20_000;
const pinnedShare = 0.7;
const gatewayShare = 0.2;
const inPiecesShare = 0.2;
/** Schedules with analysers: one of them costs as much as ten others. */
const canaryShare = 0.05;
const dumpShare = 0.02;
const lease = projectorGroup(
  tools.crypto,
  audience,
  createMemoryReadModelStore({ orderedModels: [] }).name,
);

/** Runs the schedule of a seed. The same seed and options give the same schedule, step by step. */
export const runSchedule = async (
  ground: Ground,
  options: ScheduleOptions,
): Promise<ScheduleResult> => {
  const { seed, trace } = options;
  const work = openChance(seed, streams.work);
  const faults = openFaults(openChance(seed, streams.faults), options.without ?? new Set<number>());
  const workload = chooseWorkload(ground.corpus, work, faults.strikes);
  const world = openWorld({
    order: openChance(seed, streams.order),
    faults,
    corpus: ground.corpus,
    isPinned: work.happens(pinnedShare),
    throughGateway: work.happens(gatewayShare),
    inPieces: work.happens(inPiecesShare),
    hasCanary: work.happens(canaryShare),
    batchRecordsMax: work.oneOf([3, 10, 200]),
    opening: ground.opening,
    trace,
  });
  for (let number = 1; number <= 2 + work.below(2); number++)
    world.startProjector(`projector ${number}`);
  for (const { name, groups } of workload.emissions)
    world.startEmission({ name, groups: groups.slice(0, options.groupsMax) });
  if (world.hasCanary) world.startCanary(ground.corpus.canary);
  const counted = { steps: 0 };
  const divergence = await run(world, ground, seed, counted).then(
    () => null,
    (cause: unknown): Divergence => {
      if (cause instanceof Diverged) return cause.divergence;
      return { code: 'threw', message: cause instanceof Error ? `${cause.stack}` : String(cause) };
    },
  );
  return {
    seed,
    faults: faults.count(),
    drawn: faults.drawn(),
    byName: faults.byName,
    refusals: faults.refusals,
    records: world.log.records(0).length,
    steps: counted.steps,
    divergence,
  };
};

const step = async (world: World, counted: { steps: number }): Promise<boolean> => {
  counted.steps += 1;
  const goesOn = await world.scheduler.step();
  const failure = world.failure();
  if (failure !== undefined) throw failure;
  return goesOn;
};

const run = async (
  world: World,
  ground: Ground,
  seed: number,
  counted: { steps: number },
): Promise<void> => {
  const chance = openChance(seed, streams.strikes);
  const mends: { readonly atStep: number; readonly mend: () => Promise<void> | void }[] = [];
  for (let at = 0; at < troubledSteps; at++) {
    if (!(await step(world, counted))) break;
    const [strikes, mendIn, dumps] = [chance.number(), chance.number(), chance.number()];
    if (strikes < strikeShare) {
      const mend = await strikeOnce(world, chance, ground.elsewhere);
      const atStep = at + 1 + Math.floor(mendIn * mendedWithinSteps);
      if (mend !== undefined) mends.push({ atStep, mend });
    }
    if (dumps < dumpShare) await compareCurrent(world);
    for (const due of mends.filter(({ atStep }) => atStep === at)) {
      mends.splice(mends.indexOf(due), 1);
      await due.mend();
    }
  }
  world.faults.end();
  // What struck last is mended first.
  for (const { mend } of mends.toReversed()) await mend();
  world.trace?.('      everything heals');
  await converge(world, counted);
  await judgeAtRest(world);
};

const compareCurrent = async (world: World): Promise<void> => {
  if (!world.isOwnStore) return;
  const { store } = world.store.instance();
  const current = await store.current();
  const generations = await store.generations();
  if (!current.ok || !generations.ok) throw new TypeError('the memory store always answers');
  for (const generation of generations.value)
    await world.judge.compareDump(store, generation, generation === current.value);
};

const isDone = async (world: World): Promise<boolean> => {
  if (world.hasCanary && !world.isCanaryJudged()) return false;
  if (world.emitting() > 0 || world.scheduler.operations().length > 0) return false;
  const { store } = world.store.instance();
  const current = await store.current();
  if (!current.ok || current.value === undefined) return false;
  const checkpoint = await store.checkpoint(current.value);
  if (!checkpoint.ok || checkpoint.value === undefined) return false;
  const { next, foldVersion } = checkpoint.value;
  return next === world.log.records(0).length && foldVersion === currentFoldVersion;
};

const converge = async (world: World, counted: { steps: number }): Promise<void> => {
  world.impatience = 0;
  const stepsMax = world.hasCanary ? healthyStepsWithCanary : healthySteps;
  for (let at = 0; at < stepsMax; at++) {
    await world.scheduler.settle();
    if ((await isDone(world)) && isStaffed(world)) return;
    await step(world, counted);
  }
  const stands = [...world.projectors].map(([name, { life, projector }]) => {
    const { active, next, problem } = projector.status();
    return `${name} ${life.isAlive ? '' : 'dead '}${active ? 'active' : 'standing by'} at ${next}${problem === null ? '' : `, ${problem.code}`}`;
  });
  world.diverge(
    'stuck',
    `the log is ${world.log.ownerOf(lease)}'s; healthy for ${stepsMax} steps, the log ends at ${world.log.records(0).length}, ${world.emitting()} emit, ${world.scheduler.operations().join(', ')}: ${stands.join('; ')}`,
  );
};

/** Whoever has the lease works, and nobody is dead. */
const isStaffed = (world: World): boolean => {
  const processes = [...world.projectors.values()];
  const owner = world.log.ownerOf(lease);
  return (
    processes.every(({ life }) => life.isAlive) &&
    processes.some(({ life, projector }) => life.name === owner && projector.status().active)
  );
};

/** What must hold when nothing is under way any more. */
const judgeAtRest = async (world: World): Promise<void> => {
  const records = world.log.records(0);
  world.judge.compareFolds();
  await compareCurrent(world);
  for (const { position, fact } of world.acknowledged)
    if (world.factAt(position) !== fact)
      world.diverge('acknowledged-lost', `${fact.what} was acknowledged at ${position}`);
  const processes = [...world.projectors.values()].filter(({ life }) => life.isAlive);
  for (const { life, projector, passed } of processes) {
    const { overtaken = 0, ...counts } = projector.status().counts;
    const counted = Object.entries(counts)
      .filter(([name]) => !name.startsWith(refusedPrefix))
      .reduce((sum, [, count]) => sum + count, 0);
    if (counted !== passed)
      world.diverge(
        'counts-wrong',
        `${life.name} counts ${counted} records (${overtaken} times overtaken) and has passed ${passed}`,
      );
  }
  const active = processes.filter(({ projector }) => projector.status().active);
  const owner = world.log.ownerOf(lease);
  if (active.length !== 1 || active[0]?.life.name !== owner)
    world.diverge(
      'two-active',
      `${active.map(({ life }) => life.name).join(', ')} are active; the log is ${owner}'s`,
    );
  rollBacksStand(world, records.length);
  for (let position = 0; position < records.length; position++) {
    const outcome = world.judge.reference.outcomeAt(position);
    if (outcome?.outcome !== 'dead-letter' || outcome.code !== 'conflict') continue;
    if (world.factAt(position)?.told.role === 'analyser')
      world.diverge('analysers-disagree', `the decision at ${position} was made otherwise before`);
  }
};

/** The first roll-back of an attempt stands, and no other beside it; that of a thief stands until the theft is known. */
const rollBacksStand = (world: World, end: number): void => {
  const standing = new Set<string>();
  for (let position = 0; position < end; position++) {
    const outcome = world.judge.reference.outcomeAt(position);
    if (outcome?.outcome !== 'applied' || outcome.note !== 'applied') continue;
    const { marker, deployment, attempt } = outcome.change;
    if (marker.kind !== 'roll-back') continue;
    const judged = `${deployment.id} ${attempt.number}`;
    if (standing.has(judged)) world.diverge('second-roll-back', `${judged} at ${position}`);
    if (world.factAt(position)?.told.by !== 'careless') standing.add(judged);
  }
};
