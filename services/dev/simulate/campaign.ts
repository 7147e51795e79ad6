import { existsSync, readFileSync } from 'node:fs';
import { writeWhole } from '../write-whole.ts';

// Schedules add up over many runs, on many days: which commit, which seeds, what came of them.

export type CampaignRun = {
  /** The commit that was checked out; `changed` where files differed from it. */
  readonly commit: string;
  readonly changed: boolean;
  /** Seeds `from` to `to`, both included. */
  readonly from: number;
  readonly to: number;
  readonly schedules: number;
  readonly faults: number;
  readonly divergences: number;
  readonly seconds: number;
};

export type Campaign = {
  readonly schedules: number;
  readonly faults: number;
  readonly divergences: number;
  readonly seconds: number;
  readonly runs: readonly CampaignRun[];
};

const nothing: Campaign = { schedules: 0, faults: 0, divergences: 0, seconds: 0, runs: [] };

export const readCampaign = (file: string): Campaign =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Campaign) : nothing;

/** The first seed that no campaign has tried. */
export const nextSeed = ({ runs }: Campaign): number =>
  runs.reduce((next, { to }) => Math.max(next, to + 1), 1);

/** Adds a run; one that goes on where the last of the same commit stopped is counted with it. */
export const addRun = (campaign: Campaign, run: CampaignRun): Campaign => {
  const last = campaign.runs.at(-1);
  const goesOn =
    last !== undefined &&
    last.commit === run.commit &&
    last.changed === run.changed &&
    last.to + 1 === run.from;
  const runs = goesOn
    ? [...campaign.runs.slice(0, -1), { ...run, ...sum(last, run), from: last.from }]
    : [...campaign.runs, run];
  return { ...sum(campaign, run), runs };
};

type Sums = Omit<Campaign, 'runs'>;

const sum = (a: Sums, b: Sums): Sums => ({
  schedules: a.schedules + b.schedules,
  faults: a.faults + b.faults,
  divergences: a.divergences + b.divergences,
  seconds: Math.round((a.seconds + b.seconds) * 10) / 10,
});

/** Whole or not at all: a campaign that is stopped in the middle leaves what it had. */
export const writeCampaign = (file: string, campaign: Campaign): void => {
  writeWhole(file, `${JSON.stringify(campaign, null, 2)}\n`);
};
