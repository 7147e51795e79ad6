import { StackProblem } from '../stack/problem.ts';
import { parseArguments, usage } from './arguments.ts';
import type { DemoOptions } from './arguments.ts';
import { DemoProblem } from './plimsoll.ts';
import { runDemo } from './run-demo.ts';
import { createStory } from './story.ts';

const exitCodes = { decided: 0, undecided: 1, badInput: 2, interrupted: 130 } as const;
const columnsDefault = 100;

const main = async (): Promise<number> => {
  const parsed = parseArguments(process.argv.slice(2));
  if (!parsed.ok) {
    process.stderr.write(`${parsed.problem}\n\n${usage}`);
    return exitCodes.badInput;
  }
  if (parsed.value.help) {
    process.stdout.write(usage);
    return exitCodes.decided;
  }
  const interrupted = new AbortController();
  const stopped = new Promise<number>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => {
        interrupted.abort();
        done(exitCodes.interrupted);
      });
  });
  // Stopped half-way: exiting ends every process and removes the folder.
  return Promise.race([demo(parsed.value, interrupted.signal), stopped]);
};

const demo = async (options: DemoOptions, stop: AbortSignal): Promise<number> => {
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const stream = options.json ? process.stderr : process.stdout;
  const story = createStory({
    write: (text) => stream.write(text),
    elapsedMs,
    hasColour: stream.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    columns: stream.isTTY ? stream.columns : columnsDefault,
  });
  try {
    const outcome = await runDemo(options, { story, elapsedMs, stop });
    if (options.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
    return exitCodes.decided;
  } catch (error) {
    if (stop.aborted) return exitCodes.interrupted;
    if (!(error instanceof DemoProblem) && !(error instanceof StackProblem)) throw error;
    process.stderr.write(`\nThe demo ended without a decision: ${error.message}\n`);
    return exitCodes.undecided;
  }
};

process.exit(await main());
