import type { SampleEnvelope } from './sample.ts';

/** The key of a sample's record: environment/component, each percent-encoded. Both must be well-formed Unicode. */
export const sampleKey = ({
  environment,
  component,
}: Pick<SampleEnvelope, 'environment' | 'component'>): string =>
  `${encodeURIComponent(environment)}/${encodeURIComponent(component)}`;

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/**
 * The partition of a key: its FNV-1a hash (32 bits, over the ASCII of the key) modulo the number of partitions.
 * Every program must agree on it, so neither Kafka's partitioner nor a library decides.
 */
export const partitionOfKey = (key: string, partitions: number): number => {
  let hash = fnvOffset;
  for (let at = 0; at < key.length; at++)
    hash = Math.imul(hash ^ key.charCodeAt(at), fnvPrime) >>> 0;
  return hash % partitions;
};
