import { makeObjectsYoung } from '../../adapters/system/young-objects.ts';
import { parseArguments, usage } from './arguments.ts';
import type { SimulateOptions } from './arguments.ts';
import { commitOfServices } from '../commit.ts';
import { addRun, nextSeed, readCampaign, writeCampaign } from './campaign.ts';
import { runBlocks } from './blocks.ts';
import { makeGround } from './ground.ts';
import { runPlanted } from './planted/run.ts';
import { runSchedules, say } from './run.ts';
import { traceOf } from './shrink.ts';
import type { Tally } from './tally.ts';

// `npm run simulate`: see arguments.ts.

makeObjectsYoung();

const exitBadInput = 2;
const tellEveryMs = 2_000;
/** A campaign is written so often, so that little is lost when it is stopped. */
const saveEveryMs = 60_000;

const seconds = (sinceMs: number): number => Math.round(performance.now() - sinceMs) / 1000;

/** Says how far it is, but not more often than every two seconds. */
const telling = (startedMs: number, of: (done: number) => string): ((tally: Tally) => void) => {
  let toldMs = startedMs;
  return ({ schedules, faults, divergences }) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < tellEveryMs) return;
    toldMs = nowMs;
    const rate = Math.round((schedules / (nowMs - startedMs)) * 1000);
    say(
      `${schedules} ${of(schedules)}: ${faults} faults, ${divergences} divergences, ${rate} schedules/s`,
    );
  };
};

const table = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `  ${name.padEnd(34)} ${count}`)
    .join('\n');

const schedules = async (options: SimulateOptions): Promise<void> => {
  const ground = await makeGround();
  const startedMs = performance.now();
  if (options.trace) for (const line of await traceOf(ground, { seed: options.seed })) say(line);
  const tick = telling(startedMs, () => `of ${options.schedules} schedules`);
  const tally = await runSchedules(ground, {
    seed: options.seed,
    first: options.first,
    isOver: ({ schedules: done }) => done >= options.schedules,
    onSchedule: tick,
  });
  say(`\nfaults:\n${table(tally.byName)}`);
  say(`projectors that refused to go on:\n${table(tally.refusals)}`);
  finish(options, tally, seconds(startedMs));
};

const campaign = async (options: SimulateOptions): Promise<void> => {
  const before = readCampaign(options.file);
  const from = nextSeed(before);
  const at = commitOfServices();
  const startedMs = performance.now();
  const untilMs = startedMs + options.minutes * 60_000;
  const tell = telling(startedMs, (done) => `schedules, ${before.schedules + done} in all`);
  let savedMs = startedMs;
  const save = (tally: Tally): void => {
    const { schedules: done, faults, divergences } = tally;
    const run = { schedules: done, faults, divergences, seconds: seconds(startedMs) };
    writeCampaign(options.file, addRun(before, { ...at, from, to: from + done - 1, ...run }));
  };
  const tally = await runBlocks(
    from,
    options.workers,
    () => performance.now() >= untilMs,
    (now) => {
      tell(now);
      if (performance.now() - savedMs < saveEveryMs) return;
      savedMs = performance.now();
      save(now);
    },
  );
  save(tally);
  const all = readCampaign(options.file);
  say(
    `seeds ${from} to ${from + tally.schedules - 1}; in all ${all.schedules} schedules, ${all.faults} faults, ${all.divergences} divergences`,
  );
  finish(options, tally, seconds(startedMs));
};

const finish = ({ json }: SimulateOptions, tally: Tally, took: number): void => {
  const { schedules: done, faults, divergences } = tally;
  const line = json
    ? JSON.stringify({ schedules: done, faults, divergences, seconds: took })
    : `${done} schedules, ${faults} faults, ${divergences} divergences in ${took} s`;
  process.stdout.write(`${line}\n`);
  process.exitCode = divergences === 0 ? 0 : 1;
};

const main = async (): Promise<void> => {
  const options = parseArguments(process.argv.slice(2));
  if (!options.ok) {
    process.stderr.write(`${options.problem}\n\n${usage}`);
    process.exitCode = exitBadInput;
    return;
  }
  if (options.value.help) {
    process.stdout.write(usage);
    return;
  }
  switch (options.value.does) {
    case 'schedules':
      return schedules(options.value);
    case 'campaign':
      return campaign(options.value);
    case 'planted':
      process.exitCode = await runPlanted(options.value.json);
  }
};

await main();
