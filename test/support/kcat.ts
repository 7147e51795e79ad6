import { execFile } from 'node:child_process';
import { findProgram } from '../../services/dev/stack/prerequisites.ts';

/** A record as another program sees it. */
export type SeenRecord = {
  readonly partition: number;
  readonly position: number;
  readonly appendedAtMs: number;
  readonly key: string;
  /** In the order in which they were written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly value: Buffer;
};

const outputBytesMax = 64 * 1024 * 1024;
/** %K and %S are the lengths of key and value; %h joins the headers by commas. */
const format = '%p\n%o\n%T\n%K\n%k%h\n%S\n%s';

/**
 * All records of a topic, read by Debian's kcat: it is librdkafka, and shares no code with us nor with kafkajs.
 * A header with a comma in it cannot be told from two.
 */
export const kcat = async (
  brokers: readonly string[],
  topic: string,
): Promise<readonly SeenRecord[]> => {
  const args = ['-C', '-q', '-e', '-b', brokers.join(','), '-t', topic, '-o', 'beginning'];
  const output = await new Promise<Buffer>((resolve, reject) => {
    execFile(
      findProgram('kcat') ?? 'kcat',
      [...args, '-f', format],
      { encoding: 'buffer', maxBuffer: outputBytesMax },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
  });
  return readOutput(output);
};

const readOutput = (output: Buffer): readonly SeenRecord[] => {
  let at = 0;
  const line = (): string => {
    const end = output.indexOf('\n', at);
    const text = output.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  // An absent key or value has the length -1.
  const sized = (): Buffer => {
    const length = Math.max(0, Number(line()));
    at += length;
    return output.subarray(at - length, at);
  };
  const records: SeenRecord[] = [];
  while (at < output.length) {
    const [partition, position, appendedAtMs] = [Number(line()), Number(line()), Number(line())];
    const key = sized().toString();
    const headers = line()
      .split(',')
      .filter((header) => header !== '')
      .map((header) => {
        const equals = header.indexOf('=');
        return [header.slice(0, equals), header.slice(equals + 1)] as const;
      });
    records.push({ partition, position, appendedAtMs, key, headers, value: sized() });
  }
  return records;
};
