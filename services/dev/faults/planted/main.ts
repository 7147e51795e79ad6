import { parseArgs } from 'node:util';
import { startStack } from '../../stack/stack.ts';
import type { Stack } from '../../stack/stack.ts';
import { nameOf } from './planted-bug.ts';
import type { PlantedBug, PlantedCheck } from './planted-bug.ts';
import { plantedBugs } from './planted-bugs.ts';
import { runCheck } from './run-check.ts';
import { copyTree } from './scratch-tree.ts';

const help = `Plants bugs in a copy of the tree, one at a time, and says which check finds each of them.

  npm run faults:planted [-- --only TEXT] [--list] [--trust-green] [--json]

  --only TEXT     bugs whose name holds this
  --list          their names
  --trust-green   does not first see each check pass without any bug
  --json          the last line is {"planted","caught"}

Exit codes: 0 all were caught; 1 one was not; 2 bad input.
`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

type Verdict = { readonly caughtBy: string | null; readonly told: string };

const needsStack = (checks: readonly PlantedCheck[]): boolean =>
  checks.some((check) => check.check === 'suite' && check.project === 'integration');

const plantAll = async (
  planted: readonly PlantedBug[],
  trustGreen: boolean,
): Promise<readonly Verdict[]> => {
  const tree = copyTree();
  let stack: Stack | undefined;
  if (needsStack(planted.flatMap(({ checks }) => checks))) stack = await startStack({ say });
  // One stack for all suites: each would wait for one of its own.
  const env =
    stack === undefined
      ? {}
      : {
          PLIMSOLL_TEST_KAFKA: stack.kafkaBrokers.join(','),
          PLIMSOLL_TEST_REDIS: stack.redisUrl,
        };
  const green = new Map<string, boolean>();

  /** A check that fails without a bug proves nothing. */
  const isGreen = async (check: PlantedCheck): Promise<boolean> => {
    const name = nameOf(check);
    const known = green.get(name);
    if (known !== undefined || trustGreen) return known ?? true;
    const { outcome, seconds, output } = await runCheck(tree.folder, check, env);
    green.set(name, outcome === 'passed');
    say(`without a bug, ${name}: ${outcome} after ${seconds.toFixed(0)} s`);
    if (outcome !== 'passed') say(output.slice(-3_000));
    return outcome === 'passed';
  };

  const seek = async ({ name, edits, checks }: PlantedBug): Promise<Verdict> => {
    const tried: string[] = [];
    for (const check of checks) {
      if (!(await isGreen(check))) {
        tried.push(`${nameOf(check)}: fails without the bug`);
        continue;
      }
      const takeOut = tree.plant(edits);
      try {
        const { outcome, seconds, schedules, output } = await runCheck(tree.folder, check, env);
        const seeds = schedules === null ? '' : `, ${schedules} seeds`;
        tried.push(
          `${outcome === 'caught' ? 'caught by' : outcome} ${nameOf(check)} after ${seconds.toFixed(0)} s${seeds}`,
        );
        if (outcome === 'caught') return { caughtBy: nameOf(check), told: tried.join('; ') };
        if (outcome === 'broken') say(`${name}:\n${output.slice(-3_000)}`);
      } finally {
        takeOut();
      }
    }
    return { caughtBy: null, told: tried.join('; ') };
  };

  const verdicts: Verdict[] = [];
  try {
    for (const bug of planted) {
      const verdict = await seek(bug);
      verdicts.push(verdict);
      print(
        `${verdict.caughtBy === null ? 'NOT CAUGHT' : 'caught    '}  ${bug.name}: ${verdict.told}`,
      );
    }
  } finally {
    await stack?.stop();
    tree.remove();
  }
  return verdicts;
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
      'trust-green': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const planted = plantedBugs.filter(({ name }) => name.includes(values.only));
  if (values.list) {
    for (const { name, checks } of planted) print(`${name}: ${checks.map(nameOf).join(', ')}`);
    return 0;
  }
  const startedMs = performance.now();
  const verdicts = await plantAll(planted, values['trust-green']);
  const caught = verdicts.filter(({ caughtBy }) => caughtBy !== null).length;
  print(
    `${caught} of ${planted.length} caught in ${((performance.now() - startedMs) / 60_000).toFixed(1)} min`,
  );
  if (values.json) print(JSON.stringify({ planted: planted.length, caught }));
  return caught === planted.length ? 0 : 1;
};

process.exit(await main());
