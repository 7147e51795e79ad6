import { parseArgs } from 'node:util';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { wholeNumber } from '../whole-number.ts';

export type SimulateOptions = {
  readonly does: 'schedules' | 'campaign' | 'planted';
  readonly schedules: number;
  readonly seed: number;
  readonly minutes: number;
  readonly workers: number;
  readonly file: string;
  readonly trace: boolean;
  readonly first: boolean;
  readonly json: boolean;
  readonly help: boolean;
};

export const usage = `Log, store, clock, network and crashes under one seeded scheduler, around the real projector.

  npm run simulate -- [--schedules N] [--seed N] [--trace] [--first] [--json]
  npm run simulate -- --campaign [--minutes N] [--workers N] [--file FILE] [--json]
  npm run simulate -- --planted [--json]

  --schedules N  how many schedules, 1 to 10000000 (default 1000); some thirty faults each
  --seed N       the first one's seed, 0 to 4294967295 (default 1); the next has the next
  --trace        print every step of the first schedule
  --first        stop at the first divergence, and do not shrink it
  --campaign     go on with the seeds that no campaign has tried, and add it up in a file
  --minutes N    how long a campaign runs, 1 to 1440 (default 10)
  --workers N    on how many threads a campaign runs, 1 to 64 (default 1)
  --file FILE    where campaigns add up (default services/dev/simulate/campaign.json)
  --planted      plant each known bug and see it caught
  --json         end with one line of JSON on stdout; all else goes to stderr
  --help         this text

Exit codes: 0 nothing diverged (every planted bug was caught), 1 otherwise, 2 bad input.
`;

export const campaignFile = 'services/dev/simulate/campaign.json';
const seedMax = 2 ** 32 - 1;
const schedulesMax = 10_000_000;
const minutesMax = 1440;
const workersMax = 64;

/** The options, or a sentence that says what is wrong with them. */
export const parseArguments = (args: readonly string[]): Result<SimulateOptions, string> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        schedules: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1' },
        minutes: { type: 'string', default: '10' },
        workers: { type: 'string', default: '1' },
        file: { type: 'string', default: campaignFile },
        campaign: { type: 'boolean', default: false },
        planted: { type: 'boolean', default: false },
        trace: { type: 'boolean', default: false },
        first: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { campaign, planted, trace, first, json, help, file } = values;
    if (campaign && planted) return fail('--campaign and --planted do not go together');
    const schedules = wholeNumber('--schedules', values.schedules, 1, schedulesMax);
    if (!schedules.ok) return schedules;
    const seed = wholeNumber('--seed', values.seed, 0, seedMax);
    if (!seed.ok) return seed;
    const minutes = wholeNumber('--minutes', values.minutes, 1, minutesMax);
    if (!minutes.ok) return minutes;
    const workers = wholeNumber('--workers', values.workers, 1, workersMax);
    if (!workers.ok) return workers;
    const does = campaign ? 'campaign' : planted ? 'planted' : 'schedules';
    return ok({
      does,
      schedules: schedules.value,
      seed: seed.value,
      minutes: minutes.value,
      workers: workers.value,
      file,
      trace,
      first,
      json,
      help,
    });
  } catch (error) {
    // parseArgs throws a TypeError that names the flag.
    if (error instanceof TypeError) return fail(error.message);
    throw error;
  }
};
