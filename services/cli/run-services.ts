import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Note } from './terminal/note.ts';
import { printLines, printText } from './terminal/output.ts';
import type { CliPorts, Running, ServiceName } from './ports.ts';
import type { CliProblem } from './problem.ts';

type ServicePorts = Pick<CliPorts, 'start' | 'stop' | 'clock' | 'note' | 'prune'>;

const retryMsFirst = 500;
const retryMsMax = 10_000;
const pruneEveryMs: number = 10 * 60_000;
/** What is done here survives being killed, so nobody waits longer for an orderly end than supervisors do. */
const stopWithinMs = 10_000;

/**
 * Runs services until the operator asks to stop, or one of them ends for good: then all stop, and its problem is
 * the answer. What cannot be reached at the start is waited for.
 */
export const runServices = async (
  ports: ServicePorts,
  names: readonly ServiceName[],
  tell: (note: Note) => void,
): Promise<CliProblem | undefined> => {
  const running: Running[] = [];
  const over = new AbortController();
  let ending: CliProblem | undefined;
  const end = (why?: CliProblem): void => {
    if (!over.signal.aborted) ending = why;
    over.abort();
  };
  ports.stop.addEventListener('abort', () => end());
  if (ports.stop.aborted) end();
  for (const name of names) {
    const started = await startWhenReachable({ ...ports, stop: over.signal }, name);
    if (!started.ok) end(started.problem);
    else if (started.value !== 'stopped') {
      running.push(started.value);
      // It may end while others are still waited for.
      void started.value.ended.then(end);
      for (const message of started.value.lines) tell({ code: name, message, hint: '' });
    }
  }
  if (running.length === names.length) {
    tell({ code: 'ready', message: 'ready; Ctrl-C stops', hint: '' });
    await pruneNowAndThen(ports, over.signal);
  }
  await stopAll(ports, running);
  return ending;
};

/** First the doors close, then what stands behind them: the reverse order of the start. */
const stopAll = async (
  { clock, note }: ServicePorts,
  running: readonly Running[],
): Promise<void> => {
  const inTime = new AbortController();
  let standing = running;
  const inOrder = async (): Promise<'stopped'> => {
    for (; standing.length > 0; standing = standing.slice(0, -1)) await standing.at(-1)?.stop();
    return 'stopped';
  };
  const over = await Promise.race([inOrder(), clock.sleep(stopWithinMs, inTime.signal)]);
  inTime.abort();
  if (over === 'stopped') return;
  const names = standing.map(({ name }) => name).join(', ');
  note({
    code: 'stop-cut',
    message: `${names} did not come to an end within ${stopWithinMs / 1000} s: cut off`,
    hint: 'nothing is lost: what was acknowledged is on the log',
  });
};

const startWhenReachable = async (
  ports: ServicePorts,
  name: ServiceName,
): Promise<Result<Running | 'stopped', CliProblem>> => {
  let retryMs = retryMsFirst;
  for (let tried = 1; ; tried++) {
    if (ports.stop.aborted) return ok('stopped');
    const started = await ports.start(name);
    if (started.ok || started.problem.code !== 'unreachable') return started;
    if (tried === 1)
      ports.note({
        code: 'unreachable',
        message: `${name}: ${started.problem.message}; trying again until it is there`,
        hint: started.problem.hint,
      });
    await ports.clock.sleep(retryMs, ports.stop);
    retryMs = Math.min(retryMs * 2, retryMsMax);
  }
};

const pruneNowAndThen = async (
  { clock, prune, note }: ServicePorts,
  done: AbortSignal,
): Promise<void> => {
  while (!done.aborted) {
    await clock.sleep(pruneEveryMs, done);
    if (done.aborted) return;
    await prune().catch((cause: unknown) =>
      note({ code: 'prune', message: `old telemetry was not removed: ${String(cause)}`, hint: '' }),
    );
  }
};

/** Runs services until the operator asks them to end; prints what they say. */
export const serve = async (
  ports: CliPorts,
  names: readonly ServiceName[],
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const cause = await runServices(ports, names, (told) =>
    isJson ? printLines(ports.terminal, [told]) : printText(ports.terminal, [told.message]),
  );
  return cause === undefined ? ok(undefined) : fail(cause);
};
