import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../canary-climates/random.ts';
import { startKafkaCluster } from '../stack/native-kafka.ts';
import type { KafkaCluster } from '../stack/native-kafka.ts';
import { removeFolder } from '../stack/own-process.ts';
import { needPrograms } from '../stack/prerequisites.ts';
import type { Say } from '../stack/problem.ts';
import type { Finding } from './checker.ts';
import { openEvents } from './events.ts';
import type { Events } from './events.ts';
import { openChance, pickFault } from './fault.ts';
import type { Chance, ClusterFault, StreetFault } from './fault.ts';
import { kafkaFaults } from './kafka-faults.ts';
import { kafkaNetworkFaults, networkFaults } from './network-faults.ts';
import { quantile } from './odometer.ts';
import { processFaults } from './process-faults.ts';
import { waitRecovered } from './recovery.ts';
import { redisFaults } from './redis-faults.ts';
import { newAudience, openStreet } from './street.ts';
import type { Street } from './street.ts';

export type CampaignOptions = {
  readonly minutes: number;
  readonly seed: number;
  /** Only these kinds; all where it is empty. */
  readonly only: readonly string[];
  readonly say: Say;
  /** Every event as a line, for whoever wants to watch. */
  readonly onEvent: (line: string) => void;
  readonly stop: AbortSignal;
};

export type Campaign = {
  readonly faults: number;
  readonly byKind: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  readonly recoveriesMs: readonly number[];
  readonly checks: number;
  readonly records: number;
  readonly rollBacks: number;
  readonly minutes: number;
  /** What ended it before its time, or null. */
  readonly problem: string | null;
  /** Where the evidence lies; null where there is nothing to explain. */
  readonly evidence: string | null;
  readonly lastEvents: readonly string[];
};

export const streetFaults: readonly StreetFault[] = [
  ...processFaults,
  ...redisFaults,
  ...networkFaults,
];
export const clusterFaults: readonly ClusterFault[] = [...kafkaFaults, ...kafkaNetworkFaults];

const streetCount = 2;
/** Short, so that many faults fit into an hour. A machine that runs all this may stall for a second. */
const leaseMs = 2_000;
/** A street that grew so long is left for a new one: each check reads all of it. */
const recordsPerStreetMax = 6_000;
const betweenClusterFaultsMs: readonly [number, number] = [1_000, 6_000];
const keepCopyShare = 0.3;
const quietCheckShare = 0.15;
const sayEveryMs = 10_000;
const eventsTold = 50;

/** Makes faults until the time is up or something is found that must never be. */
export const runCampaign = async (options: CampaignOptions): Promise<Campaign> => {
  const { say, stop } = options;
  await needPrograms(['java', 'redis-server', 'kcat'], process.env, say);
  await needPrograms(['faketime'], process.env, say).catch((error: unknown) =>
    say(`no clock jumps: ${String(error)}`),
  );
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-faults-'));
  const eventsFile = join(folder, 'events.log');
  const events = openEvents((line) => {
    appendFileSync(eventsFile, `${line}\n`);
    options.onEvent(line);
  });
  const cluster = await startKafkaCluster(join(folder, 'kafka'), process.env, say, {
    nodes: 3,
    proxied: true,
  });
  const going = openGoing(options, folder, cluster, events);
  const startedMs = performance.now();
  try {
    await going.run();
  } catch (error) {
    going.fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const result = going.result((performance.now() - startedMs) / 60_000);
  if (result.problem !== null) keepEvidence(folder, going.streets(), result);
  await going.close();
  await cluster.close();
  if (result.problem === null) removeFolder(folder);
  else removeFolder(join(folder, 'kafka'));
  if (stop.aborted) say('stopped');
  return {
    ...result,
    evidence: result.problem === null ? null : folder,
    lastEvents: events.last(eventsTold),
  };
};

type Result = Omit<Campaign, 'evidence' | 'lastEvents'>;

type Going = {
  readonly run: () => Promise<void>;
  readonly fail: (problem: string) => void;
  readonly streets: () => readonly Street[];
  readonly result: (minutes: number) => Result;
  readonly close: () => Promise<void>;
};

const openGoing = (
  { minutes, seed, only, say, stop }: CampaignOptions,
  folder: string,
  cluster: KafkaCluster,
  events: Events,
): Going => {
  const deadlineMs = performance.now() + minutes * 60_000;
  const open = new Map<number, Street>();
  const byKind = new Map<string, number>();
  const recoveriesMs: number[] = [];
  const findings: Finding[] = [];
  const past = { checks: 0, records: 0, rollBacks: 0 };
  /** When the last fault was healed that this street could feel. */
  const healedAtMs = new Map<number | 'cluster', number>();
  let faults = 0;
  let opened = 0;
  let problem: string | null = null;

  const givenUp = new AbortController();

  const fail = (why: string): void => {
    problem ??= why;
    givenUp.abort();
    events.add('campaign', `FAILED: ${why}`);
  };
  const isOver = (): boolean => problem !== null || stop.aborted || performance.now() > deadlineMs;
  const take = (found: readonly Finding[]): void => {
    findings.push(...found);
    for (const { code, message } of found) fail(`${code}: ${message}`);
  };
  const wanted = <Fault extends { readonly kind: string }>(all: readonly Fault[]): Fault[] =>
    all.filter(({ kind }) => only.length === 0 || only.includes(kind));

  let clusterFault: Promise<void> = Promise.resolve();
  /** Streets that no fault of the cluster begins in any more. */
  const leaving = new Set<number>();

  const openAnother = async (number: number): Promise<Street> => {
    opened += 1;
    const street = await openStreet({
      audience: newAudience(opened),
      folder: join(folder, `street-${opened}`),
      brokers: cluster.brokers,
      leaseMs,
      random: seededRandom(seed, 100 + opened),
      events,
    });
    open.set(number, street);
    await street.emitters.burst(50);
    take(await waitRecovered(street, givenUp.signal));
    return street;
  };

  const leave = async (number: number): Promise<void> => {
    const street = open.get(number);
    if (street === undefined) return;
    leaving.add(number);
    await clusterFault.catch(() => undefined);
    if (problem === null) take(await waitRecovered(street, givenUp.signal));
    if (problem === null) take(await street.checker.checkAtEnd());
    if (problem !== null) return;
    const { checks, records, rollBacks } = street.checker.counts();
    past.checks += checks;
    past.records += records;
    past.rollBacks += rollBacks;
    open.delete(number);
    leaving.delete(number);
    await street.close();
  };

  /** Counts a fault, waits until all is well again, and notes how long that took. */
  const recover = async (
    kind: string,
    who: number | 'cluster',
    felt: readonly Street[],
  ): Promise<void> => {
    healedAtMs.set(who, performance.now());
    faults += 1;
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
    const found = (
      await Promise.all(felt.map((street) => waitRecovered(street, givenUp.signal)))
    ).flat();
    // A fault of the other worker that was healed meanwhile is what we waited for last.
    const others = who === 'cluster' ? [...healedAtMs.values()] : [healedAtMs.get('cluster') ?? 0];
    const since = Math.max(healedAtMs.get(who) ?? 0, ...others);
    const tookMs = Math.max(0, performance.now() - since);
    recoveriesMs.push(tookMs);
    events.add('campaign', `${kind}: recovered after ${tookMs.toFixed(0)} ms`);
    take(found);
  };

  const workOnStreet = async (number: number): Promise<void> => {
    const chance = openChance(seededRandom(seed, number));
    const all = wanted(streetFaults);
    while (!isOver() && all.length > 0) {
      let street = open.get(number);
      if (street === undefined) return;
      if (street.checker.counts().records > recordsPerStreetMax) {
        await leave(number);
        if (isOver()) return;
        street = await openAnother(number);
      }
      await oneOnStreet(number, street, all, chance);
      await chance.pause(0, 300);
    }
  };

  const oneOnStreet = async (
    number: number,
    street: Street,
    all: readonly StreetFault[],
    chance: Chance,
  ): Promise<void> => {
    const fault = pickFault(
      all.filter(({ isPossible }) => isPossible?.(street) ?? true),
      chance.random,
    );
    if (chance.random() < keepCopyShare) street.redis.keepCopy();
    if (chance.random() < quietCheckShare) take(await street.checker.check());
    events.add('campaign', `${street.audience}: ${fault.kind}`);
    await fault.make(street, chance, leaseMs);
    await recover(fault.kind, number, [street]);
  };

  const workOnCluster = async (): Promise<void> => {
    const chance = openChance(seededRandom(seed, streetCount));
    const all = wanted(clusterFaults);
    while (!isOver() && all.length > 0) {
      const streets = [...open].flatMap(([number, street]) =>
        leaving.has(number) ? [] : [street],
      );
      if (streets.length > 0) {
        const fault = pickFault(all, chance.random);
        events.add('campaign', `cluster: ${fault.kind}`);
        clusterFault = (async () => {
          await fault.make(cluster, chance.oneOf(streets), chance);
          await recover(fault.kind, 'cluster', streets);
        })();
        await clusterFault;
      }
      await chance.pause(...betweenClusterFaultsMs);
    }
  };

  const tell = async (over: AbortSignal): Promise<void> => {
    const startedMs = performance.now();
    while (!over.aborted) {
      await sleep(sayEveryMs, undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      const passed = (performance.now() - startedMs) / 60_000;
      const ms = (share: number): string =>
        `${quantile(recoveriesMs, share)?.toFixed(0) ?? '-'} ms`;
      say(
        `${passed.toFixed(1)} of ${minutes} min: ${faults} faults (${((faults / passed) * 60).toFixed(0)} an hour), recovery p50 ${ms(0.5)}, p99 ${ms(0.99)}`,
      );
    }
  };

  const guarded = async (work: Promise<void>): Promise<void> => {
    await work.catch((error: unknown) =>
      fail(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  };

  return {
    fail,
    streets: () => [...open.values()],
    run: async () => {
      const numbers = Array.from({ length: streetCount }, (_, number) => number);
      for (const number of numbers) await openAnother(number);
      const over = new AbortController();
      const telling = tell(over.signal);
      await Promise.all([
        ...numbers.map((number) => guarded(workOnStreet(number))),
        guarded(workOnCluster()),
      ]);
      over.abort();
      await telling;
      for (const number of numbers) await leave(number);
    },
    result: (passed) => {
      const counts = [...open.values()].map(({ checker }) => checker.counts());
      const sum = (of: (each: typeof past) => number): number =>
        counts.reduce((total, each) => total + of(each), of(past));
      return {
        faults,
        byKind,
        findings,
        recoveriesMs,
        checks: sum((each) => each.checks),
        records: sum((each) => each.records),
        rollBacks: sum((each) => each.rollBacks),
        minutes: passed,
        problem,
      };
    },
    close: async () => {
      for (const street of open.values()) await street.close();
    },
  };
};

/** What is needed to understand it later: the Redis files as they are, what everybody said last, and the findings. */
const keepEvidence = (folder: string, streets: readonly Street[], result: Result): void => {
  for (const street of streets) {
    const files = join(street.redis.folder, 'appendonlydir');
    const kept = join(street.folder, 'evidence');
    mkdirSync(kept, { recursive: true });
    if (existsSync(files)) cpSync(files, join(kept, 'appendonlydir'), { recursive: true });
    const words = street
      .members()
      .map((member) => `--- ${member.name} said last:\n${member.lastOutput()}`);
    writeFileSync(join(kept, 'last-words.txt'), words.join('\n'));
  }
  writeFileSync(join(folder, 'problem.txt'), `${result.problem}\n`);
};
