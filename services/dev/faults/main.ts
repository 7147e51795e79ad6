import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { StackProblem } from '../stack/problem.ts';
import { cutAppendOnlyFiles } from './aof-cuts.ts';
import { clusterFaults, runCampaign, streetFaults } from './campaign.ts';
import {
  commitOfTree,
  odometerFile,
  quantile,
  readOdometer,
  withCampaign,
  withCuts,
  writeOdometer,
} from './odometer.ts';

const kindNames = [...streetFaults, ...clusterFaults].map(({ kind }) => kind);

const help = `Makes faults on real parts: three Kafka nodes, a Redis with append-only file for each of two audiences,
projectors, analysers, gateways and emitters as they run in life. After each fault it is healed, the read models must
come to the end of the log, and what they hold must be, byte for byte, what the log says.

  npm run faults -- --minutes N [--seed S] [--json]      faults for so many minutes
  npm run faults -- --aof-cuts N [--seed S] [--json]     cuts append-only files at N random bytes

  --seed S     picks the same faults again; real parts take their own time all the same
  --only K,…   only these kinds of fault
  --events     every event as it happens
  --json       the last line is {"faults","lost","doubled","divergent","recoveryP99Ms"},
               with --aof-cuts {"cuts","clean","empty","seconds"}
  --help       this text

Each run adds to ${odometerFile.slice(odometerFile.indexOf('services'))}. Ctrl-C ends it in order, a second one at once.
Exit codes: 0 nothing was found; 1 something was, and the evidence is kept; 2 bad input or a missing prerequisite.

Kinds: ${kindNames.join(', ')}
`;

type Asked = {
  readonly minutes: number | null;
  readonly cuts: number | null;
  readonly seed: number;
  readonly only: readonly string[];
  readonly json: boolean;
  readonly events: boolean;
  readonly help: boolean;
};

const minutesMax = 7 * 24 * 60;
const cutsMax = 1_000_000;
const seedMax = 2 ** 31;

const parse = (args: readonly string[]): Asked | string => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        'aof-cuts': { type: 'string' },
        seed: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        events: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const minutes = numberOf(values.minutes, minutesMax);
    const cuts = numberOf(values['aof-cuts'], cutsMax);
    const seed = numberOf(values.seed, seedMax) ?? randomInt(1_000_000);
    if (Number.isNaN(minutes)) return `--minutes takes a number up to ${minutesMax}`;
    if (Number.isNaN(cuts)) return `--aof-cuts takes a whole number up to ${cutsMax}`;
    if (Number.isNaN(seed)) return '--seed takes a whole number';
    if (!values.help && (minutes === null) === (cuts === null))
      return 'say --minutes N or --aof-cuts N';
    const only = values.only?.split(',') ?? [];
    const unknown = only.find((kind) => !kindNames.includes(kind));
    if (unknown !== undefined) return `--only ${unknown}: there is no such kind`;
    const { json, events } = values;
    return { minutes, cuts, seed, only, json, events, help: values.help };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** Null where nothing was given, NaN where it is no such number. */
const numberOf = (text: string | undefined, max: number): number | null => {
  if (text === undefined) return null;
  const number = Number(text);
  return text.trim() !== '' && number > 0 && number <= max ? number : Number.NaN;
};

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const stopSignal = (): AbortSignal => {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // What was started ends with us.
      if (stopping.signal.aborted) process.exit(1);
      say('ending in order; again to end at once');
      stopping.abort();
    });
  return stopping.signal;
};

const campaign = async (asked: Asked & { readonly minutes: number }): Promise<number> => {
  const { minutes, seed, only, json } = asked;
  const at = new Date().toISOString();
  const commit = commitOfTree();
  say(`seed ${seed}`);
  const onEvent = (line: string): void => (asked.events ? say(line) : undefined);
  const result = await runCampaign({ minutes, seed, only, say, onEvent, stop: stopSignal() });
  const count = (code: string): number =>
    result.findings.filter((finding) => finding.code === code).length;
  const [p50, p99] = [0.5, 0.99].map((share) => {
    const ms = quantile(result.recoveriesMs, share);
    return ms === null ? null : Math.round(ms);
  });
  const told = {
    faults: result.faults,
    lost: count('lost'),
    doubled: count('doubled'),
    divergent: count('divergent'),
  };
  const run = {
    run: 'campaign' as const,
    at,
    commit,
    seed,
    minutes: Number(result.minutes.toFixed(1)),
    ...told,
    checks: result.checks,
    records: result.records,
    rollBacks: result.rollBacks,
    recoveryP50Ms: p50 ?? null,
    recoveryP99Ms: p99 ?? null,
    problem: result.problem?.split('\n')[0] ?? null,
  };
  writeOdometer(withCampaign(readOdometer(), run, result.byKind));
  if (result.problem !== null)
    say(
      `FAILED (seed ${seed}): ${result.problem}\n\nlast events:\n${result.lastEvents.join('\n')}\n\nevidence: ${result.evidence}`,
    );
  for (const [kind, faults] of [...result.byKind].toSorted(([, a], [, b]) => b - a))
    print(`${String(faults).padStart(6)}  ${kind}`);
  print(
    `${result.faults} faults in ${run.minutes} min (${Math.round((result.faults / result.minutes) * 60)} an hour), ` +
      `${result.checks} checks, ${result.records} records, ${result.rollBacks} roll-backs; recovery p50 ${p50} ms, p99 ${p99} ms`,
  );
  if (result.rollBacks === 0)
    say('no canary was rolled back in this run, so that each is rolled back once was not tried');
  if (json) print(JSON.stringify({ ...told, recoveryP99Ms: p99 ?? null }));
  return result.problem === null ? 0 : 1;
};

const aofCuts = async (asked: Asked & { readonly cuts: number }): Promise<number> => {
  const { seed, json } = asked;
  const at = new Date().toISOString();
  const commit = commitOfTree();
  say(`seed ${seed}`);
  const found = await cutAppendOnlyFiles({ cuts: asked.cuts, seed, say, stop: stopSignal() });
  const { cuts, clean, empty, problem } = found;
  const seconds = Number(found.seconds.toFixed(1));
  writeOdometer(
    withCuts(readOdometer(), { run: 'aof-cuts', at, commit, seed, cuts, clean, seconds }),
  );
  if (problem !== null) say(`FAILED (seed ${seed}): ${problem}`);
  print(`${clean} of ${cuts} cuts clean, ${empty} of them left nothing, in ${seconds} s`);
  if (json) print(JSON.stringify({ cuts, clean, empty, seconds }));
  return problem === null ? 0 : 1;
};

const main = async (): Promise<number> => {
  const asked = parse(process.argv.slice(2));
  if (typeof asked === 'string') {
    say(`${asked}\n\n${help}`);
    return 2;
  }
  const { minutes, cuts } = asked;
  if (asked.help || (minutes === null && cuts === null)) {
    process.stdout.write(help);
    return 0;
  }
  try {
    if (minutes !== null) return await campaign({ ...asked, minutes });
    return cuts === null ? 2 : await aofCuts({ ...asked, cuts });
  } catch (error) {
    if (!(error instanceof StackProblem)) throw error;
    say(`${error.code}: ${error.message}`);
    return 2;
  }
};

process.exit(await main());
