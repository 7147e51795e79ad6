import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricFamily } from '../../core/own-metrics/family.ts';
import { counter, gauge, pointOf } from '../../core/own-metrics/family.ts';
import { joined } from '../../core/own-metrics/joined.ts';
import type { ReadMetrics, WriteMetrics } from '../../ports/own-metrics.ts';

type Ask = () => Promise<readonly MetricFamily[]>;

/** The numbers of the services of this process, for Prometheus and for OpenTelemetry. */
export type OwnMetrics = {
  /** Of a service that runs. */
  readonly add: (read: ReadMetrics) => Promise<void>;
  /** Numbers that have to be asked for. It happens every few seconds at most, and only while somebody collects. */
  readonly addAsked: (ask: Ask) => void;
  readonly write: WriteMetrics;
};

const askEveryMs = 2_000;
const answerWithinMs = 2_000;

export const openOwnMetrics = (): OwnMetrics => {
  const reads: ReadMetrics[] = [readProcess];
  const asked: Ask[] = [];
  return {
    add: async (read) => {
      reads.push(read);
      await offer(read);
    },
    addAsked: (ask) => {
      const rare = askRarely(ask);
      asked.push(rare);
      void offer(rare);
    },
    write: async (accept) => {
      const { contentTypes, formatFor, writeExposition } =
        await import('../../adapters/telemetry/exposition.ts');
      const format = formatFor(accept);
      const families = [
        ...reads.flatMap((read) => read()),
        ...(await Promise.all(asked.map((ask) => ask()))).flat(),
      ];
      return { contentType: contentTypes[format], body: writeExposition(joined(families), format) };
    },
  };
};

/** Only a service that runs loads the OpenTelemetry API. */
const offer = async (read: ReadMetrics | Ask): Promise<void> => {
  const { offerToOtel } = await import('../../adapters/telemetry/own-metrics.ts');
  await offerToOtel(read);
};

/** Who is slow to answer is not asked twice, and holds nobody up: without an answer in time there are no numbers. */
export const askRarely = (ask: Ask): Ask => {
  let answer: Promise<readonly MetricFamily[]> | undefined;
  let askedAtMs = -Infinity;
  let isAsking = false;
  return async () => {
    if (!isAsking && performance.now() - askedAtMs > askEveryMs) {
      isAsking = true;
      askedAtMs = performance.now();
      answer = ask()
        .catch(() => [])
        .finally(() => {
          isAsking = false;
        });
    }
    return Promise.race([answer ?? [], sleep(answerWithinMs, [], { ref: false })]);
  };
};

// Prometheus's own names for a process (prometheus.io/docs/instrumenting/writing_clientlibs).
const readProcess: ReadMetrics = () => {
  const { user, system } = process.cpuUsage();
  const cpuS = (user + system) / 1e6;
  const startedS = Math.floor(performance.timeOrigin) / 1000;
  return [
    counter(
      {
        name: 'process_cpu_seconds',
        otelName: 'process.cpu.time',
        unit: 's',
        help: 'CPU time used by this process',
      },
      pointOf({}, cpuS),
    ),
    gauge(
      {
        name: 'process_resident_memory_bytes',
        otelName: 'process.memory.usage',
        unit: 'By',
        help: 'Resident memory of this process',
      },
      pointOf({}, process.memoryUsage.rss()),
    ),
    gauge(
      {
        name: 'process_start_time_seconds',
        otelName: 'process.start_time',
        unit: 's',
        help: 'Start of this process since 1970',
      },
      pointOf({}, startedS),
    ),
  ];
};
