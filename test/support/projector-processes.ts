import { afterEach } from 'vitest';
import type { SharedStack } from './stack.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { eventually } from './eventually.ts';

/** What a projector that is a process of its own says. */
type Said = { readonly event: string; readonly [field: string]: unknown };

export type ProjectorProcess = Child & {
  /** Everything it said, or all of one kind. */
  readonly said: (event?: string) => readonly Said[];
  /** The last word of `active` and `standby`. */
  readonly isActive: () => boolean;
  readonly status: () => Promise<Said>;
};

export type ProjectorEnvironment = {
  readonly log: string;
  readonly store: string;
  readonly audience: string;
  /** The working folder, where keys lie that belong to no database. */
  readonly folder: string;
  readonly leaseMs: number;
  readonly logId?: string;
};

/** How long a dead projector keeps the others waiting in these tests. A Kafka that is not ours may not allow less. */
export const leaseMsOn = (stack: Pick<SharedStack, 'how'>): number =>
  stack.how === 'addresses' ? 6_000 : 1_500;

const started: Child[] = [];

/** Starts projectors that are ended after each test, whatever becomes of it. */
export const projectorProcesses = (): ((environment: ProjectorEnvironment) => ProjectorProcess) => {
  afterEach(async () => {
    for (const child of started) child.signal('SIGKILL');
    await Promise.all(started.map(({ over }) => over));
    started.length = 0;
  });
  return startProjectorProcess;
};

/** Starts a script of `processes/` with these settings; it ends with the test. */
export const startWithSettings = (
  script: string,
  args: readonly string[],
  { log, store, audience, folder, logId }: Omit<ProjectorEnvironment, 'leaseMs'>,
): Child => {
  const env = {
    PLIMSOLL_LOG: log,
    PLIMSOLL_STORE: store,
    PLIMSOLL_AUDIENCE: audience,
    ...(logId === undefined ? {} : { PLIMSOLL_LOG_ID: logId }),
  };
  const child = startChild(`processes/${script}`, args, { cwd: folder, env });
  started.push(child);
  return child;
};

const startProjectorProcess = (environment: ProjectorEnvironment): ProjectorProcess => {
  const child = startWithSettings('projector.ts', [`${environment.leaseMs}`], environment);
  const said = (event?: string): readonly Said[] =>
    child.lines
      .map((line) => JSON.parse(line) as Said)
      .filter((each) => event === undefined || each.event === event);
  return {
    ...child,
    said,
    isActive: () =>
      said().findLast(({ event }) => event === 'active' || event === 'standby')?.event === 'active',
    status: async () => {
      const before = said('status').length;
      child.send('status');
      await eventually('it tells its status', () => said('status').length > before);
      return said('status').at(-1) ?? { event: 'status' };
    },
  };
};
