import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runEmitCampaign } from './campaign.ts';

const help = `Many pipelines emit at once through a gateway that is killed, hung, slow and cut off; a quarter of them is killed
with -9 itself. Then flushes, killed as well, deliver what was kept. What was reported as kept or stored must be on the
log, and in one row.

  npm run faults:emits -- [--emits N] [--at-once N] [--seed S] [--json]

  --emits N     emitting commands, each a process of its own (default 1000)
  --at-once N   so many of them at a time (default 32)
  --seed S      picks the same faults again; processes take their own time all the same

Exit codes: 0 nothing was lost, doubled or failed; 1 something was; 2 bad input.
`;

const emitsDefault = 1000;
const atOnceDefault = 32;
const most = 100_000;

const wholeNumber = (written: string | undefined, otherwise: number): number => {
  if (written === undefined) return otherwise;
  const number = Number(written);
  return Number.isInteger(number) && number > 0 && number <= most ? number : Number.NaN;
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      emits: { type: 'string' },
      'at-once': { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const emits = wholeNumber(values.emits, emitsDefault);
  const atOnce = wholeNumber(values['at-once'], atOnceDefault);
  const seed = wholeNumber(values.seed, 1 + randomInt(most));
  if ([emits, atOnce, seed].some((number) => Number.isNaN(number))) {
    process.stderr.write(`numbers are whole, and at most ${most}\n\n${help}`);
    return 2;
  }
  process.stderr.write(`seed ${seed}\n`);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const result = await runEmitCampaign({ emits, atOnce, seed, say });
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else
    process.stdout.write(
      `${result.emits} emits, ${result.killed} killed, under ${result.gatewayFaults} faults: ${result.stored} stored at once, ` +
        `${result.spooled} kept and delivered by ${result.flushes} flushes, ${result.unmade} that could keep nothing in their time, and said so; ${result.lost} lost, ${result.doubled} doubled, ` +
        `${result.failed} failed (${result.seconds} s)\n`,
    );
  return result.lost + result.doubled + result.failed === 0 ? 0 : 1;
};

// A connection that a fault left half open is not waited for.
process.exit(await main());
