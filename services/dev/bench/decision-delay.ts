import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { readKey } from '../../adapters/foundation/open-keys.ts';
import type { LogRecord } from '../../core/log/record.ts';
import type { Decided, Marker } from '../../core/markers/marker.ts';
import { headerNames, signMarker } from '../../core/markers/wire.ts';
import { partitionOfKey, sampleKey } from '../../core/samples/key.ts';
import type { Points } from '../../core/samples/sample.ts';
import { parseSettings } from '../../core/settings.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import { exportOf } from '../faults/canaries.ts';
import type { Server } from '../faults/canaries.ts';
import { noDetails } from '../no-details.ts';
import { startOwn } from '../stack/own-process.ts';
import type { Bench, Measured } from './bench.ts';
import { valueOf } from './corpus.ts';
import { processCpuMicros } from './process-usage.ts';

// How long it takes from the last sample that a roll-back needed to the roll-back on the log: embedded, all services in
// one process, canaries that fail one request of three. Windows of two seconds, exports each second.

const canaries = 8;
const windowMs = 2_000;
const exportEveryMs = 1_000;
const decidedWithinMs = 120_000;
const readyWithinMs = 30_000;
const environment = 'production';
const plimsoll = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const policy = {
  version: 2,
  policies: [
    {
      component: '*',
      environment: '*',
      'warm-up': '4s',
      soak: '18s',
      judging: { window: '2s', block: '6s', 'no-data': '20s' },
      metrics: ['cpu', 'memory', 'traffic'].map((name) => ({ name, weight: 0 })),
    },
  ],
};

/** Milliseconds to the append of the decision. */
type Delay = {
  /** From the newest points of its last window. */
  readonly sincePointsMs: number;
  /** From the sample that closed this window. */
  readonly sinceClosedMs: number;
};

type Seen = {
  readonly delays: readonly Delay[];
  /** Of the services, from their start on. */
  readonly cpuMicros: number;
};

export const decisionDelay = (): Bench => {
  let seen: Seen | undefined;
  return {
    name: 'decision-delay',
    unit: 'decision',
    alternatives: [
      {
        name: 'last sample to roll-back',
        // It takes its time whatever is measured: once is enough.
        run: async (): Promise<Measured> => {
          seen ??= await decide();
          const { delays, cpuMicros } = seen;
          const closed = delays.map(({ sinceClosedMs }) => sinceClosedMs);
          const operations = Math.max(1, delays.length);
          return { operations, wallMicros: quantile(closed, 0.5) * 1_000 * operations, cpuMicros };
        },
      },
    ],
    ratios: [],
    notes: () => {
      const line = (what: string, of: (delay: Delay) => number): string => {
        const all = (seen?.delays ?? []).map(of);
        const [half, most] = [quantile(all, 0.5), quantile(all, 1)];
        return `from ${what} to the roll-back: median ${half} ms, most ${most} ms; ${(half / windowMs).toFixed(2)} and ${(most / windowMs).toFixed(2)} windows`;
      };
      return [
        `${seen?.delays.length ?? 0} of ${canaries} canaries at once, windows of ${windowMs / 1_000} s; two of them are the lateness that is waited for`,
        line('the newest points of its last window', ({ sincePointsMs }) => sincePointsMs),
        line('the sample that closed this window', ({ sinceClosedMs }) => sinceClosedMs),
      ];
    },
  };
};

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((left, right) => left - right)[Math.ceil(share * values.length) - 1] ?? NaN;

const decide = async (): Promise<Seen> => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
  const policyFile = join(folder, 'policy.yaml');
  writeFileSync(policyFile, JSON.stringify(policy));
  const env = { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0', PLIMSOLL_POLICY: policyFile };
  // A log that the shell names is somebody's own.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('PLIMSOLL_'));
  const up = startOwn(process.execPath, [plimsoll, 'up'], folder, {
    env: { ...Object.fromEntries(others), ...env },
  });
  const data = join(folder, 'plimsoll-data');
  try {
    const foundation = await openedBy(data);
    try {
      const delays = await watched(foundation, data);
      return { delays, cpuMicros: processCpuMicros(up.pid) };
    } finally {
      await foundation.close();
    }
  } finally {
    await up.stop();
    rmSync(folder, { recursive: true });
  }
};

/** As soon as the services have made the log and trust the analyser. */
const openedBy = async (dataFolder: string): Promise<Foundation> => {
  const untilMs = Date.now() + readyWithinMs;
  for (;;) {
    await sleep(500);
    const foundation = openFoundation({
      ...valueOf(
        parseSettings({
          PLIMSOLL_LOG: `sqlite:${dataFolder}`,
          PLIMSOLL_STORE: `sqlite:${dataFolder}`,
        }),
      ),
      dataFolder,
    });
    const key = await readKey(dataFolder, 'analyser');
    if (key.ok) return foundation;
    await foundation.close();
    if (Date.now() > untilMs) throw new Error('the services did not start');
  }
};

const watched = async (foundation: Foundation, dataFolder: string): Promise<readonly Delay[]> => {
  const { tools, ids } = foundation;
  const log = valueOf(await foundation.stream('log'));
  const metrics = valueOf(await foundation.stream('otlp_metrics'));
  const samples = valueOf(await foundation.stream('samples'));
  const signer = valueOf(await readKey(dataFolder, 'local'));
  const say = async (marker: object): Promise<void> => {
    const record = await signMarker(tools.codec, tools.text, marker as Marker, signer);
    valueOf(await log.append(0, [record]));
  };
  const servers: Server[] = [];
  for (let number = 0; number < canaries; number += 1) {
    const component = `shop-${number}`;
    const deployment = ids.uuidV7();
    for (const marker of storyOf(component, deployment, foundation)) await say(marker);
    const base = { component, exports: 0, startedAtMs: Date.now() };
    servers.push(
      { ...base, version: '1.0.0', deployment: null, requests: 200, errors: 1 },
      { ...base, version: '2.0.0', deployment, requests: 200, errors: 60 },
    );
  }
  const untilMs = Date.now() + decidedWithinMs;
  let decisions: readonly LogRecord[] = [];
  while (decisions.length < canaries && Date.now() < untilMs) {
    for (const server of servers) {
      server.exports += 1;
      valueOf(await metrics.append(0, [exportOf(server, Date.now(), tools)]));
    }
    await sleep(exportEveryMs);
    decisions = (await allOf(log, 0)).filter(
      ({ value }) => tools.codec.prefix(value)?.kind === 'roll-back',
    );
  }
  return Promise.all(decisions.map((record) => delayOf(foundation, samples, record)));
};

const delayOf = async (
  { tools }: Foundation,
  samples: RecordLog,
  record: LogRecord,
): Promise<Delay> => {
  const decided = bodyOf(tools, record) as Decided;
  const key = sampleKey(decided.slot);
  const partition = partitionOfKey(key, samples.partitions);
  const all = await allOf(samples, partition);
  const closed = all.find(({ position }) => position === decided.samplesTo);
  const points = all.filter((one) => {
    if (tools.text.decodeUtf8(one.key) !== key) return false;
    const { points: shown = [] } = bodyOf(tools, one) as Partial<Points>;
    return shown.some(({ time }) => time < decided.windowEndedAt);
  });
  const newest = points.at(-1)?.appendedAtMs ?? NaN;
  return {
    sincePointsMs: record.appendedAtMs - newest,
    sinceClosedMs: record.appendedAtMs - (closed?.appendedAtMs ?? NaN),
  };
};

/** As its own writer wrote it: nobody else writes to this log. */
const bodyOf = ({ codec, text }: Foundation['tools'], { headers, value }: LogRecord): unknown => {
  const schema = headers.find(({ name }) => name === headerNames.schema)?.value;
  return valueOf(codec.decode(text.decodeUtf8(schema ?? new Uint8Array()) ?? '', value)).body;
};

const pageRecords = 1_000;

const allOf = async (log: RecordLog, partition: number): Promise<readonly LogRecord[]> => {
  const { start, end } = valueOf(await log.range(partition));
  const records: LogRecord[] = [];
  for (let at = start; at < end; at = (records.at(-1)?.position ?? end) + 1)
    records.push(...valueOf(await log.read(partition, at, pageRecords)));
  return records;
};

/** A version that holds the place, and a canary beside it that has begun. */
const storyOf = (
  component: string,
  deployment: string,
  { ids, clock, settings }: Foundation,
): readonly object[] => {
  const envelope = {
    audience: settings.audience,
    source: 'bench/ci',
    occurredAt: clock.nowMs(),
    producer: null,
    sequence: null,
    attempt: null,
    details: noDetails,
  };
  const slot = { namespace: 'default', environment, component, target: null };
  const logged = ids.uuidV7();
  const of = { digest: null, rollback: false };
  return [
    {
      ...envelope,
      ...of,
      kind: 'logged',
      marker: logged,
      deployment: logged,
      reason: null,
      slot,
      version: '1.0.0',
    },
    {
      ...{ ...envelope, ...of, kind: 'planned', marker: ids.uuidV7(), deployment, slot },
      ...{ name: 'default', version: '2.0.0', strategy: 'canary', canaryShare: 0.5 },
    },
    {
      ...{ ...envelope, kind: 'started', marker: ids.uuidV7(), deployment, slot: null },
      ...{ statusReported: 'RUNNING', reason: null, canaryShare: null, colour: null, phase: null },
    },
  ];
};
