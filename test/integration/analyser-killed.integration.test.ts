import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { DecisionRow } from '../../services/core/read-models.ts';
import { partitionOfKey, sampleKey } from '../../services/core/samples/key.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import type { Child } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { decisionBytes, undisturbed } from '../support/canary/undisturbed.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import { keyOf, signed } from '../support/given.ts';
import { keyState } from '../support/key-state.ts';
import type { Said } from '../support/markers.ts';
import { added, logged, opened, planned, run, started } from '../support/markers.ts';
import type { ProjectorEnvironment } from '../support/projector-processes.ts';
import {
  leaseMsOn,
  projectorProcesses,
  startWithSettings,
} from '../support/projector-processes.ts';
import {
  CHECKOUT,
  attributes,
  histogram,
  protobufOf,
  requestOf,
} from '../support/otlp/requests.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProjector = projectorProcesses();
const exportEveryMs = 1_000;
const requestsPerExport = 200;
const decisionMs = 60_000;
const testTimeoutMs = 240_000;
/** Where the lives of the analysers end; `anywhere` is a moment by chance. */
const deaths = [
  'anywhere',
  'anywhere',
  'anywhere',
  'before the decision',
  'in the decision',
  'after the decision',
  'nowhere',
] as const;
const livesMsMax = 3_000;
/** Of the analysers that share the work the one that judges is killed so often, each time within so long. */
const killsOfTheOwner = 3;
const judgedMsMax = 3_000;

test(
  'analyser and projector killed again and again come to one roll-back, and the read models are the pure fold',
  async () => {
    const { random } = seededChance();
    const { fed, settings, metrics } = await runningCanary();
    const telemetry = keepExporting(metrics);
    let projector = startProjector(settings);
    let decided = 0;
    for (const death of deaths) {
      const args = [`${settings.leaseMs}`, death];
      const analyser = startWithSettings('analyser.ts', args, settings);
      await eventually('it works', () => said(analyser, 'started').length > 0, decisionMs);
      projector.signal('SIGKILL');
      projector = startProjector(settings);
      // A life that finds the decision on the log already does not append it.
      const isOver = outcomeOf(analyser);
      if (death === 'anywhere') await sleep(random() * livesMsMax);
      else await eventually('it decides, or dies of it', isOver, decisionMs);
      decided = said(analyser, 'decided').length;
      analyser.signal('SIGKILL');
    }
    expect(decided).toBeGreaterThan(0);
    await telemetry.stop();
    await fed.append([]);
    await fed.compareAtEnd();

    const generation = value(await fed.store.current()) ?? '';
    const rows = value(await fed.store.scan(generation, 'decision', { rowsMax: 100 })).rows;
    const decisions = rows.map(({ value: row }) => JSON.parse(row) as DecisionRow);
    expect(decisions).toMatchObject([
      { kind: 'roll-back', deployment: run('7'), attempt: 1, verdict: 'fail' },
    ]);
    await Promise.all([metrics.close(), fed.log.close(), fed.store.close()]);
  },
  testTimeoutMs,
);

test(
  'of several analysers those are killed that judge; the others come to the roll-back which the samples say, for its window',
  async () => {
    const { random } = seededChance();
    const { audience, fed, settings, metrics } = await runningCanary();
    startProjector(settings);
    const telemetry = keepExporting(metrics);
    const partition = partitionOfKey(
      sampleKey({ environment: 'production', component: 'checkout' }),
      12,
    );
    const analysers: Child[] = [];
    const startOne = (): void =>
      void analysers.push(
        startWithSettings('analyser.ts', [`${settings.leaseMs}`, 'nowhere', 'often'], settings),
      );
    /** Who judges: whoever took the partition over last. */
    const owner = (): Child | undefined =>
      analysers
        .flatMap((child) =>
          said(child, 'taken-over').map((taken) => ({ child, ...(taken as TakenOver) })),
        )
        .filter((taken) => taken.partition === partition)
        .toSorted((left, right) => left.atMs - right.atMs)
        .at(-1)?.child;
    const isTold = (event: string): boolean =>
      analysers.some((child) => said(child, event).length > 0);

    for (let first = 0; first < 3; first++) startOne();
    await eventually('a canary is judged', () => isTold('analysis-opened'), decisionMs);
    for (let kill = 0; kill < killsOfTheOwner && !isTold('decided'); kill++) {
      await sleep(random() * judgedMsMax);
      const killed = owner();
      const taken = takings(analysers, partition).length;
      killed?.signal('SIGKILL');
      startOne();
      await eventually(
        'another one takes it over',
        () => takings(analysers, partition).length > taken || isTold('decided'),
        decisionMs,
      );
    }
    await eventually('it is decided', () => isTold('decided'), decisionMs);
    await telemetry.stop();
    for (const child of analysers) child.signal('SIGKILL');
    await fed.append([]);
    await fed.compareAtEnd();

    const samples = value(
      await openKafkaRecordLog({
        brokers: stack.kafkaBrokers,
        topic: `plimsoll.${audience}.samples`,
        partitions: 12,
        keptMs: 604_800_000,
      }),
    );
    const keys = new Map([[keyOf('analyser').keyId, keyState(keyOf('analyser'))]]);
    const decided = [...(await undisturbed(samples, audience, keys)).values()];
    const onLog = await decisionBytes(fed.log);
    const rollback = decided.find(({ decision }) => decision.kind === 'roll-back');
    expect(onLog).toContain(rollback?.bytes);
    for (const bytes of onLog) expect(decided.map((one) => one.bytes)).toContain(bytes);
    expect(takings(analysers, partition).map(({ from }) => from)).toContain('snapshot');
    await Promise.all([metrics.close(), samples.close(), fed.log.close(), fed.store.close()]);
  },
  testTimeoutMs,
);

type TakenOver = {
  readonly partition: number;
  readonly from: 'snapshot' | 'samples';
  readonly atMs: number;
};

const takings = (children: readonly Child[], partition: number): readonly TakenOver[] =>
  children
    .flatMap((child) => said(child, 'taken-over') as readonly TakenOver[])
    .filter((taken) => taken.partition === partition);

/** A log on which a canary has just been started, and what its services are started with. */
const runningCanary = async (): Promise<RunningCanary> => {
  const audience = freshAudience();
  const fed = await onStack(stack, audience);
  let markers = 0;
  const say = async (name: string, says: Said): Promise<void> => {
    const marker = `${audience} ${(markers += 1)}`;
    await fed.append([await signed(name, { ...says, audience }, marker, Date.now())]);
  };
  await say('admin', opened(keyOf('admin')));
  await say('admin', added(keyOf('ci')));
  await say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await say('ci', logged('1.0.0'));
  await say('ci', planned('2.0.0', { strategy: 'canary', canaryShare: 0.5 }));
  await say('ci', started());
  const metrics = value(
    await openKafkaRecordLog({
      brokers: stack.kafkaBrokers,
      topic: `plimsoll.${audience}.otlp_metrics`,
      partitions: 1,
      keptMs: 86_400_000,
    }),
  );
  const settings = {
    log: `kafka://${stack.kafkaBrokers.join(',')}`,
    store: stack.redisUrl,
    audience,
    folder,
    leaseMs: leaseMsOn(stack),
  };
  return { audience, fed, settings, metrics };
};

type RunningCanary = {
  readonly audience: string;
  readonly fed: FedLog;
  readonly settings: ProjectorEnvironment;
  readonly metrics: RecordLog;
};

const said = (child: Child, event: string): readonly object[] =>
  child.lines
    .map((line) => JSON.parse(line) as { readonly event: string })
    .filter((each) => each.event === event);

/** Whether it has decided, or is dead. */
const outcomeOf = (child: Child): (() => boolean) => {
  let isDead = false;
  void child.over.then(() => (isDead = true));
  return () => isDead || said(child, 'decided').length > 0;
};

/** Both versions count their requests and export the counters; the canary fails one in twenty. */
const keepExporting = (metrics: RecordLog): { readonly stop: () => Promise<void> } => {
  const versions = [
    { version: '1.0.0', failing: 0 },
    { version: '2.0.0', failing: 10 },
  ];
  const startedAtMs = Date.now();
  let isStopped = false;
  const exporting = async (): Promise<void> => {
    for (let exports = 1; !isStopped; exports += 1) {
      const nowMs = Date.now();
      for (const { version, failing } of versions) {
        const counters = [
          counter(200, exports * (requestsPerExport - failing), startedAtMs, nowMs),
          counter(500, exports * failing, startedAtMs, nowMs),
        ];
        value(await metrics.append(0, [exported(version, counters)]));
      }
      await sleep(exportEveryMs);
    }
  };
  const over = exporting();
  return {
    stop: async () => {
      isStopped = true;
      await over;
    },
  };
};

const counter = (status: number, count: number, startMs: number, timeMs: number): object => ({
  startTimeUnixNano: `${startMs}000000`,
  timeUnixNano: `${timeMs}000000`,
  count: `${count}`,
  sum: count / 100,
  bucketCounts: [`${count}`],
  explicitBounds: [],
  attributes: attributes({ 'http.response.status_code': status }),
});

const exported = (version: string, counters: readonly object[]): NewRecord => ({
  key: new Uint8Array(),
  headers: [{ name: 'content-type', value: Buffer.from('application/x-protobuf') }],
  value: protobufOf(requestOf([histogram(counters)], { ...CHECKOUT, 'service.version': version })),
});
