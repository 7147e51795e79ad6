import { Kafka, logLevel } from 'kafkajs';
import type { ISocketFactory, logCreator } from 'kafkajs';
import type { LogRecord } from '../../core/log/record.ts';

/** What went wrong on the way and was tried again: for a log line. Nothing here needs an alarm by itself. */
export type KafkaNote = { readonly from: string; readonly message: string };

export type KafkaAddress = {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** How the broker's own logs and quotas name us. */
  readonly clientId?: string;
  /** Makes the connections; kafkajs's own where it is not given. */
  readonly socketFactory?: ISocketFactory;
  /** Silent without it. The same note comes at most twice a minute. */
  readonly note?: (note: KafkaNote) => void;
};

export const requestTimeoutMs = 5_000;
const connectTimeoutMs = 3_000;
const connectTriesMax = 5;
const betweenTriesMinMs = 100;
const betweenTriesMaxMs = 1_000;
const sameNoteMs = 30_000;
const notesRememberedMax = 100;

/** Waits between tries grow from 0.1 to 1 s; connecting gives up after five tries, so that no process hangs on it. */
export const tries: {
  readonly retries: number;
  readonly initialRetryTime: number;
  readonly maxRetryTime: number;
} = {
  retries: connectTriesMax,
  initialRetryTime: betweenTriesMinMs,
  maxRetryTime: betweenTriesMaxMs,
};

/** Connects nothing yet. `suffix` sets one member of a group apart from the next. */
export const kafkaClient = (address: KafkaAddress, suffix = ''): Kafka =>
  new Kafka({
    clientId: `${address.clientId ?? 'plimsoll'}${suffix}`,
    brokers: inTurn(address.brokers),
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: tries,
    ...(address.socketFactory && { socketFactory: address.socketFactory }),
    logLevel: address.note === undefined ? logLevel.NOTHING : logLevel.ERROR,
    logCreator: toNotes(address.note),
  });

/**
 * The next broker at each try, for all connections of a client together. Given a list, kafkajs begins each producer with
 * the first of it: where that one hangs (it takes connections and answers nothing), whoever gives up sooner than a
 * request times out, and begins anew, would ask it for ever.
 */
const inTurn = (brokers: readonly string[]): (() => string[]) => {
  // Of many short-lived processes, not all ask the same one first.
  let next = Math.floor(Math.random() * brokers.length);
  return () => {
    const at = next;
    next = (next + 1) % brokers.length;
    return brokers.slice(at, at + 1);
  };
};

/** A broker that is away makes kafkajs say so ten times a second. */
const toNotes = (note: KafkaAddress['note']): logCreator => {
  const saidAtMs = new Map<string, number>();
  return () =>
    ({ namespace, log }) => {
      const nowMs = performance.now();
      if (nowMs - (saidAtMs.get(log.message) ?? -Infinity) < sameNoteMs) return;
      if (saidAtMs.size >= notesRememberedMax) saidAtMs.clear();
      saidAtMs.set(log.message, nowMs);
      note?.({ from: `kafkajs ${namespace}`, message: log.message });
    };
};

/** The parts of kafkajs's own cluster that we use to read by position: kafkajs offers it through groups only. */
export type Cluster = {
  readonly connect: () => Promise<void>;
  readonly disconnect: () => Promise<void>;
  readonly addTargetTopic: (topic: string) => Promise<void>;
  /** Partitions by the node that leads them. */
  readonly findLeaderForPartitions: (
    topic: string,
    partitions: readonly number[],
  ) => Readonly<Record<string, readonly number[]>>;
  readonly findBroker: (node: { readonly nodeId: string }) => Promise<Broker>;
  readonly fetchTopicsOffset: (
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning: boolean;
    }[],
  ) => Promise<
    readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[]
  >;
};

export type Broker = {
  /** How kafkajs lays out a call, by its key (https://kafka.apache.org/protocol#protocol_api_keys). */
  readonly lookupRequest: (key: number, definition: unknown) => (asked: unknown) => KafkaProtocol;
  readonly fetch: (request: {
    readonly isolationLevel: 0;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  }) => Promise<Pick<FetchAnswer, 'responses'>>;
};

/** One call: what is asked, and how the answer is read. `parse` throws what the answer says went wrong. */
export type KafkaProtocol = {
  readonly request: { readonly apiVersion: number };
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<FetchAnswer>;
    readonly parse: (answer: FetchAnswer) => Promise<FetchAnswer>;
  };
};

export type FetchAnswer = {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly highWatermark: string;
      readonly messages: readonly FetchedMessage[];
      /** Where we have read the answer ourselves. */
      readonly records?: readonly LogRecord[];
    }[];
  }[];
};

export type FetchedMessage = {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** A name that came twice has a list; a stranger's name may hit a member that every object inherits. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly isControlRecord: boolean;
};

const metadataAgeMaxMs = 300_000;

/**
 * A cluster with the connection settings of `kafka`. kafkajs 2.2.4 (its last release, pinned exactly) keeps the
 * maker under a symbol; there is no public way to fetch from a position without joining a group, and a group
 * consumer jumps silently when its position is gone.
 */
export const clusterOf = (kafka: Kafka): Cluster => {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const maker = symbol && (kafka as unknown as Record<symbol, unknown>)[symbol];
  if (typeof maker !== 'function')
    throw new Error('this is not the kafkajs 2.2.4 that the adapter is made for');
  return maker({
    metadataMaxAge: metadataAgeMaxMs,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    isolationLevel: readUncommitted,
  }) as Cluster;
};

/** We write no transactions. A stranger's are shown as they lie there: else positions would have gaps. */
export const readUncommitted = 0;
