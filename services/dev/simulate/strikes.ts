import type { LogRecord } from '../../core/log/record.ts';
import { currentFoldVersion } from '../../core/projection.ts';
import type { Chance } from './chance.ts';
import type { StoreInstance } from './simulated-store.ts';
import { emptyInstance, instanceOf, rewritten } from './simulated-store.ts';
import type { World } from './world.ts';

// What strikes the installation as a whole, and how it is mended.

export type Elsewhere = {
  /** Another log of the same audience. */
  readonly records: readonly LogRecord[];
  /** A store of that log, each time as if nobody had used it. */
  readonly instance: () => Promise<StoreInstance>;
};

/** Two numbers in [0, 1) that were drawn before anybody knew whether the fault is left out. */
type Drawn = readonly [number, number];

type Mend = () => Promise<void> | void;

type Strike = {
  readonly name: string;
  /** How often it comes, beside the others. */
  readonly weight: number;
  readonly isPossible?: (world: World) => boolean;
  /** Answers how it is mended, where it does not pass by itself. */
  readonly strike: (
    world: World,
    drawn: Drawn,
    elsewhere: Elsewhere,
  ) => Promise<Mend | undefined> | Mend | undefined | void;
};

const hourMs = 3_600_000;

const picked = <Item>(items: readonly Item[], drawn: number): Item | undefined =>
  items[Math.floor(drawn * items.length)];

/**
 * An analyser that reads the models of another log cannot tell: installations with a canary are spared what would put
 * it before one.
 */
const isAlone = (world: World): boolean => isItself(world) && !world.hasCanary;

const isItself = (world: World): boolean =>
  world.isOwnStore && !world.isOfNewerRelease && world.log.view().shows === 'whole';

const outage = (what: 'log' | 'store'): Strike => ({
  name: `${what}-unreachable`,
  weight: 2,
  isPossible: ({ outages }) => !outages.has(what),
  strike: ({ outages }) => {
    outages.add(what);
    return () => void outages.delete(what);
  },
});

/** The read models as another version of the fold would have left them. */
const otherVersion = (name: string, by: number): Strike => ({
  name,
  weight: 1,
  isPossible: (world) => isItself(world) && world.current() !== undefined,
  strike: async (world) => {
    const generation = world.current();
    if (generation === undefined) return undefined;
    world.causes.add('old-code');
    const change = async (foldVersion: number): Promise<void> => {
      const { history } = world.store.instance();
      world.store.replace(await instanceOf(rewritten(history, generation, foldVersion)));
    };
    await change(currentFoldVersion + by);
    if (by < 0) return undefined;
    world.isOfNewerRelease = true;
    return async () => {
      await change(currentFoldVersion);
      world.isOfNewerRelease = false;
    };
  },
});

const strikes: readonly Strike[] = [
  {
    name: 'kill',
    weight: 3,
    strike: (world, [which]) => {
      const process = picked([...world.projectors.values()], which);
      if (process?.life.isAlive === true) world.crash(process.life);
    },
  },
  {
    // A zombie: it goes on with what it knew, after others have taken over.
    name: 'pause',
    weight: 4,
    strike: (world, [which]) => {
      const life = picked([...world.projectors.values()], which)?.life;
      if (life === undefined || !life.isAlive || life.isPaused) return undefined;
      life.isPaused = true;
      world.rebalance((members) =>
        Math.max(
          0,
          members.findIndex((name) => name !== life.name),
        ),
      );
      return () => {
        life.isPaused = false;
      };
    },
  },
  {
    name: 'lease-lost',
    weight: 5,
    strike: (world, [which]) => world.rebalance((members) => Math.floor(which * members.length)),
  },
  {
    name: 'rebalance-storm',
    weight: 1,
    strike: (world, [which]) => {
      for (let round = 0; round < 4; round++)
        world.rebalance((members) => (round + Math.floor(which * 8)) % members.length);
    },
  },
  outage('log'),
  outage('store'),
  {
    // Failover to a replica that was behind.
    name: 'store-regressed',
    weight: 3,
    isPossible: isItself,
    strike: async (world, [howFar]) => {
      const { history } = world.store.instance();
      const kept = history.slice(0, Math.ceil(howFar * history.length));
      world.floors.clear();
      world.store.replace(await instanceOf(kept));
    },
  },
  {
    name: 'store-lost',
    weight: 1,
    isPossible: isItself,
    strike: (world) => {
      world.floors.clear();
      world.store.replace(emptyInstance());
    },
  },
  {
    name: 'wrong-instance',
    weight: 1,
    isPossible: isAlone,
    strike: async (world, _drawn, { instance }) => {
      const own = world.store.instance();
      const foreign = await instance();
      world.causes.add('foreign-log').add('log-shortened');
      // Who is connected to another server in the middle of a rebuild has looked at one and switches the other.
      world.floors.clear();
      world.store.replace(foreign);
      world.isOwnStore = false;
      return () => {
        world.floors.clear();
        world.store.replace(own);
        world.isOwnStore = true;
      };
    },
  },
  {
    name: 'log-shortened',
    weight: 1,
    isPossible: isAlone,
    strike: (world, [where]) => {
      world.causes.add('log-shortened');
      const end = Math.floor(where * world.log.records(0).length);
      world.log.see({ shows: 'shortened', end });
      return () => world.log.see({ shows: 'whole' });
    },
  },
  {
    // Who does not pin the log takes the one it finds: only those who pin it are promised a refusal.
    name: 'log-recreated',
    weight: 1,
    isPossible: (world) => isAlone(world) && world.pinnedLogId !== null,
    strike: (world, [where], { records }) => {
      world.causes.add('foreign-log').add('log-shortened');
      const end = 1 + Math.floor(where * (records.length - 1));
      world.log.see({ shows: 'another', records: records.slice(0, end) });
      return () => world.log.see({ shows: 'whole' });
    },
  },
  {
    name: 'rebuild',
    weight: 2,
    strike: (world) => world.startRebuild(),
  },
  otherVersion('newer-release', 1),
  otherVersion('older-release', -1),
  {
    name: 'clock-jump',
    weight: 2,
    strike: (world, [which, howFar]) => {
      const life = picked([...world.projectors.values()], which)?.life;
      if (life !== undefined) life.skewMs += Math.round((howFar - 0.5) * 6 * hourMs);
    },
  },
  {
    name: 'broker-time-back',
    weight: 2,
    strike: (world, [howFar]) => {
      world.brokerSkewMs = Math.round((howFar - 0.7) * 60_000);
    },
  },
];

const weights = strikes.reduce((sum, { weight }) => sum + weight, 0);

/** Lets one of them happen, where it can; answers how it is mended. */
export const strikeOnce = async (
  world: World,
  chance: Chance,
  elsewhere: Elsewhere,
): Promise<Mend | undefined> => {
  let left = chance.number() * weights;
  const drawn: Drawn = [chance.number(), chance.number()];
  const chosen = strikes.find(({ weight }) => (left -= weight) < 0);
  if (chosen === undefined || chosen.isPossible?.(world) === false) return undefined;
  if (!world.faults.strikes(chosen.name)) return undefined;
  world.trace?.(`  **  ${chosen.name}`);
  const mend = (await chosen.strike(world, drawn, elsewhere)) ?? undefined;
  if (mend === undefined) return undefined;
  return async () => {
    world.trace?.(`  **  ${chosen.name} is over`);
    await mend();
  };
};
