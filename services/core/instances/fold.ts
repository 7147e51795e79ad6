import type { Json } from '../canonical.ts';
import { canonicalJson } from '../canonical.ts';
import type { CheckTools } from '../check/check-record.ts';
import type { LogRecord, Position } from '../log/record.ts';
import { slotKey } from '../markers/slot.ts';
import type { LoadedRows, RowAddress, RowChange } from '../projection.ts';
import { address } from '../projection.ts';
import type { KeyState } from '../trust/trust.ts';
import type { InstanceStarted } from './instance.ts';
import type { Members, SlotInstances } from './running.ts';
import { bucketKey, evolveRunning } from './running.ts';
import type { InstanceProblem } from './wire.ts';
import { checkInstance } from './wire.ts';

// The fold of one partition of `instances`. It reads and writes rows of its own and none that the log feeds.

/** Models of the rows; `running` and `refused` are listed by key. */
export const instanceModels = {
  running: 'running',
  members: 'members',
  refused: 'refused',
  partition: 'partition',
} as const;
export const orderedInstanceModels: readonly string[] = [
  instanceModels.running,
  instanceModels.refused,
];

/** Raise it when rows change: the partitions are then folded anew from what the topic still holds. */
export const instanceFoldVersion = 1;

/** The generation that holds one partition. */
export const generationOfPartition = (partition: number): string => `p${partition}`;

/** How often records were refused by one code. */
export type RefusedRow = {
  readonly code: InstanceProblem['code'];
  readonly count: number;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
  /** Milliseconds since 1970, by the log. */
  readonly lastAt: number;
  /** Of the last one. */
  readonly message: string;
};

export type CheckedInstance =
  | { readonly record: LogRecord; readonly instance: InstanceStarted }
  | {
      readonly record: LogRecord;
      readonly refused: InstanceProblem['code'];
      readonly message: string;
    };

/** The record judged by the keys that the log trusts now. */
export const judgeInstance = (
  tools: CheckTools,
  audience: string,
  keys: ReadonlyMap<string, KeyState>,
  record: LogRecord,
): CheckedInstance => {
  const checked = checkInstance(tools, audience, keys, record);
  return checked.ok
    ? { record, instance: checked.value }
    : { record, refused: checked.problem.code, message: checked.problem.message };
};

/** Rows that the fold of these records looks at. */
export const instanceRowsNeeded = (checked: readonly CheckedInstance[]): readonly RowAddress[] => {
  const wanted = new Map<string, RowAddress>();
  const want = (model: string, key: string): void =>
    void wanted.set(address(model, key), { model, key });
  want(instanceModels.partition, timeKey);
  for (const item of checked) {
    if ('refused' in item) want(instanceModels.refused, item.refused);
    else {
      const slot = slotKey(item.instance.slot);
      want(instanceModels.running, slot);
      want(instanceModels.members, bucketKey(slot, item.instance.instance));
    }
  }
  return [...wanted.values()];
};

const timeKey = 'time';

/** Folds checked records of one partition over the loaded rows. Pure, and independent of how they are cut. */
export const foldInstances = (
  tools: CheckTools,
  checked: readonly CheckedInstance[],
  loaded: LoadedRows,
): readonly RowChange[] => {
  const rows = openRows(loaded);
  const sha256Hex = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  let { timeMs } = (rows.get(instanceModels.partition, timeKey) ?? { timeMs: 0 }) as {
    readonly timeMs: number;
  };
  for (const item of checked) {
    const { position, appendedAtMs } = item.record;
    timeMs = Math.max(timeMs, appendedAtMs);
    if ('refused' in item) {
      const before = rows.get(instanceModels.refused, item.refused) as RefusedRow | undefined;
      const row: RefusedRow = {
        code: item.refused,
        count: (before?.count ?? 0) + 1,
        firstPosition: before?.firstPosition ?? position,
        lastPosition: position,
        lastAt: timeMs,
        message: item.message,
      };
      rows.put(instanceModels.refused, item.refused, row);
      continue;
    }
    const key = slotKey(item.instance.slot);
    const bucket = bucketKey(key, item.instance.instance);
    const after = evolveRunning(
      sha256Hex,
      rows.get(instanceModels.running, key) as SlotInstances | undefined,
      rows.get(instanceModels.members, bucket) as Members | undefined,
      { instance: item.instance, position, atMs: timeMs },
    );
    rows.put(instanceModels.running, key, after.slot);
    rows.put(instanceModels.members, bucket, after.members);
  }
  if (checked.length > 0) rows.put(instanceModels.partition, timeKey, { timeMs });
  return rows.changes();
};

const openRows = (
  loaded: LoadedRows,
): {
  readonly get: (model: string, key: string) => unknown;
  readonly put: (model: string, key: string, row: unknown) => void;
  readonly changes: () => readonly RowChange[];
} => {
  const parsed = new Map<string, unknown>();
  const written = new Map<string, RowAddress>();
  return {
    get: (model, key) => {
      const at = address(model, key);
      const json = loaded.get(at);
      if (!parsed.has(at)) parsed.set(at, json === undefined ? undefined : JSON.parse(json));
      return parsed.get(at);
    },
    put: (model, key, row) => {
      const at = address(model, key);
      parsed.set(at, row);
      written.set(at, { model, key });
    },
    changes: () =>
      [...written].map(([at, place]) => ({
        ...place,
        value: canonicalJson(parsed.get(at) as Json),
      })),
  };
};
