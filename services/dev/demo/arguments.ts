import { parseArgs } from 'node:util';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';

export type DemoOptions = {
  readonly healthy: boolean;
  readonly foundation: 'embedded' | 'stack';
  readonly json: boolean;
  readonly seed: number;
  readonly keep: boolean;
  readonly help: boolean;
};

export const usage = `A canary, its telemetry and a decision, on this machine and within a minute.

  npm run demo [-- --healthy] [-- --stack] [-- --json] [-- --seed N] [-- --keep]

  --healthy  the canary has no bug, and is promoted
  --stack    on a real Kafka and a real Redis (see npm run stack) instead of one SQLite file
  --json     end with one line of JSON on stdout; the story goes to stderr
  --seed N   whose carts come, 0 to 4294967295 (default 1)
  --keep     leave the folder with log, keys and database, and say where it is
  --help     this text

Exit codes: 0 rolled back or promoted, 1 neither, 2 bad input, 130 stopped by Ctrl-C.
`;

const seedMax = 2 ** 32 - 1;

/** The options of the demo, or a sentence that says what is wrong with them. */
export const parseArguments = (args: readonly string[]): Result<DemoOptions, string> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        healthy: { type: 'boolean', default: false },
        stack: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { healthy, stack, json, seed, keep, help } = values;
    if (!/^\d{1,10}$/.test(seed) || Number(seed) > seedMax)
      return fail(`--seed must be a whole number from 0 to ${seedMax}, not ${seed}`);
    const foundation = stack ? 'stack' : 'embedded';
    return ok({ healthy, foundation, json, seed: Number(seed), keep, help });
  } catch (error) {
    // parseArgs throws a TypeError that names the flag.
    if (error instanceof TypeError) return fail(error.message);
    throw error;
  }
};
