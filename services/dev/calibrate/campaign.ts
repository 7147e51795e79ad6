import { existsSync, readFileSync } from 'node:fs';
import { writeWhole } from '../write-whole.ts';
import { addTallies, noTally } from './tally.ts';
import type { Tally } from './tally.ts';

// Runs add up over many sittings: of each judge and each cell the runs 0 to n - 1 of one seed have been made.

export type Sitting = {
  /** The commit that was checked out; `changed` where files differed from it. */
  readonly commit: string;
  readonly changed: boolean;
  readonly runs: number;
  readonly seconds: number;
};

export type Campaign = {
  readonly seed: number;
  readonly sittings: readonly Sitting[];
  /** By judge, then by cell. */
  readonly results: Readonly<Record<string, Readonly<Record<string, Tally>>>>;
};

export const newCampaign = (seed: number): Campaign => ({ seed, sittings: [], results: {} });

export const tallyIn = ({ results }: Campaign, judge: string, cell: string): Tally =>
  results[judge]?.[cell] ?? noTally;

export const addTally = (
  campaign: Campaign,
  judge: string,
  cell: string,
  more: Tally,
): Campaign => ({
  ...campaign,
  results: {
    ...campaign.results,
    [judge]: {
      ...campaign.results[judge],
      [cell]: addTallies(tallyIn(campaign, judge, cell), more),
    },
  },
});

/** A sitting at the same commit as the last one is counted with it. */
export const addSitting = (campaign: Campaign, sitting: Sitting): Campaign => {
  const last = campaign.sittings.at(-1);
  const goesOn =
    last !== undefined && last.commit === sitting.commit && last.changed === sitting.changed;
  const before = goesOn ? campaign.sittings.slice(0, -1) : campaign.sittings;
  const runs = sitting.runs + (goesOn ? last.runs : 0);
  const seconds = Math.round(sitting.seconds + (goesOn ? last.seconds : 0));
  return { ...campaign, sittings: [...before, { ...sitting, runs, seconds }] };
};

/** undefined: there is none yet. */
export const readCampaign = (file: string): Campaign | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Campaign) : undefined;

/** Whole or not at all: a campaign that is stopped in the middle leaves what it had. One line a cell. */
export const writeCampaign = (file: string, { seed, sittings, results }: Campaign): void => {
  const lines = (of: Readonly<Record<string, unknown>>, indent: string): string =>
    Object.entries(of)
      .map(([name, value]) => `${indent}${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',\n');
  const judges = Object.entries(results).map(
    ([judge, ofCells]) => `    ${JSON.stringify(judge)}: {\n${lines(ofCells, '      ')}\n    }`,
  );
  const sat = sittings.map((sitting) => `    ${JSON.stringify(sitting)}`).join(',\n');
  writeWhole(
    file,
    `{\n  "seed": ${seed},\n  "sittings": [\n${sat}\n  ],\n  "results": {\n${judges.join(',\n')}\n  }\n}\n`,
  );
};
