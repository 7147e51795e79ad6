import type { Position } from '../../core/log/record.ts';
import { ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { SqliteFile } from './file.ts';
import type { SqliteProblem } from './problem.ts';

/**
 * Who of a group is handed which partition: a row for each, held until a time by the clock of the one machine
 * that shares the file. Leases are not synced: after a power failure nobody is left who holds one.
 */
export type Leases = {
  /**
   * Takes what is free or has run out and, if `renew`, prolongs what is held. Answers the ids of the partitions
   * that this member holds now, each with the hint of the group.
   */
  readonly claim: (
    renew: boolean,
  ) => Promise<Result<ReadonlyMap<number, Position | null>, SqliteProblem>>;
  /** Inside a step: whether this member is still the one. */
  readonly isHeld: (partitionId: number) => boolean;
  readonly keepHint: (partitionId: number, position: Position) => Promise<void>;
  /** Lets go of everything, so that others need not wait until it runs out. */
  readonly release: () => Promise<void>;
};

type LeaseRow = {
  readonly partitionId: number;
  readonly holder: string | null;
  readonly expiresAtMs: number;
  readonly leaseMs: number;
  readonly hint: Position | null;
};

export const createLeases = (options: {
  readonly file: SqliteFile;
  readonly group: string;
  readonly partitionIds: readonly number[];
  /** Differs for each member, also within one process. */
  readonly holder: string;
  readonly leaseMs: number;
  readonly nowMs: () => number;
}): Leases => {
  const { file, group, partitionIds, holder, leaseMs, nowMs } = options;

  const stored = (): ReadonlyMap<number, LeaseRow> => {
    const rows = file
      .prepare(
        `SELECT partition_id AS partitionId, holder, expires_at_ms AS expiresAtMs, lease_ms AS leaseMs, hint
         FROM log_followers WHERE group_name = ?`,
      )
      .all(group) as LeaseRow[];
    return new Map(rows.map((row) => [row.partitionId, row]));
  };

  const isFree = (row: LeaseRow | undefined, now: number): boolean =>
    row === undefined ||
    row.holder === null ||
    now >= row.expiresAtMs ||
    // It would last longer than it was taken for: the clock was set back since.
    now < row.expiresAtMs - row.leaseMs;

  const held = (): ReadonlyMap<number, Position | null> => {
    const mine = [...stored().values()].filter((row) => row.holder === holder);
    return new Map(mine.map((row) => [row.partitionId, row.hint]));
  };

  const take = (partitionId: number, now: number): void => {
    file
      .prepare(
        `INSERT INTO log_followers (group_name, partition_id, holder, expires_at_ms, lease_ms)
         VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         holder = excluded.holder, expires_at_ms = excluded.expires_at_ms, lease_ms = excluded.lease_ms`,
      )
      .run(group, partitionId, holder, now + leaseMs, leaseMs);
  };

  const wanted = (renew: boolean): readonly number[] => {
    const rows = stored();
    const now = nowMs();
    return partitionIds.filter((id) => {
      const row = rows.get(id);
      return row?.holder === holder ? renew : isFree(row, now);
    });
  };

  return {
    claim: async (renew) => {
      // Most members stand by most of the time: looking does not hold up writers.
      const looked = await file.read(() => (wanted(renew).length === 0 ? held() : undefined));
      if (!looked.ok) return looked;
      if (looked.value !== undefined) return ok(looked.value);
      return file.write(() => {
        const now = nowMs();
        for (const id of wanted(renew)) take(id, now);
        return held();
      }, 'unsynced');
    },

    isHeld: (partitionId) =>
      file
        .prepare('SELECT holder FROM log_followers WHERE group_name = ? AND partition_id = ?')
        .get(group, partitionId)?.['holder'] === holder,

    keepHint: async (partitionId, position) => {
      await file.write(() => {
        file
          .prepare(
            'UPDATE log_followers SET hint = ? WHERE group_name = ? AND partition_id = ? AND holder = ?',
          )
          .run(position, group, partitionId, holder);
      }, 'unsynced');
    },

    release: async () => {
      await file.write(() => {
        file
          .prepare('UPDATE log_followers SET holder = NULL WHERE group_name = ? AND holder = ?')
          .run(group, holder);
      }, 'unsynced');
    },
  };
};
