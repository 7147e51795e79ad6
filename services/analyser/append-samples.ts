import { appendBytes, appendBytesMax } from '../core/log/append-size.ts';
import type { NewRecord } from '../core/log/record.ts';
import { partitionOfKey, sampleKey } from '../core/samples/key.ts';
import type { Sample } from '../core/samples/sample.ts';
import { signSample } from '../core/samples/wire.ts';
import type { Stop } from '../ports/clock.ts';
import { appendSurely } from './append.ts';
import type { AnalyserPorts } from './ports.ts';

/** Signs samples and appends each to the partition of its key, in their order, in as few appends as they fit into. */
export const appendSamples = async (
  { tools, signer, samples: log, clock }: AnalyserPorts,
  stop: Stop,
  samples: readonly Sample[],
): Promise<void> => {
  const byPartition = Map.groupBy(samples, (sample) =>
    partitionOfKey(sampleKey(sample), log.partitions),
  );
  for (const [partition, ofPartition] of byPartition) {
    let fitting: NewRecord[] = [];
    let bytes = 0;
    for (const sample of ofPartition) {
      const record = await signSample(tools.codec, tools.text, sample, signer);
      const size = appendBytes([record]);
      if (bytes + size > appendBytesMax) {
        await appendSurely(clock, stop, log, partition, fitting);
        [fitting, bytes] = [[], 0];
      }
      fitting.push(record);
      bytes += size;
    }
    await appendSurely(clock, stop, log, partition, fitting);
  }
};
