import { emptyPartition, foldSample } from '../../../services/core/canary/analysis/fold-samples.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import type { Decided } from '../../../services/core/markers/marker.ts';
import { checkSample } from '../../../services/core/samples/wire.ts';
import type { DatedKey } from '../../../services/core/trust/trust.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import { tools } from '../given.ts';
import { value } from '../records.ts';

/** Records of one page; on Kafka a page may be shorter. */
const pageRecords = 1_000;

/** All records of a partition. */
export const recordsOf = async (
  log: RecordLog,
  partition: number,
): Promise<readonly LogRecord[]> => {
  const records: LogRecord[] = [];
  const { start, end } = value(await log.range(partition));
  while (start + records.length < end)
    records.push(...value(await log.read(partition, start + records.length, pageRecords)));
  return records;
};

/**
 * What a reader decides whom nothing disturbs: it reads every sample once, from the first to the last, and keeps
 * nothing. As the bytes of the markers, hex, by decision id.
 */
export const undisturbed = async (
  samples: RecordLog,
  audience: string,
  keys: ReadonlyMap<string, DatedKey>,
): Promise<ReadonlyMap<string, { readonly decision: Decided; readonly bytes: string }>> => {
  const digest = (text: string): string => tools.crypto.sha256HexOfText(text);
  const decided = new Map<string, { readonly decision: Decided; readonly bytes: string }>();
  for (let partition = 0; partition < samples.partitions; partition++) {
    let state = emptyPartition;
    for (const record of await recordsOf(samples, partition)) {
      const sample = checkSample(tools, audience, keys, record);
      if (!sample.ok) continue;
      const { position, appendedAtMs } = record;
      const foldTools = { digest, partition };
      const folded = foldSample(foldTools, state, sample.value, position, appendedAtMs);
      state = folded.state;
      for (const decision of folded.decisions) {
        const { bytes } = tools.codec.encode('decision', decision);
        decided.set(decision.marker, { decision, bytes: hexOf(bytes) });
      }
    }
  }
  return decided;
};

/** The decisions that lie on a log, as the same bytes. */
export const decisionBytes = async (log: RecordLog): Promise<readonly string[]> =>
  (await recordsOf(log, 0)).flatMap(({ value: bytes }) => {
    const kind = tools.codec.prefix(bytes)?.kind ?? '';
    return ['promote', 'advance', 'hold', 'roll-back'].includes(kind) ? [hexOf(bytes)] : [];
  });

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
