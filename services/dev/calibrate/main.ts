import { commitOfServices } from '../commit.ts';
import { parseArguments, usage } from './arguments.ts';
import type { CalibrateOptions } from './arguments.ts';
import { addSitting, newCampaign, readCampaign, writeCampaign } from './campaign.ts';
import type { Campaign } from './campaign.ts';
import { cells } from './cells.ts';
import { goalRuns } from './goals.ts';
import { judges } from './judges.ts';
import { comparisonsOf } from './report/comparison.ts';
import { goalLines } from './report/goal-lines.ts';
import { countOf } from './report/held-against.ts';
import { breaksPromise, rowsOf } from './report/rows.ts';
import type { Row } from './report/rows.ts';
import { percent } from './report/tables.ts';
import { writeReport } from './report/write.ts';
import { nextBlock, openRunner } from './run.ts';

// `npm run judge:calibrate`: see arguments.ts.

const exitPromiseBroken = 1;
const exitBadInput = 2;
const tellEveryMs = 2_000;
/** A campaign is written so often, so that little is lost when it is stopped. */
const saveEveryMs = 30_000;

const main = (): void => {
  const options = parseArguments(process.argv.slice(2));
  if (!options.ok) return refuse(options.problem);
  if (options.value.help) {
    process.stdout.write(usage);
    return;
  }
  switch (options.value.does) {
    case 'list':
      return listAll();
    case 'report':
      return report(options.value);
    case 'campaign':
      return campaign(options.value);
  }
};

const listAll = (): void => {
  for (const { name } of cells) process.stdout.write(`cell   ${name}\n`);
  for (const { name, about } of judges) process.stdout.write(`judge  ${name}: ${about}\n`);
};

const report = ({ file, reportFolder }: CalibrateOptions): void => {
  const results = readCampaign(file);
  if (results === undefined) return refuse(`--file ${file}: there are no results yet`);
  const rows = rowsOf(results, cells, judges);
  const lines = [...goalLines(rows), ...comparisonsOf(rows)];
  for (const written of writeReport(reportFolder, rows, lines)) {
    process.stdout.write(`${written}\n`);
  }
  for (const { list, what, wanted, seen, isMet, isBeyond } of lines) {
    const missed = isBeyond ? 'missed beyond what is asked' : 'missed';
    if (!isMet) process.stdout.write(`${missed}: ${list}: ${what}: ${wanted}; seen ${seen}\n`);
  }
  const asked = lines.filter(({ isBeyond }) => !isBeyond);
  process.stdout.write(
    `met: ${countOf(asked)} that are asked, ${countOf(lines)} with all beyond\n`,
  );
  if (lines.some(({ isMet }) => !isMet)) process.exitCode = exitPromiseBroken;
};

const campaign = (options: CalibrateOptions): void => {
  const { file, seed } = options;
  const before = readCampaign(file) ?? newCampaign(seed ?? 1);
  if (seed !== null && seed !== before.seed) {
    return refuse(
      `--seed ${seed}: ${file} holds the runs of seed ${before.seed}; give another --file`,
    );
  }
  const goals = options.cells.flatMap((cell) =>
    options.judges
      .filter((judge) => judge.isTriedIn(cell))
      .map((judge) => ({ cell, judge, runs: options.runs ?? goalRuns(cell, judge) })),
  );
  if (goals.length === 0)
    return refuse('--only and --judge: none of these judges is tried in these cells; see --list');
  const commit = commitOfServices();
  const startedMs = performance.now();
  const untilMs = startedMs + options.minutes * 60_000;
  const runBlock = openRunner(before.seed);
  let now = before;
  let runs = 0;
  let toldMs = startedMs;
  let savedMs = startedMs;
  const save = (): void => {
    const seconds = (performance.now() - startedMs) / 1_000;
    writeCampaign(file, addSitting(now, { ...commit, runs, seconds }));
  };
  for (;;) {
    const block = nextBlock(now, goals);
    if (block === undefined || performance.now() >= untilMs) break;
    now = runBlock(now, block);
    runs += block.runs * block.judges.length;
    if (performance.now() - toldMs > tellEveryMs) {
      toldMs = performance.now();
      const rate = Math.round((1_000 * runs) / (toldMs - startedMs));
      process.stderr.write(`${runs} runs, ${rate}/s; at ${block.cell.name}, run ${block.from}\n`);
    }
    if (performance.now() - savedMs > saveEveryMs) {
      savedMs = performance.now();
      save();
    }
  }
  if (runs > 0) save();
  finish(options, now, runs, (performance.now() - startedMs) / 1_000);
};

const finish = (
  { cells: chosen, judges: asked, json }: CalibrateOptions,
  now: Campaign,
  runs: number,
  seconds: number,
): void => {
  const rows = rowsOf(now, chosen, asked);
  const told = json ? process.stderr : process.stdout;
  for (const row of rows) told.write(`${lineOf(row)}\n`);
  const broken = rows.filter(breaksPromise);
  for (const { judge, cell } of broken) {
    told.write(`${judge.name} rolls back more good canaries than it promises: ${cell.name}\n`);
  }
  if (json) {
    const results = rows.map(({ judge, cell, summary, boundSeconds }) => ({
      judge: judge.name,
      cell: cell.name,
      ...summary,
      boundSeconds,
    }));
    const line = { seed: now.seed, runs, seconds: Math.round(seconds * 10) / 10, results };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  if (broken.length > 0) process.exitCode = exitPromiseBroken;
};

const lineOf = ({ judge, cell, summary }: Row): string => {
  const { runs, rolledBack, promoted } = summary;
  const delays = (ending: typeof rolledBack): string =>
    `${percent(ending.share)} (${ending.medianSeconds ?? '-'}/${ending.p90Seconds ?? '-'} s)`;
  return `${cell.name.padEnd(32)} ${judge.name.padEnd(28)} ${String(runs).padStart(6)} runs: rolled back ${delays(rolledBack)}, promoted ${delays(promoted)}`;
};

const refuse = (problem: string): void => {
  process.stderr.write(`${problem}\n\n${usage}`);
  process.exitCode = exitBadInput;
};

main();
