import { execFile } from 'node:child_process';
import type { LogRecord } from '../../core/log/record.ts';
import { findProgram } from '../stack/prerequisites.ts';

/** The log as a program sees it that shares no code with us nor with kafkajs: Debian's kcat, which is librdkafka. */
export type LogReader = {
  /** What was read so far, by position. */
  readonly records: readonly LogRecord[];
  /** Reads on until it holds the records before `next`; false where the log does not have them in time. */
  readonly readTo: (next: number) => Promise<boolean>;
  /** Reads all of it anew and says where it is not what was read before; null where all is the same. */
  readonly readAgain: () => Promise<string | null>;
};

const outputBytesMax = 256 * 1024 * 1024;
const oneReadMs = 10_000;
const readWithinMs = 30_000;
/** %K and %S are the lengths of key and value; %h joins the headers by commas, and a campaign writes no comma. */
const format = '%o\n%T\n%K\n%k%h\n%S\n%s';

export const openLogReader = (brokers: readonly string[], topic: string): LogReader => {
  const records: LogRecord[] = [];

  const readFrom = async (from: number): Promise<readonly LogRecord[]> => {
    const args = [
      '-C',
      '-q',
      '-e',
      '-b',
      brokers.join(','),
      '-t',
      topic,
      '-p',
      '0',
      '-o',
      `${from}`,
    ];
    const quick = ['-X', 'fetch.wait.max.ms=20', '-X', 'socket.timeout.ms=5000'];
    const output = await new Promise<Buffer>((resolve) => {
      execFile(
        findProgram('kcat') ?? 'kcat',
        [...args, ...quick, '-f', format],
        {
          encoding: 'buffer',
          maxBuffer: outputBytesMax,
          timeout: oneReadMs,
          killSignal: 'SIGKILL',
        },
        // What came before a broken connection is whole records and perhaps the half of one.
        (_error, stdout) => resolve(stdout),
      );
    });
    return parse(output);
  };

  return {
    records,
    readTo: async (next) => {
      const deadlineMs = performance.now() + readWithinMs;
      while (records.length < next) {
        for (const record of await readFrom(records.length)) {
          if (record.position !== records.length)
            throw new Error(`${topic} has a gap: ${record.position} after ${records.length - 1}`);
          records.push(record);
        }
        if (records.length < next && performance.now() > deadlineMs) return false;
      }
      return true;
    },
    readAgain: async () => {
      const again = await readFrom(0);
      for (const record of records) {
        const other = again[record.position];
        if (other === undefined) return `record ${record.position} is gone`;
        if (!isSame(record, other)) return `record ${record.position} is another`;
      }
      return null;
    },
  };
};

const isSame = (a: LogRecord, b: LogRecord): boolean =>
  a.appendedAtMs === b.appendedAtMs &&
  Buffer.compare(a.key, b.key) === 0 &&
  Buffer.compare(a.value, b.value) === 0 &&
  JSON.stringify(a.headers) === JSON.stringify(b.headers);

const parse = (output: Buffer): readonly LogRecord[] => {
  const records: LogRecord[] = [];
  let at = 0;
  const line = (): string | undefined => {
    const end = output.indexOf('\n', at);
    if (end === -1) return undefined;
    const text = output.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  // An absent key or value has the length -1.
  const sized = (): Uint8Array | undefined => {
    const length = Math.max(0, Number(line()));
    if (Number.isNaN(length) || at + length > output.length) return undefined;
    at += length;
    return new Uint8Array(output.subarray(at - length, at));
  };
  while (at < output.length) {
    const [position, appendedAtMs] = [line(), line()];
    const key = sized();
    const headers = line();
    const value = sized();
    if (appendedAtMs === undefined || key === undefined || headers === undefined) break;
    if (value === undefined) break;
    records.push({
      position: Number(position),
      appendedAtMs: Number(appendedAtMs),
      key,
      headers: headers
        .split(',')
        .filter((header) => header !== '')
        .map((header) => {
          const equals = header.indexOf('=');
          return {
            name: header.slice(0, equals),
            value: new Uint8Array(Buffer.from(header.slice(equals + 1))),
          };
        }),
      value,
    });
  }
  return records;
};
