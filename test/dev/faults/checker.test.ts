import { describe, expect, test } from 'vitest';
import { createMemoryReadModelStore } from '../../../services/adapters/memory/read-model-store.ts';
import type { Deployment } from '../../../services/core/deployment.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import { orderedModels } from '../../../services/core/read-models.ts';
import { readRow, rowText } from '../../../services/core/row-text.ts';
import type { Checker } from '../../../services/dev/faults/checker.ts';
import { openChecker } from '../../../services/dev/faults/checker.ts';
import type { Acknowledged, Emitters } from '../../../services/dev/faults/emitters.ts';
import type { ReadModelStore } from '../../../services/ports/read-model-store.ts';
import { applyBatch } from '../../../services/projector/project.ts';
import { by, portsOf, recordsOf, tools } from '../../support/given.ts';
import { planned, started, succeeded } from '../../support/markers.ts';
import { value } from '../../support/records.ts';

type Ground = {
  readonly records: readonly LogRecord[];
  readonly store: ReadModelStore;
  /** The log as the checker reads it. */
  readonly seen: LogRecord[];
  readonly acknowledged: Acknowledged[];
  readonly keys: string[];
  readonly emitters: Emitters;
  readonly checker: Checker;
};

/** A deployment that was folded, all its markers acknowledged. */
const ground = async (): Promise<Ground> => {
  const records = await recordsOf(
    by('ci', planned('2.0.0')),
    by('ci', started()),
    by('ci', succeeded()),
  );
  const store = createMemoryReadModelStore({ orderedModels });
  value(await applyBatch(portsOf(store), 'g1', undefined, records));
  value(await store.switchTo(undefined, 'g1'));
  const seen = [...records];
  const acknowledged = records.map((record) => ({ position: record.position, record }));
  const keys = ['{plimsoll:local}:current'];
  const nothing = async (): Promise<void> => undefined;
  const emitters: Emitters = {
    acknowledged,
    refused: [],
    burst: nothing,
    deliver: async () => 0,
    quiet: nothing,
    goOn: () => undefined,
    stop: nothing,
  };
  const checker = openChecker({
    audience: 'local',
    tools,
    reader: {
      records: seen,
      readTo: async (next) => seen.length >= next,
      readAgain: async () => null,
    },
    store,
    emitters,
    keys: async () => keys,
  });
  return { records, store, seen, acknowledged, keys, emitters, checker };
};

const codes = (findings: readonly { readonly code: string }[]): readonly string[] => [
  ...new Set(findings.map(({ code }) => code)),
];

/** Rewrites rows behind the product's back. */
const spoil = async (
  { store }: Ground,
  model: string,
  change: (row: string) => string | null,
): Promise<void> => {
  const from = value(await store.checkpoint('g1'));
  if (from === undefined) throw new Error('there is no checkpoint');
  const rows = value(await store.dump('g1')).filter((line) => line.startsWith(`${model}\n`));
  const writes = rows.map((line) => {
    const [, key = '', ...row] = line.split('\n');
    return { model, key, value: change(row.join('\n')) };
  });
  value(await store.commit('g1', { from, to: from, writes }));
};

describe('the checker of a campaign', () => {
  test('finds nothing where all is as it must be', async () => {
    const { checker } = await ground();
    expect(await checker.check()).toEqual([]);
    expect(await checker.checkAtEnd()).toEqual([]);
  });

  test('finds a row that is another', async () => {
    const at = await ground();
    await spoil(at, 'log', () => '{"timeMs":1}');
    expect(codes(await at.checker.check())).toEqual(['divergent']);
  });

  test('finds a row that is gone', async () => {
    const at = await ground();
    await spoil(at, 'timeline', () => null);
    expect(codes(await at.checker.check())).toEqual(['divergent']);
  });

  test('finds a marker that was applied twice', async () => {
    const at = await ground();
    await spoil(at, 'deployment', (row) => {
      const deployment = readRow<Deployment>('deployment', row);
      const [attempt] = deployment.attempts;
      if (attempt === undefined) throw new Error('there is no attempt');
      const entries = [...attempt.entries, ...attempt.entries.slice(-1)];
      return rowText('deployment', { ...deployment, attempts: [{ ...attempt, entries }] });
    });
    expect(codes(await at.checker.check())).toEqual(['divergent', 'doubled']);
  });

  test('finds a checkpoint above the end of the log', async () => {
    const at = await ground();
    at.seen.pop();
    expect(codes(await at.checker.check())).toEqual(['ahead']);
  });

  test('finds an acknowledged record that is another one, or is not there at the end', async () => {
    const other = await ground();
    const [first, second] = other.acknowledged;
    if (first === undefined || second === undefined) throw new Error('nothing was acknowledged');
    other.acknowledged.push({ position: first.position, record: second.record });
    expect(codes(await other.checker.check())).toEqual(['lost']);

    const gone = await ground();
    gone.acknowledged.push({ ...second, position: gone.records.length });
    expect(await gone.checker.check()).toEqual([]);
    expect(codes(await gone.checker.checkAtEnd())).toEqual(['lost']);
  });

  test('reads at the end what somebody appended while it looked, before it calls it lost', async () => {
    const at = await ground();
    const [record] = at.records;
    if (record === undefined) throw new Error('there is no record');
    const position = at.records.length;
    const checker = openChecker({
      audience: 'local',
      tools,
      reader: {
        records: at.seen,
        readTo: async (next) => {
          while (at.seen.length < next) at.seen.push({ ...record, position: at.seen.length });
          return true;
        },
        readAgain: async () => {
          at.acknowledged.push({ position, record });
          return null;
        },
      },
      store: at.store,
      emitters: at.emitters,
      keys: async () => at.keys,
    });
    expect(await checker.checkAtEnd()).toEqual([]);
    expect(at.seen).toHaveLength(position + 1);
  });

  test('finds keys of another audience', async () => {
    const at = await ground();
    at.keys.push('{plimsoll:other}:current');
    expect(codes(await at.checker.check())).toEqual(['crossed']);
  });

  test('finds a generation beside the current one that is not what its records give', async () => {
    const at = await ground();
    value(await applyBatch(portsOf(at.store), 'g2', undefined, at.records.slice(0, 3)));
    expect(await at.checker.check()).toEqual([]);
    const from = value(await at.store.checkpoint('g2'));
    if (from === undefined) throw new Error('there is no checkpoint');
    const writes = [{ model: 'log', key: 'time', value: '{}' }];
    value(await at.store.commit('g2', { from, to: from, writes }));
    expect(codes(await at.checker.check())).toEqual(['divergent']);
  });
});
