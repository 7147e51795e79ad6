/** What is measured: ways to do the same work, and which of them to compare. */
export type Bench = {
  readonly name: string;
  /** What one operation is: `point`, `marker`, … */
  readonly unit: string;
  readonly alternatives: readonly Alternative[];
  readonly ratios: readonly RatioOf[];
  readonly open?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  /** CPU that another process (a server) has used so far for this bench, in microseconds. */
  readonly extraCpuMicros?: () => Promise<number>;
  /** What else was seen, one line each; asked before `close`. */
  readonly notes?: () => readonly string[];
  /** Why it cannot be measured here; undefined: it can. */
  readonly skipped?: () => Promise<string | undefined>;
};

export type Alternative = {
  readonly name: string;
  /** Does some of the work, and answers how many operations that were (more than 0). */
  readonly run: () => Promise<number | Measured> | number;
  /** Puts away what a run left. Not counted. */
  readonly tidy?: () => Promise<void>;
};

/** Work that looks at its own clock, because it begins with what is none of it. */
export type Measured = {
  readonly operations: number;
  readonly wallMicros: number;
  /** CPU of processes that the bench does not count. */
  readonly cpuMicros: number;
};

/** The time per operation of alternative `of`, divided by that of alternative `over`. */
export type RatioOf = {
  readonly name: string;
  readonly of: string;
  readonly over: string;
  /** Which time is meant; CPU unless told. */
  readonly by?: 'cpu' | 'wall';
};

export type Rounds = {
  readonly rounds: number;
  /** How long each alternative runs in each round, at least. */
  readonly minMs: number;
};

/**
 * Microseconds per operation in one round. CPU is that of this whole process, all its threads, and
 * of the server the bench counts in.
 */
export type Cost = { readonly cpuMicros: number; readonly wallMicros: number };

export type Spread = {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
};

export type AlternativeResult = {
  readonly name: string;
  readonly cpuMicros: Spread;
  readonly wallMicros: Spread;
};

export type RatioResult = RatioOf & { readonly cpu: Spread; readonly wall: Spread };

export type BenchResult = {
  readonly name: string;
  readonly unit: string;
  readonly alternatives: readonly AlternativeResult[];
  readonly ratios: readonly RatioResult[];
  readonly notes: readonly string[];
};

/**
 * Runs the alternatives of a bench in turn, round after round, so that a busy machine hits them
 * alike; each round begins with another one. A round that nobody counts comes first, to warm up.
 * Ratios are formed inside a round, between neighbours in time.
 */
export const interleave = async (bench: Bench, settings: Rounds): Promise<BenchResult> => {
  try {
    await bench.open?.();
    await runRound(bench, 0, settings.minMs);
    const rounds: ReadonlyMap<string, Cost>[] = [];
    for (let round = 0; round < settings.rounds; round++) {
      rounds.push(await runRound(bench, round, settings.minMs));
    }
    return { ...summarise(bench, rounds), notes: bench.notes?.() ?? [] };
  } finally {
    await bench.close?.();
  }
};

const rotated = <Item>(items: readonly Item[], by: number): readonly Item[] => {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
};

const runRound = async (
  bench: Bench,
  round: number,
  minMs: number,
): Promise<ReadonlyMap<string, Cost>> => {
  const costs = new Map<string, Cost>();
  for (const alternative of rotated(bench.alternatives, round)) {
    const extraBefore = (await bench.extraCpuMicros?.()) ?? 0;
    const { operations, cpuMicros, wallMicros } = await measure(alternative, minMs);
    const extraMicros = ((await bench.extraCpuMicros?.()) ?? 0) - extraBefore;
    await alternative.tidy?.();
    costs.set(alternative.name, {
      cpuMicros: (cpuMicros + extraMicros) / operations,
      wallMicros: wallMicros / operations,
    });
  }
  return costs;
};

const measure = async (
  { name, run }: Alternative,
  minMs: number,
): Promise<Cost & { readonly operations: number }> => {
  const cpuBefore = process.cpuUsage();
  const wallBefore = performance.now();
  let operations = 0;
  let elsewhereMicros = 0;
  let wallMicros = 0;
  do {
    const startedMs = performance.now();
    const outcome = run();
    // Awaiting a number would cost a turn of the event loop, which is not part of the work.
    const done = typeof outcome === 'number' ? outcome : await outcome;
    const own = typeof done === 'number' ? { operations: done, cpuMicros: 0 } : done;
    if (!(own.operations > 0)) throw new Error(`${name} did no operation`);
    operations += own.operations;
    elsewhereMicros += own.cpuMicros;
    wallMicros +=
      typeof done === 'number' ? (performance.now() - startedMs) * 1000 : done.wallMicros;
  } while (performance.now() - wallBefore < minMs);
  const cpu = process.cpuUsage(cpuBefore);
  return { operations, cpuMicros: cpu.user + cpu.system + elsewhereMicros, wallMicros };
};

/** The figures of a bench from the costs of its rounds. */
export const summarise = (
  bench: Pick<Bench, 'name' | 'unit' | 'alternatives' | 'ratios'>,
  rounds: readonly ReadonlyMap<string, Cost>[],
): Omit<BenchResult, 'notes'> => {
  const costIn = (round: ReadonlyMap<string, Cost>, name: string): Cost => {
    const cost = round.get(name);
    if (cost === undefined) throw new Error(`bench ${bench.name} has no alternative ${name}`);
    return cost;
  };
  return {
    name: bench.name,
    unit: bench.unit,
    alternatives: bench.alternatives.map(({ name }) => ({
      name,
      cpuMicros: spreadOf(rounds.map((round) => costIn(round, name).cpuMicros)),
      wallMicros: spreadOf(rounds.map((round) => costIn(round, name).wallMicros)),
    })),
    ratios: bench.ratios.map((ratio) => {
      const pairs = rounds.map(
        (round) => [costIn(round, ratio.of), costIn(round, ratio.over)] as const,
      );
      return {
        ...ratio,
        cpu: spreadOf(pairs.map(([of, over]) => of.cpuMicros / over.cpuMicros)),
        wall: spreadOf(pairs.map(([of, over]) => of.wallMicros / over.wallMicros)),
      };
    }),
  };
};

const spreadOf = (values: readonly number[]): Spread => {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (index: number): number => sorted[index] ?? NaN;
  const middle = sorted.length / 2;
  return {
    median: (at(Math.ceil(middle) - 1) + at(Math.floor(middle))) / 2,
    low: at(0),
    high: at(sorted.length - 1),
    rounds: sorted.length,
  };
};
