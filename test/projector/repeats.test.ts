import { expect, test } from 'vitest';
import type { CheckTools } from '../../services/core/check/check-record.ts';
import type { FoldState } from '../../services/core/projection.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { SignatureChecking } from '../../services/ports/signature-checking.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import {
  again,
  by,
  emptyStore,
  portsOf,
  recordsOf,
  retires,
  tools,
  trusts,
} from '../support/given.ts';
import { audience, planned, started } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

/** Folds in batches of two; says of which records a signature was checked, and what became of each. */
const foldWatched = async (
  records: readonly LogRecord[],
  { restarts = false, isAhead = false }: { restarts?: boolean; isAhead?: boolean } = {},
) => {
  const verified: number[] = [];
  let at = 0;
  const note = (signature: Uint8Array): void => {
    const signed = Buffer.from(signature).toString('base64');
    const isIts = ({ headers }: LogRecord, index: number): boolean =>
      index >= at && headers.some((header) => Buffer.from(header.value).includes(signed));
    verified.push(records.findIndex(isIts));
  };
  const watching: CheckTools = {
    ...tools,
    crypto: {
      ...tools.crypto,
      verify: (algorithm, publicKey, message, signature) => {
        note(signature);
        return tools.crypto.verify(algorithm, publicKey, message, signature);
      },
    },
  };
  const elsewhere: SignatureChecking = {
    verifyAll: async (asked) =>
      asked.map(({ publicKey, message, signature }) => {
        note(signature);
        return tools.crypto.verify('ed25519', publicKey, message, signature);
      }),
    close: async () => undefined,
  };
  const store = emptyStore();
  const ports = {
    ...portsOf(store, watching),
    ...(isAhead ? { signatureChecking: elsewhere } : {}),
  };
  const outcomes: string[] = [];
  let state: FoldState | undefined;
  for (; at < records.length; at += 2) {
    const from = restarts ? value(await loadState(portsOf(store), 'g')) : state;
    const batch = records.slice(at, at + 2);
    const done = value(await applyBatch(ports, 'g', from, batch));
    ({ state } = done);
    outcomes.push(...done.outcomes.map((one) => ('code' in one ? one.code : one.outcome)));
  }
  expect(value(await store.dump('g'))).toEqual(pureFold(records, audience).dumpAt(records.length));
  return { verified, outcomes };
};

const history = [
  trusts('ci'), // 1
  by('ci', planned()), // 2
  by('ci', started()), // 3
  again(2), // 4
  again(3), // 5
];

test.each([false, true])(
  'the signature of what comes again is not checked again (elsewhere: %s)',
  async (isAhead) => {
    const { verified, outcomes } = await foldWatched(await recordsOf(...history), { isAhead });
    expect(verified).toEqual([0, 1, 2, 3]);
    expect(outcomes.slice(4)).toEqual(['duplicate', 'duplicate']);
  },
);

test('who begins anew remembers nothing, and says the same', async () => {
  const { verified, outcomes } = await foldWatched(await recordsOf(...history), { restarts: true });
  expect(verified).toEqual([0, 1, 2, 3, 4, 5]);
  expect(outcomes.slice(4)).toEqual(['duplicate', 'duplicate']);
});

/** The record at this position with other bytes. */
const spoiltAt = (
  records: readonly LogRecord[],
  position: number,
  other: (record: LogRecord) => Partial<LogRecord>,
): readonly LogRecord[] =>
  records.map((record) =>
    record.position === position ? { ...record, ...other(record) } : record,
  );

const withHeader = ({ headers }: LogRecord, name: string, text: string): Partial<LogRecord> => ({
  headers: headers.map((header) =>
    header.name === name ? { ...header, value: Buffer.from(text) } : header,
  ),
});

test('a signature that was found good says nothing of the other headers', async () => {
  const spoilt = spoiltAt(await recordsOf(...history), 4, (record) =>
    withHeader(record, 'ce_source', 'elsewhere'),
  );
  const { outcomes } = await foldWatched(spoilt);
  expect(outcomes[4]).toBe('header-mismatch');
});

test('it says nothing of another value, and nothing of another schema', async () => {
  const records = await recordsOf(...history);
  const ofAnother = spoiltAt(records, 4, () => ({ value: records[3]?.value ?? Buffer.of() }));
  const told = await foldWatched(ofAnother);
  expect([told.verified, told.outcomes[4]]).toEqual([[0, 1, 2, 3, 4], 'signature-bad']);
  const asTrust = records[1]?.headers.find(({ name }) => name === 'plimsoll-schema');
  const toldOfSchema = await foldWatched(
    spoiltAt(records, 4, (record) =>
      withHeader(record, 'plimsoll-schema', Buffer.from(asTrust?.value ?? []).toString()),
    ),
  );
  expect([toldOfSchema.verified, toldOfSchema.outcomes[4]]).toEqual([
    [0, 1, 2, 3, 4],
    'signature-bad',
  ]);
});

test('a key that has ended ends its repeats, too', async () => {
  const records = await recordsOf(...history.slice(0, 3), retires('ci'), again(2), again(3));
  const { outcomes } = await foldWatched(records);
  expect(outcomes.slice(4)).toEqual(['trust', 'key-retired', 'key-retired']);
});
