import type { RememberedRange, SignatureOutcome } from '../core/check/remembered.ts';
import {
  beginDigest,
  extendDigest,
  rangeKey,
  rangeRecordsMax,
  rangeRecordsMin,
  rangesPrefix,
  readRange,
  writeRange,
} from '../core/check/remembered.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { ProjectionPorts } from '../ports/projecting.ts';
import type { Aside, AsideWrite } from '../ports/read-model-store.ts';

/** Lets ranges grow batch by batch, and keeps them where they are found again. */
export type ChecksMemory = {
  readonly add: (
    logId: string,
    records: readonly LogRecord[],
    outcomes: readonly SignatureOutcome[],
  ) => Promise<void>;
  readonly forget: (key: string) => void;
  readonly write: () => Promise<void>;
  /** Keeps also the range that still grows: the next fold lets it grow on. */
  readonly end: () => Promise<void>;
};

type Growing = RememberedRange & { readonly logId: string };

/** One write holds so many ranges at most; it is far below what a store takes. */
const writtenAtOnceMax = 500;

export const openMemory = (
  tools: ProjectionPorts['tools'],
  audience: string,
  aside: Aside,
): ChecksMemory => {
  let growing: Growing | undefined;
  let keptTo: Position | undefined;
  const writes = new Map<string, string | null>();

  const keep = (range: Growing): void => {
    writes.set(rangeKey(range.logId, range.from), writeRange(range));
    keptTo = range.to;
  };

  /** The range that ends here and may grow on: our own, one that an earlier fold left short, or a new one. */
  const growOn = async (logId: string, from: Position): Promise<Growing> => {
    if (growing?.logId === logId && growing.to === from) return growing;
    if (growing !== undefined) keep(growing);
    const left = keptTo === from ? undefined : await shortRangeBefore(aside, logId, from);
    if (left !== undefined) return { ...left, logId };
    const digest = beginDigest(tools, audience, logId, from);
    return { logId, from, to: from, parts: [], digest, outcomes: [] };
  };

  const add = async (
    logId: string,
    records: readonly LogRecord[],
    outcomes: readonly SignatureOutcome[],
  ): Promise<void> => {
    const from = records[0]?.position;
    if (from === undefined) return;
    const range = await growOn(logId, from);
    const grown: Growing = {
      ...range,
      to: from + records.length,
      parts: [...range.parts, records.length],
      digest: extendDigest(tools, range.digest, records),
      outcomes: [...range.outcomes, ...outcomes],
    };
    growing = grown.to - grown.from < rangeRecordsMin ? grown : undefined;
    if (growing === undefined) keep(grown);
  };

  const write = async (): Promise<void> => {
    const entries: readonly AsideWrite[] = [...writes].map(([key, value]) => ({ key, value }));
    writes.clear();
    for (let at = 0; at < entries.length; at += writtenAtOnceMax)
      await aside.write(entries.slice(at, at + writtenAtOnceMax));
  };

  return {
    add: async (logId, records, outcomes) => {
      // A short range and one piece are never longer than a range may be.
      for (let at = 0; at < records.length; at += pieceRecordsMax)
        await add(
          logId,
          records.slice(at, at + pieceRecordsMax),
          outcomes.slice(at, at + pieceRecordsMax),
        );
    },
    forget: (key) => {
      // What is remembered anew in its place comes later.
      writes.set(key, null);
    },
    write,
    end: async () => {
      if (growing !== undefined) keep(growing);
      growing = undefined;
      await write();
    },
  };
};

const pieceRecordsMax = rangeRecordsMax - rangeRecordsMin;

const shortRangeBefore = async (
  aside: Aside,
  logId: string,
  to: Position,
): Promise<RememberedRange | undefined> => {
  const found = await aside.scan({
    prefix: rangesPrefix(logId),
    after: rangeKey(logId, to),
    newestFirst: true,
    rowsMax: 1,
  });
  const [last] = found.ok ? found.value : [];
  const range = last === undefined ? undefined : readRange(last.key, last.value);
  return range?.to === to && to - range.from < rangeRecordsMin ? range : undefined;
};
