import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { Deployment } from '../../core/deployment.ts';
import type { Position } from '../../core/log/record.ts';
import { readRow } from '../../core/row-text.ts';
import type { Generation, ReadModelStore } from '../../ports/read-model-store.ts';
import type { Emitters } from './emitters.ts';
import type { LogReader } from './log-reader.ts';
import { difference, openPureFold } from './pure-fold.ts';

/**
 * What must never be.
 * - `divergent`: the read models are not what the records before their checkpoint give.
 * - `lost`: a record that was acknowledged is not where it was said to lie.
 * - `doubled`: a marker is in a deployment twice, or two roll-backs stand for one attempt.
 * - `ahead`: the checkpoint is above the end of the log.
 * - `log-changed`: a record is another than it was, or gone.
 * - `crossed`: keys of another audience.
 * - `refused`: an emitter was refused what it may do.
 * - `ended`: a service ended by itself that had no reason to.
 * - `not-recovered`: the read models did not come to the end of the log in time.
 */
export type Finding = {
  readonly code:
    | 'divergent'
    | 'lost'
    | 'doubled'
    | 'ahead'
    | 'log-changed'
    | 'crossed'
    | 'refused'
    | 'ended'
    | 'not-recovered';
  readonly message: string;
};

export type Checker = {
  /** Compares what stands now, without asking anybody to wait unless it must. */
  readonly check: () => Promise<readonly Finding[]>;
  /** When everything is quiet: also that everything acknowledged is there, and that the log is what it was. */
  readonly checkAtEnd: () => Promise<readonly Finding[]>;
  readonly counts: () => {
    readonly checks: number;
    readonly records: number;
    readonly rollBacks: number;
  };
};

export type CheckerOptions = {
  readonly audience: string;
  readonly tools: CheckTools;
  readonly reader: LogReader;
  /** Straight to the server, past every proxy. */
  readonly store: ReadModelStore;
  readonly emitters: Emitters;
  /** The names of all keys in this audience's Redis; undefined where it does not answer. */
  readonly keys: () => Promise<readonly string[] | undefined>;
};

type Stand = {
  readonly generation: Generation;
  readonly next: Position;
  readonly dump: readonly string[];
};

// Beside a worker that strikes it again and again, on a machine that does much else.
const answersWithinMs = 90_000;
const againAfterMs = 100;
const unquietTriesMax = 2;

export const openChecker = (options: CheckerOptions): Checker => {
  const { audience, tools, reader, store, emitters } = options;
  const fold = openPureFold(reader.records, audience, tools);
  const besides = openPureFold(reader.records, audience, tools);
  let checks = 0;
  let acknowledgedChecked = 0;
  let rollBacks = 0;

  /** Rows and checkpoint of one moment, or undefined where it changed meanwhile or nobody answered. */
  const readOnce = async (which?: Generation): Promise<Stand | 'empty' | undefined> => {
    const current = which === undefined ? await store.current() : undefined;
    if (current?.ok === false) return undefined;
    const generation = which ?? current?.value;
    if (generation === undefined) return 'empty';
    const before = await store.checkpoint(generation);
    const dump = await store.dump(generation);
    const after = await store.checkpoint(generation);
    if (!before.ok || !dump.ok || !after.ok) return undefined;
    if (before.value?.next !== after.value?.next) return undefined;
    return before.value === undefined
      ? 'empty'
      : { generation, next: before.value.next, dump: dump.value };
  };

  const readStand = async (): Promise<Stand | 'empty' | undefined> => {
    const deadlineMs = performance.now() + answersWithinMs;
    let isQuiet = false;
    try {
      for (let tries = 1; ; tries += 1) {
        const stand = await readOnce();
        if (stand !== undefined) return stand;
        if (performance.now() > deadlineMs) return undefined;
        if (tries > unquietTriesMax && !isQuiet) {
          isQuiet = true;
          await emitters.quiet();
        }
        await sleep(againAfterMs);
      }
    } finally {
      if (isQuiet) emitters.goOn();
    }
  };

  const judgeStand = async (
    { generation, next, dump }: Stand,
    using: typeof fold,
  ): Promise<readonly Finding[]> => {
    if (!(await reader.readTo(next)))
      return [
        {
          code: 'ahead',
          message: `${generation} stands at ${next}, and the log ends at ${reader.records.length}`,
        },
      ];
    const differs = difference(dump, using.dumpAt(next));
    return [
      ...(differs.length === 0
        ? []
        : [
            {
              code: 'divergent' as const,
              message: `${generation} at ${next}:\n${differs.join('\n')}`,
            },
          ]),
      ...doubledIn(dump),
    ];
  };

  /** Another generation that stands beside, for instance of a rebuild that was killed. */
  const judgeBesides = async (current: Generation): Promise<readonly Finding[]> => {
    const known = await store.generations();
    if (!known.ok) return [];
    for (const generation of known.value.filter((name) => name !== current)) {
      const stand = await readOnce(generation);
      if (stand === undefined || stand === 'empty') continue;
      const found = await judgeStand(stand, besides);
      // It may have been dropped while it was read.
      const still = await store.generations();
      if (found.length > 0 && still.ok && still.value.includes(generation)) return found;
    }
    return [];
  };

  /** What was acknowledged must lie where it was said to lie. */
  const judgeAcknowledged = (isEnd: boolean): readonly Finding[] => {
    for (; acknowledgedChecked < emitters.acknowledged.length; acknowledgedChecked += 1) {
      const told = emitters.acknowledged[acknowledgedChecked];
      const record = told === undefined ? undefined : reader.records[told.position];
      if (told === undefined) break;
      if (record === undefined && !isEnd) break;
      if (record === undefined || Buffer.compare(record.value, told.record.value) !== 0)
        return [
          {
            code: 'lost',
            message: `acknowledged at ${told.position}, and there is ${record === undefined ? 'nothing' : 'another record'}`,
          },
        ];
    }
    return emitters.refused.map((message) => ({ code: 'refused' as const, message }));
  };

  const doubledIn = (dump: readonly string[]): readonly Finding[] => {
    const findings: Finding[] = [];
    rollBacks = 0;
    for (const line of dump) {
      if (!line.startsWith('deployment\n')) continue;
      const deployment = readRow<Deployment>('deployment', line.slice(line.indexOf('\n', 11) + 1));
      const seen = new Set<string>();
      for (const attempt of deployment.attempts) {
        for (const { marker, principal } of attempt.entries) {
          const id = `${marker} ${principal}`;
          if (seen.has(id))
            findings.push({ code: 'doubled', message: `${id} twice in ${deployment.id}` });
          seen.add(id);
        }
        const standing = attempt.decisions.filter(
          ({ kind, note }) => kind === 'roll-back' && note === 'applied',
        );
        rollBacks += standing.length;
        if (standing.length > 1)
          findings.push({
            code: 'doubled',
            message: `${standing.length} roll-backs stand in attempt ${attempt.number} of ${deployment.id}`,
          });
      }
    }
    return findings;
  };

  const judgeKeys = async (): Promise<readonly Finding[]> => {
    const tag = `{plimsoll:${audience}}:`;
    const deadlineMs = performance.now() + answersWithinMs;
    let keys = await options.keys();
    // Another worker may have struck it meanwhile.
    for (; keys === undefined && performance.now() < deadlineMs; keys = await options.keys())
      await sleep(againAfterMs);
    if (keys === undefined)
      return [{ code: 'not-recovered', message: 'the store does not tell its keys' }];
    const strangers = keys.filter((key) => !key.startsWith(tag));
    return strangers.length === 0
      ? []
      : [{ code: 'crossed', message: `keys that are not ${audience}'s: ${strangers.join(', ')}` }];
  };

  const checkOnce = async (): Promise<readonly Finding[]> => {
    checks += 1;
    const stand = await readStand();
    if (stand === undefined)
      return [
        { code: 'not-recovered', message: 'the store does not hold still, or does not answer' },
      ];
    if (stand === 'empty') return judgeAcknowledged(false);
    return [
      ...(await judgeStand(stand, fold)),
      ...(await judgeBesides(stand.generation)),
      ...judgeAcknowledged(false),
      ...(await judgeKeys()),
    ];
  };

  /** Reads everything that was acknowledged so far, or says what is not there to be read. */
  const readAcknowledged = async (): Promise<Finding | undefined> => {
    for (;;) {
      const highest = Math.max(-1, ...emitters.acknowledged.map(({ position }) => position));
      if (reader.records.length > highest) return undefined;
      if (!(await reader.readTo(highest + 1)))
        return {
          code: 'lost',
          message: `acknowledged at ${highest}, and the log ends at ${reader.records.length}`,
        };
    }
  };

  // Several workers may ask at once; the log is read and folded by one of them at a time.
  let last: Promise<unknown> = Promise.resolve();
  const check = (): Promise<readonly Finding[]> => {
    const checking = last.then(checkOnce);
    last = checking.catch(() => undefined);
    return checking;
  };

  return {
    check,
    checkAtEnd: async () => {
      await emitters.quiet();
      const before = await readAcknowledged();
      if (before !== undefined) return [before];
      const changed = await reader.readAgain();
      const found = await check();
      // Somebody may have appended meanwhile.
      const after = await readAcknowledged();
      if (after !== undefined) return [...found, after];
      return [
        ...found,
        ...judgeAcknowledged(true),
        ...(changed === null ? [] : [{ code: 'log-changed' as const, message: changed }]),
      ];
    },
    counts: () => ({ checks, records: reader.records.length, rollBacks }),
  };
};
