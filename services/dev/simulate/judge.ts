import type { LogRecord, Position } from '../../core/log/record.ts';
import { address } from '../../core/projection.ts';
import type { MarkerRow } from '../../core/row-forms/marker.ts';
import { readRow } from '../../core/row-text.ts';
import type { NotedRow } from '../../core/circumstances.ts';
import { notedSlotKey } from '../../core/circumstances.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { Checkpoint, Generation, ReadModelStore, Step } from '../../ports/read-model-store.ts';
import { PlainFold, placeName, readAttempt } from './plain-fold.ts';
import type { Reference } from './reference.ts';
import { outcomeName } from './reference.ts';
import type { Place, Told } from './told.ts';
import { tools } from './tools.ts';

// What must hold at every moment, and who says so when it does not.

export type DivergenceCode =
  | 'analysers-disagree'
  | 'acknowledged-lost'
  | 'checkpoint-wrong'
  | 'conflict-told-twice'
  | 'conflict-untrue'
  | 'counts-wrong'
  | 'dump-differs'
  | 'foreign-write'
  | 'past-the-end'
  | 'plain-fold-differs'
  | 'rows-differ'
  | 'second-roll-back'
  | 'stopped-without-cause'
  | 'stuck'
  | 'switched-too-early'
  | 'threw'
  | 'two-active';

export type Divergence = { readonly code: DivergenceCode; readonly message: string };

/** Ends a schedule at the first thing that must not be. */
export class Diverged extends Error {
  readonly divergence: Divergence;
  constructor(code: DivergenceCode, message: string) {
    super(`${code}: ${message}`);
    this.divergence = { code, message };
  }
}

export type Judge = {
  readonly reference: Reference;
  /** A step was taken by the store that holds this log's read models. */
  readonly committed: (generation: Generation, step: Step, before: Checkpoint | undefined) => void;
  /** Reads what the plain fold and the product's make of the log up to its end, and compares them. */
  readonly compareFolds: () => void;
  /** Every row of a generation, byte for byte; `plainly`: and what they say, by the plain fold, at the log's end. */
  readonly compareDump: (
    store: ReadModelStore,
    generation: Generation,
    plainly: boolean,
  ) => Promise<void>;
};

export const openJudge = (
  records: readonly LogRecord[],
  toldAt: (position: Position) => Told,
  reference: Reference,
): Judge => {
  const plain = new PlainFold();
  let read = 0;

  const readTo = (next: Position): void => {
    reference.foldTo(next);
    for (; read < next; read++) {
      const record = records[read];
      const outcome = reference.outcomeAt(read);
      if (record === undefined || outcome === undefined) throw new RangeError('nothing to compare');
      const plainly = plain.tell(read, record.appendedAtMs, toldAt(read));
      const folded = outcomeName(outcome);
      if (plainly !== folded)
        throw new Diverged(
          'plain-fold-differs',
          `record ${read}: the plain fold says ${plainly}, the product's ${folded}`,
        );
    }
  };

  const checkStand = (to: Checkpoint): void => {
    const last = records[to.next - 1];
    if (last === undefined)
      throw new Diverged('past-the-end', `next is ${to.next}, the log ends at ${records.length}`);
    readTo(to.next);
    if (
      to.logId !== reference.logId ||
      to.lastDigest !== tools.crypto.sha256Hex(last.value) ||
      to.rowsDigest !== reference.rowsDigestAt(to.next)
    )
      throw new Diverged('checkpoint-wrong', `checkpoint ${JSON.stringify(to)}`);
  };

  const committed: Judge['committed'] = (generation, { from, to, writes }, before) => {
    checkStand(to);
    const start = from?.next ?? 0;
    if (
      (before?.next ?? 0) !== start ||
      before?.lastDigest !== from?.lastDigest ||
      (before !== undefined && before.foldVersion !== to.foldVersion)
    )
      throw new Diverged(
        'checkpoint-wrong',
        `${generation} stood at ${before?.next ?? 'nothing'} of fold ${before?.foldVersion}, and took a step from ${from?.next ?? 'nothing'}`,
      );
    const written = new Map(writes.map(({ model, key, value }) => [address(model, key), value]));
    for (const at of new Set([...reference.touchedIn(start, to.next), ...written.keys()])) {
      const expected = reference.rowAt(at, to.next);
      const stored = written.has(at) ? (written.get(at) ?? undefined) : reference.rowAt(at, start);
      if (stored !== expected)
        throw new Diverged(
          'rows-differ',
          `${generation} at ${to.next}, ${JSON.stringify(at)}: stored ${stored ?? 'nothing'}, folded ${expected ?? 'nothing'}`,
        );
    }
  };

  return {
    reference,
    committed,
    compareFolds: () => readTo(records.length),
    compareDump: async (store, generation, plainly) => {
      const checkpoint = await store.checkpoint(generation);
      const dump = await store.dump(generation);
      if (!checkpoint.ok || !dump.ok) throw new TypeError('the memory store always answers');
      if (checkpoint.value === undefined) return;
      const { next } = checkpoint.value;
      checkStand(checkpoint.value);
      const folded = new Set(reference.dumpAt(next));
      const only = dump.value.filter((line) => !folded.has(line));
      if (only.length > 0 || folded.size !== dump.value.length)
        throw new Diverged(
          'dump-differs',
          `${generation} at ${next}: ${dump.value.length} rows stored, ${folded.size} folded; only stored: ${only[0] ?? 'none'}`,
        );
      if (plainly && next === records.length) comparePlainly(plain, dump.value);
    },
  };
};

/** The rows of a dump, as far as the plain fold knows what they must say. */
const comparePlainly = (plain: PlainFold, dump: readonly string[]): void => {
  const rows = dump.map((line) => {
    const [model = '', key = '', ...rest] = line.split('\n');
    return { model, key, json: rest.join('\n') };
  });
  const of = (model: string): ReadonlyMap<string, string> =>
    new Map(rows.filter((row) => row.model === model).map(({ key, json }) => [key, json]));
  same('dead letters', deadLettersOf(of('dead-letter')), plain.deadLetters);
  const markers = [...plain.markers].map(([identity, { position, openedAt }]) => [
    identity.replace(' ', ':'),
    `${position} of ${openedAt}`,
  ]);
  same('markers', markersOf(of('marker')), new Map(markers as [string, string][]));
  same('deployments', deploymentsOf(of('deployment')), plainDeployments(plain));
  same('slots', slotsOf(of('slot')), plainSlots(plain));
  same('what goes on', openOf(of('noted')), plainOpen(plain));
};

/** Incidents and migrations that go on in each place where any was ever begun. */
const openOf = (rows: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...rows].flatMap(([key, json]) => {
      const { open, over = [] } = readRow('noted', json) as Pick<NotedRow, 'open' | 'over'>;
      return open.length + over.length === 0
        ? []
        : [[key, open.map(({ what, name }) => `${what} ${name}`).join()] as const];
    }),
  );

const plainOpen = (plain: PlainFold): ReadonlyMap<string, string> =>
  new Map(
    [...plain.sayings].map(([name, [first]]) => [
      notedSlotKey({ namespace: 'default', target: null, ...(first?.told.place as Place) }),
      plain.openIn(name).join(),
    ]),
  );

const same = (
  what: string,
  stored: ReadonlyMap<string | number, string>,
  plainly: ReadonlyMap<string | number, string>,
): void => {
  for (const key of new Set([...stored.keys(), ...plainly.keys()]))
    if (stored.get(key) !== plainly.get(key))
      throw new Diverged(
        'plain-fold-differs',
        `${what}, ${key}: the rows say ${stored.get(key) ?? 'nothing'}, the plain fold ${plainly.get(key) ?? 'nothing'}`,
      );
};

const deadLettersOf = (rows: ReadonlyMap<string, string>): ReadonlyMap<number, string> =>
  new Map(
    [...rows].map(([key, json]) => [
      Number(key),
      readRow<{ readonly code: string }>('dead-letter', json).code,
    ]),
  );

const markersOf = (rows: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...rows].map(([key, json]) => {
      const { position, openedAt } = readRow<MarkerRow>('marker', json);
      return [key, `${position} of ${openedAt}`];
    }),
  );

type StoredAttempt = {
  readonly number: number;
  readonly status: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly tokens: readonly string[];
  readonly plan: { readonly version: string } | null;
  readonly entries: readonly { readonly position: number; readonly note: string }[];
};

const deploymentsOf = (rows: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...rows].map(([id, json]) => {
      const { attempts, conflicts } = readRow('deployment', json) as {
        readonly attempts: readonly StoredAttempt[];
        readonly conflicts: readonly unknown[];
      };
      const lines = attempts.map(
        ({ number, status, startedAt, endedAt, tokens, plan, entries }) =>
          `${number} ${plan?.version ?? 'unplanned'} ${status} ${startedAt} ${endedAt} [${tokens.join()}] ${entries.map(({ position, note }) => `${position} ${note}`).join()}`,
      );
      return [id, `${lines.join('; ')}; ${conflicts.length} conflicts`];
    }),
  );

const plainDeployments = (plain: PlainFold): ReadonlyMap<string, string> =>
  new Map(
    [...plain.deployments].map(([id, { attempts, conflicts }]) => {
      const lines = attempts.map((attempt) => {
        const { status, startedAt, endedAt, notes } = readAttempt(attempt);
        const said = attempt.said.map(({ position }, index) => `${position} ${notes[index]}`);
        return `${attempt.number} ${attempt.plan?.told.version ?? 'unplanned'} ${status} ${startedAt} ${endedAt} [${attempt.tokens.join()}] ${said.join()}`;
      });
      return [id, `${lines.join('; ')}; ${conflicts.length} conflicts`];
    }),
  );

type StoredSlot = {
  readonly holders: readonly {
    readonly version: string;
    readonly uncertain: unknown;
    readonly conflict: boolean;
  }[];
  readonly beside: readonly { readonly version: string; readonly status: string }[];
};

const slotsOf = (rows: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...rows].map(([key, json]) => {
      const { holders, beside } = readRow('slot', json) as StoredSlot;
      const held = holders.map(({ version, uncertain, conflict }) =>
        [
          version,
          ...(uncertain === null ? [] : ['uncertain']),
          ...(conflict ? ['conflict'] : []),
        ].join(' '),
      );
      const lines = beside.map(({ version, status }) => `${version} ${status}`);
      return [key, [held.length === 0 ? 'nothing' : held.join(), ...lines].join(', ')];
    }),
  );

const plainSlots = (plain: PlainFold): ReadonlyMap<string, string> =>
  new Map(
    plain
      .places()
      .map((place) => [
        slotKey({ namespace: 'default', target: null, ...place }),
        plain.slotLine(place) ?? placeName(place),
      ]),
  );
