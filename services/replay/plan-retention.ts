import type { Deployment } from '../core/deployment.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { Slot } from '../core/markers/marker.ts';
import type { FoldState } from '../core/projection.ts';
import { address } from '../core/projection.ts';
import { rowsOfDeployment } from '../core/read-models.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { KeptCode, RetentionRow, RetentionTier } from '../core/retention.ts';
import { heardAt, keptBecause, retentionKey, tierOf, tiersOf } from '../core/retention.ts';
import { readRow } from '../core/row-text.ts';
import type { AttemptLine, SlotState } from '../core/slot-state.ts';
import type { KeyState } from '../core/trust/trust.ts';
import { compareUtf8 } from '../core/utf8-order.ts';
import type { ProjectionProblem } from '../ports/projecting.ts';
import type {
  Generation,
  ReadModelStore,
  RowKey,
  StoreProblem,
} from '../ports/read-model-store.ts';
import type { EnvironmentPlan, Forgettable, PlanRetention } from '../ports/retention.ts';

const pageRows = 500;
/** Deployments whose rows are held at once. */
const askedMax = 100;
const examplesMax = 3;

type At = {
  readonly generation: Generation;
  readonly state: FoldState;
  /** As late as the log's time, or later: what is young by now will be asked again by the fold. */
  readonly nowMs: number;
};

/** Answers for the read models of `generation`, folded up to the end just now. */
export const openPlanRetention =
  (store: ReadModelStore, at: At): PlanRetention =>
  async ({ signer, isWanted, onProgress }) => {
    const tiers = await readTiers(store, at.generation);
    if (!tiers.ok) return tiers;
    const old = await oldEnough(store, at, tiers.value, isWanted);
    if (!old.ok) return old;
    const tally = openTally(tiers.value);
    for (let from = 0; from < old.value.length; from += askedMax) {
      onProgress({ next: from, end: old.value.length });
      const ids = old.value.slice(from, from + askedMax);
      const judged = await judge(store, at, tiers.value, signer, ids);
      if (!judged.ok) return judged;
      for (const one of judged.value) tally.count(one);
    }
    return ok(tally.plan());
  };

const readTiers = async (
  store: ReadModelStore,
  generation: Generation,
): Promise<Result<readonly RetentionTier[], ProjectionProblem>> => {
  const read = await store.rows(generation, [{ model: 'retention', key: retentionKey }]);
  if (!read.ok) return fail(storeProblem(read.problem));
  const row = read.value.rows.get(address('retention', retentionKey));
  return ok(tiersOf(row === undefined ? undefined : readRow<RetentionRow>('retention', row)));
};

const dayMs = 86_400_000;

/** Deployments of which some attempt was not heard of for longer than its tier keeps it, oldest first. */
const oldEnough = async (
  store: ReadModelStore,
  { generation, nowMs }: At,
  tiers: readonly RetentionTier[],
  isWanted: (environment: string | null) => boolean,
): Promise<Result<readonly string[], ProjectionProblem>> => {
  const found = new Set<string>();
  for (let after: string | undefined; ;) {
    const page = await store.scan(generation, 'timeline', {
      rowsMax: pageRows,
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return fail(storeProblem(page.problem));
    for (const { value } of page.value.rows) {
      const line = readRow<AttemptLine>('timeline', value);
      if (!isWanted(line.environment)) continue;
      const { days } = tierOf(tiers, line.environment);
      if (nowMs - line.heardAt > days * dayMs) found.add(line.deployment);
    }
    if (page.value.rows.length < pageRows) return ok([...found]);
    after = page.value.rows.at(-1)?.key;
  }
};

type Judged = {
  readonly environment: string | null;
  readonly deployment: Forgettable;
  readonly kept: KeptCode | undefined;
  readonly rows: number;
  readonly bytes: number;
};

/** What the fold would say of each, by the rows as they are. */
const judge = async (
  store: ReadModelStore,
  { generation, state, nowMs }: At,
  tiers: readonly RetentionTier[],
  signer: KeyState,
  ids: readonly string[],
): Promise<Result<readonly Judged[], ProjectionProblem>> => {
  const read = async (
    keys: readonly RowKey[],
  ): Promise<Result<ReadonlyMap<string, string>, ProjectionProblem>> => {
    const rows = await store.rows(generation, keys);
    return rows.ok ? ok(rows.value.rows) : fail(storeProblem(rows.problem));
  };
  const deploymentRows = await read(ids.map((key) => ({ model: 'deployment', key })));
  if (!deploymentRows.ok) return deploymentRows;
  const deployments = ids.flatMap((id) => {
    const row = deploymentRows.value.get(address('deployment', id));
    return row === undefined ? [] : [readRow<Deployment>('deployment', row)];
  });
  const slots = deployments.flatMap(({ attempts }) =>
    attempts.flatMap(({ plan }) => (plan === null ? [] : [slotKey(plan.slot)])),
  );
  const rest = await read([
    ...[...new Set(slots)].map((key) => ({ model: 'slot', key })),
    ...deployments.flatMap(rowsOfDeployment),
  ]);
  if (!rest.ok) return rest;
  const slotOf = (slot: Slot): SlotState | undefined => {
    const row = rest.value.get(address('slot', slotKey(slot)));
    return row === undefined ? undefined : readRow<SlotState>('slot', row);
  };
  return ok(
    deployments.map((deployment): Judged => {
      const removed = [
        deploymentRows.value.get(address('deployment', deployment.id)) ?? '',
        ...rowsOfDeployment(deployment).flatMap(
          ({ model, key }) => rest.value.get(address(model, key)) ?? [],
        ),
      ];
      const plan = deployment.attempts.find((attempt) => attempt.plan !== null)?.plan ?? null;
      return {
        environment: plan?.slot.environment ?? null,
        deployment: {
          deployment: deployment.id,
          component: plan?.slot.component ?? null,
          version: plan?.version ?? null,
          heardAt: heardAt(deployment),
        },
        kept: keptBecause(deployment, {
          ...{ tiers, nowMs, signer, slot: slotOf },
          trust: state.trust,
        }),
        rows: removed.length,
        bytes: removed.reduce((sum, row) => sum + utf8Bytes(row), 0),
      };
    }),
  );
};

const encoder = new TextEncoder();
const utf8Bytes = (text: string): number => encoder.encode(text).length;

type Tally = {
  readonly count: (judged: Judged) => void;
  readonly plan: () => {
    readonly environments: readonly EnvironmentPlan[];
    readonly deployments: readonly Forgettable[];
  };
};

const openTally = (tiers: readonly RetentionTier[]): Tally => {
  const going: Judged[] = [];
  const kept = new Map<string | null, Map<KeptCode, number>>();
  return {
    count: (judged) => {
      const { environment } = judged;
      const codes = kept.get(environment) ?? new Map<KeptCode, number>();
      kept.set(environment, codes);
      if (judged.kept === undefined) going.push(judged);
      // Another attempt of it was heard of since: it is not old enough, and nobody asks why.
      else if (judged.kept !== 'too-young')
        codes.set(judged.kept, (codes.get(judged.kept) ?? 0) + 1);
    },
    plan: () => {
      const oldestFirst = going.toSorted((a, b) => a.deployment.heardAt - b.deployment.heardAt);
      const byPlace = Map.groupBy(oldestFirst, ({ environment }) => environment);
      const environments = [...kept].flatMap(([environment, codes]): readonly EnvironmentPlan[] => {
        const here = byPlace.get(environment) ?? [];
        if (here.length === 0 && codes.size === 0) return [];
        const tier = tierOf(tiers, environment);
        return [
          {
            environment,
            tier: tier.environment,
            days: tier.days,
            deployments: here.length,
            rows: here.reduce((sum, { rows }) => sum + rows, 0),
            bytes: here.reduce((sum, { bytes }) => sum + bytes, 0),
            kept: [...codes]
              .toSorted(([a], [b]) => compareUtf8(a, b))
              .map(([code, count]) => ({ code, count })),
            examples: here.slice(0, examplesMax).map(({ deployment }) => deployment),
          },
        ];
      });
      return {
        environments: environments.toSorted((a, b) =>
          compareUtf8(a.environment ?? '', b.environment ?? ''),
        ),
        deployments: oldestFirst.map(({ deployment }) => deployment),
      };
    },
  };
};

const storeProblem = ({ code, message }: StoreProblem): ProjectionProblem => ({
  code: code === 'corrupt' ? 'corrupt' : 'unreachable',
  message,
});
