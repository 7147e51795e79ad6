import { parseArgs } from 'node:util';

import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { wholeNumber } from '../whole-number.ts';
import { cells, cellsNamed } from './cells.ts';
import type { Cell } from './cells.ts';
import { climates } from './climates.ts';
import type { JudgePlug } from './judge-plug.ts';
import { judges } from './judges.ts';

export type CalibrateOptions = {
  readonly does: 'campaign' | 'report' | 'list';
  readonly minutes: number;
  readonly cells: readonly Cell[];
  readonly judges: readonly JudgePlug[];
  /** null: as many as each cell asks for. */
  readonly runs: number | null;
  /** null: that of the file, or 1. */
  readonly seed: number | null;
  readonly file: string;
  readonly reportFolder: string;
  readonly json: boolean;
  readonly help: boolean;
};

export const campaignFile = 'services/dev/calibrate/campaign.json';

export const usage: string = `Judges simulated canaries, half an hour each, looking after every window of 5 s, and counts what becomes of them:
good ones in every climate, and bad ones, by our judge and by a Mann-Whitney judge that runs as Kayenta does.
Results add up in a file; a campaign goes on where the last one stopped.

  npm run judge:calibrate -- [--minutes N] [--only CLIMATE] [--judge NAME]... [--runs N] [--seed N] [--file FILE] [--json]
  npm run judge:calibrate -- --report FOLDER [--file FILE]
  npm run judge:calibrate -- --list

  --minutes N     stop after so long, 1 to 1440 (default 10), or when every goal is reached
  --only CLIMATE  one climate (${climates.map(({ name }) => name).join(', ')})
                  or one cell, as --list names it
  --judge NAME    one judge, as --list names it, or all whose names begin so; may be said several times
  --runs N        runs of each cell in all, 1 to 1000000 (default: 1000; 2000 good ones in plain weather; 10000 good ones
                  for a judge that makes a promise about them, and of errors of 1 % at 5/45 and 5/5 for those whose
                  test at the deadline has a published figure)
  --seed N        0 to 4294967295 (default 1); only for a new file: the runs of one file are those of one seed
  --file FILE     where results add up (default ${campaignFile})
  --report FOLDER write tables (calibration.md), plots (plots/*.svg) and what the judges are held against
                  (held-against.md) there, and say what is missed
  --list          the cells and the judges
  --json          end with one line of JSON on stdout; all else goes to stderr
  --help          this text

Exit codes: 0 done; 1 a judge rolled back more good canaries than it promises, or the report misses something;
2 bad input.
`;

const seedMax = 2 ** 32 - 1;
const runsMax = 1_000_000;
const minutesMax = 1_440;

/** The options, or a sentence that says what is wrong with them. */
export const parseArguments = (args: readonly string[]): Result<CalibrateOptions, string> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '10' },
        only: { type: 'string' },
        judge: { type: 'string', multiple: true, default: [''] },
        runs: { type: 'string' },
        seed: { type: 'string' },
        file: { type: 'string', default: campaignFile },
        report: { type: 'string' },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { only, judge, report, list, json, help, file } = values;
    if (list && report !== undefined) return fail('--list and --report do not go together');
    const minutes = wholeNumber('--minutes', values.minutes, 1, minutesMax);
    if (!minutes.ok) return minutes;
    const runs = wholeNumberOrNone('--runs', values.runs, 1, runsMax);
    if (!runs.ok) return runs;
    const seed = wholeNumberOrNone('--seed', values.seed, 0, seedMax);
    if (!seed.ok) return seed;
    const chosenCells = only === undefined ? cells : cellsNamed(only);
    if (chosenCells.length === 0)
      return fail(`--only ${only}: no climate and no cell has that name; see --list`);
    const unknown = judge.find((named) => !judges.some(({ name }) => name.startsWith(named)));
    if (unknown !== undefined)
      return fail(`--judge ${unknown}: no judge has that name; see --list`);
    const chosenJudges = judges.filter(({ name }) => judge.some((named) => name.startsWith(named)));
    return ok({
      does: list ? 'list' : report === undefined ? 'campaign' : 'report',
      minutes: minutes.value,
      cells: chosenCells,
      judges: chosenJudges,
      runs: runs.value,
      seed: seed.value,
      file,
      reportFolder: report ?? '',
      json,
      help,
    });
  } catch (error) {
    // parseArgs throws a TypeError that names the flag.
    if (error instanceof TypeError) return fail(error.message);
    throw error;
  }
};

const wholeNumberOrNone = (
  flag: string,
  text: string | undefined,
  min: number,
  max: number,
): Result<number | null, string> =>
  text === undefined ? ok(null) : wholeNumber(flag, text, min, max);
