import { describe, expect, test } from 'vitest';
import { createSignatureChecking } from '../../services/adapters/ed25519/signature-checking.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { CheckTools } from '../../services/core/check/check-record.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import {
  checkedAtOnceMax,
  checkedBytesMax,
  foldedAtOnceMax,
  settledAtOnceMax,
} from '../../services/projector/project.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 7, audience, records: 700 });

/** What was done since the others last had their turn, and the most that ever was. */
const openWatch = () => {
  const since = { decoded: 0, decodedBytes: 0, hashed: 0, verified: 0 };
  const most = { ...since };
  const did = (what: keyof typeof since, much = 1): void => {
    since[what] += much;
    most[what] = Math.max(most[what], since[what]);
  };
  const watched: CheckTools = {
    ...tools,
    codec: {
      ...tools.codec,
      decode: (digest, bytes) => {
        did('decoded');
        did('decodedBytes', bytes.length);
        return tools.codec.decode(digest, bytes);
      },
    },
    crypto: {
      ...tools.crypto,
      sha256HexOfText: (text) => {
        did('hashed');
        return tools.crypto.sha256HexOfText(text);
      },
      verify: (...asked) => {
        did('verified');
        return tools.crypto.verify(...asked);
      },
    },
  };
  const turn = async (): Promise<void> => {
    for (const what of Object.keys(since) as (keyof typeof since)[]) since[what] = 0;
  };
  return { watched, turn, most };
};

const foldWith = async (
  ports: Partial<ProjectionPorts> = {},
): Promise<{ readonly dump: readonly string[]; readonly store: ReadModelStore }> => {
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  for (let at = 0; at < records.length; at += 100)
    value(await log.append(0, records.slice(at, at + 100)));
  const store = emptyStore();
  value(await foldToEnd({ log, store, tools, audience, pinnedLogId: null, ...ports }, 'g1'));
  return { store, dump: value(await store.dump('g1')) };
};

describe('a fold lets others have their turn', () => {
  test('after every few records that it checks, folds, and puts into rows', async () => {
    const { watched, turn, most } = openWatch();
    const { dump } = await foldWith({ tools: watched, turn });
    expect(dump).toEqual((await foldWith()).dump);
    expect(most.decoded).toBeGreaterThan(1);
    expect(most.decoded).toBeLessThanOrEqual(checkedAtOnceMax);
    // A waiting time is signed by itself.
    expect(most.verified).toBeLessThanOrEqual(2 * checkedAtOnceMax);
    expect(most.decodedBytes).toBeLessThanOrEqual(checkedBytesMax + 64 * 1024);
    // A row that is read is hashed as it was and as it is.
    expect(most.hashed).toBeLessThanOrEqual(2 * settledAtOnceMax + foldedAtOnceMax);
  });
});

test('signatures that were checked on other cores give the same rows', async () => {
  const asked: number[] = [];
  const verifying = createSignatureChecking({ crypto: tools.crypto, threads: 2, startAfter: 0 });
  const { dump, store } = await foldWith({
    signatureChecking: {
      ...verifying,
      verifyAll: (signed) => {
        asked.push(signed.length);
        return verifying.verifyAll(signed);
      },
    },
  });
  await verifying.close();
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  for (let at = 0; at < records.length; at += 100)
    value(await log.append(0, records.slice(at, at + 100)));
  const stored = value(await log.read(0, 0, 10_000));
  expect(dump).toEqual(pureFold(stored, audience).dumpAt(stored.length));
  expect(value(await store.checkpoint('g1'))?.next).toBe(records.length);
  expect(asked.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
});

test('who checks them elsewhere is believed: a good one called bad is a dead letter', async () => {
  const { dump } = await foldWith({
    signatureChecking: {
      verifyAll: async (signed) => signed.map(() => false),
      close: async () => {},
    },
  });
  expect(dump.some((line) => line.includes('"code":"signature-bad"'))).toBe(true);
  expect(dump.filter((line) => line.startsWith('deployment\n'))).toEqual([]);
});
