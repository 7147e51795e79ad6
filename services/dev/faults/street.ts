import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { readKey } from '../../adapters/foundation/open-keys.ts';
import { openKafkaRecordLog } from '../../adapters/kafka/record-log.ts';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { parseSettings } from '../../core/settings.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Random } from '../canary-climates/random.ts';
import { demoPolicy } from '../demo/policy.ts';
import { freePort } from '../stack/free-port.ts';
import { startCanaries } from './canaries.ts';
import { openChecker } from './checker.ts';
import type { Checker } from './checker.ts';
import { startEmitters } from './emitters.ts';
import type { Emitters } from './emitters.ts';
import type { Events } from './events.ts';
import { openFakeClock } from './fake-clock.ts';
import type { FakeClock } from './fake-clock.ts';
import { openLogReader } from './log-reader.ts';
import { openMember } from './member.ts';
import type { Member } from './member.ts';
import { openPipelines } from './pipelines.ts';
import type { Pipelines } from './pipelines.ts';
import type { Replacement } from './replaced-constants.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { SmallDisk } from './small-disk.ts';
import { startStreetRedis } from './street-redis.ts';
import type { StreetRedis } from './street-redis.ts';

/** One audience with everything that works for it: emitters, projectors, analysers, a gateway, and its Redis. */
export type Street = {
  readonly audience: string;
  readonly folder: string;
  readonly foundation: Foundation;
  readonly redis: StreetRedis;
  /** Undefined where a disk of our own may not be mounted. */
  readonly disk: SmallDisk | undefined;
  /** Undefined where there is no libfaketime. It is the clock of the last projector. */
  readonly clock: FakeClock | undefined;
  readonly projectors: readonly Member[];
  readonly analysers: readonly Member[];
  readonly gateway: Member;
  readonly members: () => readonly Member[];
  /** A member that is no part of the street: a rebuild, a projector of another version. */
  readonly another: (
    name: string,
    words: readonly string[],
    replaced?: readonly Replacement[],
  ) => Member;
  /** How many versions of the fold the street is above the tree's. */
  readonly version: { above: number };
  /** A fault is under way that services answer by ending. */
  readonly ends: { areExpected: boolean };
  readonly emitters: Emitters;
  readonly pipelines: Pipelines;
  readonly log: RecordLog;
  /** Straight to the server, past the proxy. */
  readonly store: ReadModelStore;
  readonly checker: Checker;
  readonly events: Events;
  readonly close: () => Promise<void>;
};

export type StreetOptions = {
  readonly audience: string;
  readonly folder: string;
  readonly brokers: readonly string[];
  readonly leaseMs: number;
  readonly random: Random;
  readonly events: Events;
};

const projectorCount = 3;
const analyserCount = 2;
const lanes = 2;
const markersPerSecond = 8;
const diskMegabytes = 96;
const closeWithinMs = 3_000;
const keptVariables = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

export const shortLease = (leaseMs: number): Replacement => ({
  file: 'services/adapters/kafka/group-lease.ts',
  from: 'const leaseMsDefault = 10_000;',
  to: `const leaseMsDefault = ${leaseMs};`,
});

export const otherFold = (above: number): Replacement => ({
  file: 'services/core/projection.ts',
  from: 'export const currentFoldVersion: number = foldVersion;',
  to: `export const currentFoldVersion: number = foldVersion + ${above};`,
});

export const openStreet = async (options: StreetOptions): Promise<Street> => {
  const { audience, folder, brokers, leaseMs, random, events } = options;
  mkdirSync(folder, { recursive: true });
  const policyFile = join(folder, 'policy.json');
  writeFileSync(policyFile, JSON.stringify(demoPolicy));
  const disk = mountSmallDisk(join(folder, 'redis'), diskMegabytes);
  const redis = await startStreetRedis(join(folder, 'redis'));
  const gatewayPort = await freePort();
  const env = {
    ...Object.fromEntries(
      keptVariables.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
    PLIMSOLL_LOG: `kafka://${brokers.join(',')}`,
    PLIMSOLL_STORE: redis.url,
    PLIMSOLL_AUDIENCE: audience,
    PLIMSOLL_POLICY: policyFile,
    PLIMSOLL_PORT: String(gatewayPort),
    PLIMSOLL_OTLP_PORT: '0',
  };
  const settings = must(parseSettings(env));
  const dataFolder = join(folder, 'plimsoll-data');
  const foundation = openFoundation({ ...settings, dataFolder }, { leaseMs });
  const log = must(await foundation.stream('log'));
  const metrics = must(await foundation.stream('otlp_metrics'));
  const store = must(
    await openRedisReadModelStore({ url: redis.directUrl, audience, orderedModels }),
  );
  const { tools, ids, clock } = foundation;
  const signer = must(await readKey(dataFolder, 'local'));
  const pipelines = openPipelines({
    audience,
    tools,
    signer,
    ids: { uuidV7: ids.uuidV7 },
    nowMs: clock.nowMs,
    random,
  });
  const laneLogs: RecordLog[] = [];
  for (let lane = 0; lane < lanes; lane += 1)
    laneLogs.push(
      must(
        await openKafkaRecordLog({ brokers, topic: log.name, partitions: 1, keptMs: 'for-ever' }),
      ),
    );
  const emitters = startEmitters({
    pipelines,
    lanes: laneLogs,
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    text: tools.text,
    perSecond: markersPerSecond,
    random,
    events,
  });
  const canaries = startCanaries({ pipelines, emitters, metrics, tools, events });

  const version = { above: 0 };
  const fakeClock = openFakeClock(join(folder, 'clock'));
  const member = (
    name: string,
    words: readonly string[],
    replaced: () => readonly Replacement[],
    extraEnv: () => NodeJS.ProcessEnv = () => ({}),
  ): Member =>
    openMember({ name: `${audience} ${name}`, words, folder, env, replaced, extraEnv, events });
  const asStreet = (): readonly Replacement[] => [
    shortLease(leaseMs),
    ...(version.above === 0 ? [] : [otherFold(version.above)]),
  ];
  const projectors = Array.from({ length: projectorCount }, (_, index) =>
    member(
      `projector ${index + 1}`,
      ['projector'],
      asStreet,
      index === projectorCount - 1 && fakeClock !== undefined ? fakeClock.env : undefined,
    ),
  );
  const analysers = Array.from({ length: analyserCount }, (_, index) =>
    member(`analyser ${index + 1}`, ['analyser'], asStreet),
  );
  const gateway = member('gateway', ['gateway'], asStreet);
  const members = (): readonly Member[] => [...projectors, ...analysers, gateway];
  const others: Member[] = [];
  for (const each of members()) each.start();

  const checker = openChecker({
    audience,
    tools,
    reader: openLogReader(brokers, log.name),
    store,
    emitters,
    keys: () =>
      redis.ask('KEYS', '*').then(
        (keys) => keys as readonly string[],
        () => undefined,
      ),
  });

  return {
    audience,
    folder,
    foundation,
    redis,
    disk,
    clock: fakeClock,
    projectors,
    analysers,
    gateway,
    members,
    another: (name, words, replaced) => {
      const other = member(name, words, () => [shortLease(leaseMs), ...(replaced ?? asStreet())]);
      others.push(other);
      return other;
    },
    version,
    ends: { areExpected: false },
    emitters,
    pipelines,
    log,
    store,
    checker,
    events,
    close: async () => {
      const closing = Promise.all([
        canaries.stop(),
        emitters.stop(),
        ...[...members(), ...others].map((each) => each.kill()),
      ]);
      await Promise.race([closing, clock.sleep(closeWithinMs)]);
      const opened = Promise.allSettled([
        foundation.close(),
        store.close(),
        ...laneLogs.map((lane) => lane.close()),
      ]);
      await Promise.race([opened, clock.sleep(closeWithinMs)]);
      await redis.close();
      disk?.remove();
    },
  };
};

/** A name that no other street has, also on a Kafka that was used before. */
export const newAudience = (number: number): string =>
  `faults-${number}-${randomBytes(3).toString('hex')}`;

export const must = <Value>(result: Result<Value, { readonly message: string }>): Value => {
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
};
