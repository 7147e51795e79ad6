import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitOfServices } from '../commit.ts';
import { writeWhole } from '../write-whole.ts';

// The sum of all faults that were ever made on real parts, in a committed file. Runs write it; the only thing that a
// person adds is why a run is void.

export type CampaignRun = {
  readonly run: 'campaign';
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly commit: string;
  readonly seed: number;
  readonly minutes: number;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly divergent: number;
  readonly checks: number;
  readonly records: number;
  /** Canaries that were rolled back: 0 says that one roll-back an attempt was not tried. Runs before 2026-11-22 did not count. */
  readonly rollBacks?: number;
  readonly recoveryP50Ms: number | null;
  readonly recoveryP99Ms: number | null;
  /** Null where it ended well, else what failed. */
  readonly problem: string | null;
  /** Why it proves nothing, neither good nor bad, as was found later: nothing of it is in the sums. */
  readonly void?: string;
};

export type CutsRun = {
  readonly run: 'aof-cuts';
  readonly at: string;
  readonly commit: string;
  readonly seed: number;
  readonly cuts: number;
  readonly clean: number;
  readonly seconds: number;
};

export type Odometer = {
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly divergent: number;
  readonly aofCuts: number;
  readonly aofCutsClean: number;
  readonly byKind: { readonly [kind: string]: number };
  readonly runs: readonly (CampaignRun | CutsRun)[];
};

export const odometerFile: string = join(import.meta.dirname, 'odometer.json');

const empty: Odometer = {
  faults: 0,
  lost: 0,
  doubled: 0,
  divergent: 0,
  aofCuts: 0,
  aofCutsClean: 0,
  byKind: {},
  runs: [],
};

export const readOdometer = (file: string = odometerFile): Odometer => {
  try {
    return { ...empty, ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<Odometer>) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return empty;
    throw error;
  }
};

export const withCampaign = (
  odometer: Odometer,
  run: CampaignRun,
  byKind: ReadonlyMap<string, number>,
): Odometer => {
  const kinds = new Map(Object.entries(odometer.byKind));
  for (const [kind, count] of byKind) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  return {
    ...odometer,
    faults: odometer.faults + run.faults,
    lost: odometer.lost + run.lost,
    doubled: odometer.doubled + run.doubled,
    divergent: odometer.divergent + run.divergent,
    byKind: Object.fromEntries([...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    runs: [...odometer.runs, run],
  };
};

export const withCuts = (odometer: Odometer, run: CutsRun): Odometer => ({
  ...odometer,
  aofCuts: odometer.aofCuts + run.cuts,
  aofCutsClean: odometer.aofCutsClean + run.clean,
  runs: [...odometer.runs, run],
});

export const writeOdometer = (odometer: Odometer, file: string = odometerFile): void =>
  writeWhole(file, `${JSON.stringify(odometer, null, 2)}\n`);

/** The commit that ran, with a plus where the tree had changes; `unknown` outside of git. */
export const commitOfTree = (): string => {
  try {
    const { commit, changed } = commitOfServices();
    return `${commit}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
};

/** The value below which the share lies, of numbers in any order; null of none. */
export const quantile = (values: readonly number[], share: number): number | null => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
};
