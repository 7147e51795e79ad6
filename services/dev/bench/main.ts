import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { makeObjectsYoung } from '../../adapters/system/young-objects.ts';
import { type Bench, type BenchResult, interleave } from './bench.ts';
import { archiveRead } from './archive-read.ts';
import { canaryFold } from './canary-fold.ts';
import { cliStart } from './cli-start.ts';
import { currentEmbedded, rebuildEmbedded } from './embedded.ts';
import { decisionDelay } from './decision-delay.ts';
import { emitToVisible } from './emit-to-visible.ts';
import { otlpDecode } from './otlp-decode.ts';
import { redisApply } from './redis-apply.ts';
import { redisMemory } from './redis-memory.ts';
import { judge } from './judge.ts';
import { liveProjection } from './live-projection.ts';
import { rebuild } from './rebuild.ts';
import { rebuildVsStreams } from './rebuild-vs-streams.ts';
import { benchReport } from './report.ts';

const MARKERS_SHORT = 20_000;
const MARKERS_FULL = 1_000_000;

const benchesOf = (markers: number): readonly Bench[] => [
  otlpDecode,
  redisApply,
  redisMemory,
  liveProjection,
  judge,
  canaryFold,
  decisionDelay(),
  archiveRead,
  rebuild(markers),
  emitToVisible(),
  cliStart(),
  currentEmbedded(markers),
  rebuildEmbedded(markers),
  rebuildVsStreams(markers),
];
const benches = benchesOf(MARKERS_SHORT);

const ROUNDS_DEFAULT = 7;
const ROUND_MIN_MS = 200;
const EXIT_BAD_INPUT = 2;

const USAGE = `npm run bench [-- --only NAME --rounds N --full --json]
  --only NAME   one bench: ${benches.map((bench) => bench.name).join(', ')}
  --rounds N    rounds that are counted (default ${ROUNDS_DEFAULT})
  --full        logs of ${MARKERS_FULL} markers instead of ${MARKERS_SHORT}; they are made once, in the cache folder
  --json        end with one line {"ratios": ..., "wallRatios": ...}
  --help        this help`;

type Settings = {
  readonly chosen: readonly Bench[];
  readonly rounds: number;
  readonly json: boolean;
};

/** The settings, or what is wrong with the arguments. */
const settingsOf = (args: readonly string[]): Settings | string => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
        full: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const { only, rounds, full, json } = values;
    if (!/^[1-9]\d{0,3}$/.test(rounds)) return `--rounds ${rounds}: not a number from 1 to 9999`;
    const sized = full ? benchesOf(MARKERS_FULL) : benches;
    const chosen = sized.filter((bench) => only === undefined || bench.name === only);
    if (chosen.length === 0) return `--only ${only}: no such bench`;
    return { chosen, rounds: Number(rounds), json };
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
};

const machineLine = (): string =>
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`;

// As the services do.
makeObjectsYoung();
const args = process.argv.slice(2);
const settings = settingsOf(args);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (typeof settings === 'string') {
  process.stderr.write(`${settings}\n${USAGE}\n`);
  process.exitCode = EXIT_BAD_INPUT;
} else {
  process.stdout.write(`${machineLine()}\n`);
  const results: BenchResult[] = [];
  for (const bench of settings.chosen) {
    const why = await bench.skipped?.();
    if (why !== undefined) {
      process.stdout.write(`\n${bench.name}: skipped: ${why}\n`);
      continue;
    }
    const result = await interleave(bench, { rounds: settings.rounds, minMs: ROUND_MIN_MS });
    process.stdout.write(`\n${benchReport(result)}`);
    results.push(result);
  }
  if (settings.json) {
    const all = results.flatMap((result) => result.ratios);
    const ratios = all.map(({ name, by, cpu, wall }) => [name, by === 'wall' ? wall : cpu]);
    const wallRatios = all.map(({ name, wall }) => [name, wall]);
    const line = {
      ratios: Object.fromEntries(ratios),
      wallRatios: Object.fromEntries(wallRatios),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
