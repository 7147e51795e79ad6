import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withArchive } from '../../adapters/foundation/archived-log.ts';
import type { Foundation, FoundationProblem } from '../../adapters/foundation/foundation.ts';
import { addressOf, openSource, openTarget } from '../../adapters/foundation/log-ends.ts';
import { hasRunningCanary } from '../../core/canary/attempts/canary-attempts.ts';
import type { Deployment } from '../../core/deployment.ts';
import { address } from '../../core/known-rows.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { readRow } from '../../core/row-text.ts';
import type { SlotState } from '../../core/slot-state.ts';
import type { FoldEnd } from '../../ports/migrating.ts';
import type { ProjectionProblem } from '../../ports/projecting.ts';
import type { ReadModelStore, StoreProblem } from '../../ports/read-model-store.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import { foldToEnd } from '../../projector/catch-up.ts';
import { storeProblem } from '../../projector/project.ts';
import { migrate } from '../../replay/migrate.ts';
import type { CliPorts, MigrateCommand } from '../ports.ts';
import type { CliProblem, ProblemCode } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { failed } from './composition.ts';

/** Opens both ends, folds each into a scratch store of its own, and lets go of everything at the end. */
export const migrateOn =
  ({ settings, clock, ids, tools }: Foundation, host: string): CliPorts['migrate'] =>
  async (command: MigrateCommand) => {
    const { audience } = settings;
    const ends = { audience, clock };
    if (addressOf(command.from) === addressOf(command.to))
      return refuse('option-invalid', '--from and --to are the same log', 'name two');
    const leaving: (() => Promise<void>)[] = [];
    try {
      const source = await openSource(ends, command.from);
      if (!source.ok) return noSource(source.problem);
      leaving.push(source.value.close);
      const whole = await withArchive(settings, tools, source.value.log);
      if (!whole.ok) return failed(whole.problem);
      const target = await openTarget(ends, command.to);
      if (!target.ok) return failed(target.problem);
      leaving.push(target.value.close);
      const scratch = await mkdtemp(join(tmpdir(), 'plimsoll-migrate-'));
      leaving.push(() => rm(scratch, { recursive: true, force: true }));
      const fold = (log: Pick<RecordLog, 'read' | 'range'>, name: string): FoldEnd => {
        const opened = openFold({ tools, audience, clock }, log, join(scratch, `${name}.db`));
        leaving.push(opened.close);
        return opened.fold;
      };
      const migrated = await migrate(
        {
          ...{ tools, audience, clock, ids, signer: command.signer },
          sourceName: `plimsoll/${host}`,
          source: { address: source.value.address, log: whole.value },
          target: target.value,
          foldSource: fold(whole.value, 'source'),
          foldTarget: fold(target.value, 'target'),
        },
        { reason: command.reason, onProgress: command.onProgress },
      );
      return migrated.ok ? migrated : fail(migrationFailed(migrated.problem));
    } finally {
      for (const leave of leaving.toReversed()) await leave();
    }
  };

/** A log that is not where `--from` says is a word to mend, not a server to wait for. */
const noSource = ({ code, message, hint }: FoundationProblem): Result<never, CliProblem> =>
  code === 'missing'
    ? refuse('option-invalid', `--from names no log: ${message}`, hint)
    : failed({ code, message, hint });

type Folding = Pick<Foundation, 'tools' | 'clock'> & { readonly audience: string };

/** A fold into a file that is thrown away. Asked for an earlier position than before it begins anew. */
const openFold = (
  { tools, audience, clock }: Folding,
  log: Pick<RecordLog, 'read' | 'range'>,
  path: string,
): { readonly fold: FoldEnd; readonly close: () => Promise<void> } => {
  let generation = 1;
  let folded = 0;
  let opened: { readonly store: ReadModelStore; readonly close: () => void } | undefined;

  const store = async (): Promise<Result<ReadModelStore, ProjectionProblem>> => {
    if (opened !== undefined) return ok(opened.store);
    // Most commands never need it, and one that goes through a gateway loads no database.
    const [{ openSqliteFile }, { openSqliteReadModelStore }] = await Promise.all([
      import('../../adapters/sqlite/file.ts'),
      import('../../adapters/sqlite/read-model-store.ts'),
    ]);
    const file = await openSqliteFile(path, { create: true, sleep: clock.sleep });
    if (!file.ok) return fail({ code: 'unreachable', message: file.problem.message });
    const made = openSqliteReadModelStore(file.value, { audience, orderedModels });
    opened = { store: made, close: file.value.close };
    return ok(made);
  };

  const fold: FoldEnd = async (to) => {
    if (to < 1) return fail({ code: 'log-empty', message: 'the log has no record 0 yet' });
    const models = await store();
    if (!models.ok) return models;
    if (to < folded) generation += 1;
    folded = to;
    const ports = { log: { ...notALog, ...log }, store: models.value, tools, audience };
    const name = `g${generation}`;
    const caught = await foldToEnd({ ...ports, pinnedLogId: null }, name, { to });
    if (!caught.ok) return caught;
    const canaries = await runningCanaries(models.value, name, clock.nowMs());
    if (!canaries.ok) return fail(storeProblem(canaries.problem));
    return ok({ state: caught.value.state, canaries: canaries.value });
  };
  return { fold, close: async () => opened?.close() };
};

/** What a fold never asks of a log. */
const notALog: RecordLog = {
  name: 'the copied log',
  partitions: 1,
  append: () => Promise.reject(new Error('a fold appends nothing')),
  read: () => Promise.reject(new Error('reads come from the end that is folded')),
  range: () => Promise.reject(new Error('as do ranges')),
  subscribe: () => Promise.reject(new Error('a fold follows nothing')),
  close: async () => undefined,
};

const slotsPerPage = 500;

const runningCanaries = async (
  store: ReadModelStore,
  generation: string,
  nowMs: number,
): Promise<Result<readonly string[], StoreProblem>> => {
  const running = new Set<string>();
  for (let after: string | undefined; ;) {
    const page = await store.scan(generation, 'slot', {
      rowsMax: slotsPerPage,
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return page;
    for (const { value } of page.value.rows)
      for (const { deployment, status } of readRow<SlotState>('slot', value).beside)
        if (status === 'running') running.add(deployment);
    after = page.value.rows.at(-1)?.key;
    if (page.value.rows.length < slotsPerPage) break;
  }
  const keys = [...running].map((key) => ({ model: 'deployment', key }));
  const read = await store.rows(generation, keys);
  if (!read.ok) return read;
  return ok(
    [...running].filter((key) => {
      const row = read.value.rows.get(address('deployment', key));
      return row !== undefined && hasRunningCanary(readRow<Deployment>('deployment', row), nowMs);
    }),
  );
};

const migrationFailed = ({
  code,
  message,
}: {
  readonly code: ProblemCode;
  readonly message: string;
}): CliProblem => problem(code, message, hints[code] ?? againHint);

const againHint =
  'nothing is lost; mend it and run the same command again: it goes on where it stopped';

const hints: { readonly [code: string]: string } = {
  'target-taken': 'name an empty target: another folder, or brokers without this topic',
  'target-differs':
    'the old log is whole: remove the target (its database, or its topic) and run the same command again',
  'copy-misplaced':
    'the old log is whole: keep others away from the target, remove it, and run the same command again',
  'sealed-elsewhere': 'name that target as --to to finish that migration',
  'canary-running':
    'end those deployments first (plimsoll release update --status=…), then run the same command again',
  'models-differ': 'nothing was sealed or opened by this; please report it, with both logs kept',
  'not-sealed': 'stop those who append, then run the same command again',
  unreachable: 'are both logs up? Run the same command again: it goes on where it stopped',
  unknown: 'run the same command again: it looks at what is there and goes on',
};
