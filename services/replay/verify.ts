import { filterOf, noteKey, readNote } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import { address, currentFoldVersion } from '../core/projection.ts';
import type { RecordFilter } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { newestPosition } from '../core/row-position.ts';
import { noRow, noRowsDigest, rolledDigest, rowHash } from '../core/rows-digest.ts';
import { compareUtf8 } from '../core/utf8-order.ts';
import type { Clock } from '../ports/clock.ts';
import type { FoldToEnd, ProjectionPorts, WrongChecks } from '../ports/projecting.ts';
import type {
  Checkpoint,
  Generation,
  ReadModelStore,
  RowKey,
  StoreProblem,
} from '../ports/read-model-store.ts';
import type {
  Divergence,
  OpenVerifier,
  Verification,
  Verifier,
  VerifyOptions,
  VerifyProblem,
} from '../ports/verifying.ts';

export type VerifyPorts = ProjectionPorts & {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly fold: FoldToEnd;
  /** An empty store for the rows of about so many records, which goes when it is closed. */
  readonly scratch: (records: number) => Promise<Result<ReadModelStore, StoreProblem>>;
};

const pageRows = 500;
const divergencesKeptMax = 100;
/** Of a row in a report: what is wrong is mostly seen at its beginning, and the store has it whole. */
const shownCharsMax = 2000;
/** Of remembered signature checks, how many are made again unless all are. */
const sampleShare = 0.05;
/** In the scratch store. */
const own: Generation = 'v';

/**
 * Compares a generation with a fold of its own. While a projector writes, every answer of the store says as of which
 * position it is, and the fold is brought to just there before the two are compared; so what differs is wrong, and
 * not just newer.
 */
export const openVerifier =
  (ports: VerifyPorts): OpenVerifier =>
  async (generation, { isFull }) => {
    const filter = await readFilter(ports.store, generation);
    if (!filter.ok) return filter;
    const range = await ports.log.range(0);
    if (!range.ok) return refuse('unreachable', range.problem.message);
    const scratch = await ports.scratch(range.value.end);
    if (!scratch.ok) return fail(storeProblem(scratch.problem));
    return ok(verifierOf(ports, generation, scratch.value, filter.value, isFull));
  };

const verifierOf = (
  ports: VerifyPorts,
  generation: Generation,
  scratch: ReadModelStore,
  filter: RecordFilter | null,
  isFull: boolean,
): Verifier => {
  const { store, clock } = ports;
  const wrongChecks: WrongChecks[] = [];
  /** Where the own fold stands. */
  let at: Checkpoint | undefined;

  /** Brings the own fold to where the store stands. */
  const follow = async (
    stored: Checkpoint | undefined,
    options: VerifyOptions,
  ): Promise<Result<Checkpoint, VerifyProblem>> => {
    if (stored === undefined)
      return refuse('generation-unknown', `there is no generation ${generation}`);
    if (at !== undefined && at.next === stored.next) return ok(at);
    if (at !== undefined && at.next > stored.next)
      return refuse(
        'went-back',
        `generation ${generation} stands at ${stored.next}, and stood at ${at.next} before: it was restored`,
      );
    const folded = await ports.fold({ ...ports, store: scratch }, own, {
      to: stored.next,
      filter,
      onProgress: (progress) => options.onProgress('fold', progress),
      isWanted: options.isWanted,
      ...(isFull
        ? {}
        : {
            checks: {
              ...{ aside: store.aside, sampleShare, seed: stored.next },
              onWrong: (wrong: WrongChecks) => void wrongChecks.push(wrong),
            },
          }),
    });
    if (!folded.ok) return folded;
    const read = await scratch.checkpoint(own);
    if (!read.ok) return fail(storeProblem(read.problem));
    if (read.value?.next !== stored.next)
      return refuse('log-shortened', `the log ends before ${stored.next}, where the rows stand`);
    if (read.value.logId !== stored.logId || read.value.lastDigest !== stored.lastDigest)
      return refuse(
        'foreign-log',
        `generation ${generation} was folded from another log than ${ports.log.name}, or its records were replaced`,
      );
    at = read.value;
    return ok(at);
  };

  const verify: Verifier['verify'] = async (options) => {
    const startedAtMs = clock.nowMs();
    wrongChecks.length = 0;
    const found = openFindings();
    const first = await store.checkpoint(generation);
    if (!first.ok) return fail(storeProblem(first.problem));
    if (first.value !== undefined && first.value.foldVersion !== currentFoldVersion)
      return refuse(
        'other-fold',
        `generation ${generation} was written by fold ${first.value.foldVersion}; this program has fold ${currentFoldVersion}`,
      );
    const begun = await follow(first.value, options);
    if (!begun.ok) return begun;
    const from = begun.value.next;
    const counts = await scratch.counts(own);
    if (!counts.ok) return fail(storeProblem(counts.problem));
    const total = [...counts.value.values()].reduce((sum, count) => sum + count, 0);

    const compare = async (keys: readonly RowKey[]): Promise<Result<void, VerifyProblem>> => {
      if (!options.isWanted()) return refuse('stopped', 'nobody waits for it any more');
      if (keys.length === 0) return ok(undefined);
      const stored = await store.rows(generation, keys);
      if (!stored.ok) {
        if (stored.problem.code !== 'corrupt') return fail(storeProblem(stored.problem));
        const [only] = keys;
        if (only !== undefined && keys.length === 1) {
          found.unreadable(only, from, stored.problem.message);
          return ok(undefined);
        }
        // One damaged row spoils the whole answer: the halves tell which.
        const half = Math.ceil(keys.length / 2);
        const before = await compare(keys.slice(0, half));
        return before.ok ? compare(keys.slice(half)) : before;
      }
      const { checkpoint, rows } = stored.value;
      const asOf = await follow(checkpoint, options);
      if (!asOf.ok) return asOf;
      const expected = await scratch.rows(own, keys);
      if (!expected.ok) return fail(storeProblem(expected.problem));
      for (const row of keys) {
        const place = address(row.model, row.key);
        found.compared(row, asOf.value.next, rows.get(place), expected.value.rows.get(place));
      }
      return ok(undefined);
    };

    // What the log says must be there, as it says it.
    const said = await walk(scratch, own, async (rows) => {
      options.onProgress('rows', { next: Math.min(found.rows(), total), end: total });
      return compare(rows);
    });
    if (!said.ok) return said;
    // And nothing else.
    const stands = await walk(store, generation, async (rows) => {
      const known = await scratch.rows(own, rows);
      if (!known.ok) return fail(storeProblem(known.problem));
      return compare(rows.filter(({ model, key }) => !known.value.rows.has(address(model, key))));
    });
    if (!stands.ok) return stands;

    const last = await store.checkpoint(generation);
    if (!last.ok) return fail(storeProblem(last.problem));
    const ended = await follow(last.value, options);
    if (!ended.ok) return ended;
    const expected = await digestOfRows(ports, scratch);
    if (!expected.ok) return expected;
    if (expected.value !== ended.value.rowsDigest)
      throw new Error('the digest of a fold rolled along otherwise than its rows add up');
    const stored = last.value?.rowsDigest ?? '';
    return ok({
      generation,
      from,
      to: ended.value.next,
      ...found.tell(),
      digest: { stored, expected: expected.value, isEqual: stored === expected.value },
      isCut: stands.value === 'cut',
      wrongChecks: [...wrongChecks],
      seconds: (clock.nowMs() - startedAtMs) / 1000,
    });
  };

  return { verify, close: scratch.close };
};

/** The filter that a generation is folded with; a plain one where nobody noted any. */
const readFilter = async (
  { aside }: ReadModelStore,
  generation: Generation,
): Promise<Result<RecordFilter | null, VerifyProblem>> => {
  const kept = await aside.read([noteKey(generation)]);
  if (!kept.ok) return fail(storeProblem(kept.problem));
  const text = kept.value.get(noteKey(generation));
  const note = text === undefined ? undefined : readNote(text);
  return text !== undefined && note === undefined
    ? refuse('corrupt', `the note of generation ${generation} cannot be read`)
    : ok(filterOf(note));
};

/** `cut`: the store found itself damaged, and its rows cannot be walked any further. */
const walk = async (
  store: ReadModelStore,
  generation: Generation,
  onPage: (rows: readonly RowKey[]) => Promise<Result<void, VerifyProblem>>,
): Promise<Result<'whole' | 'cut', VerifyProblem>> => {
  let cursor: string | undefined;
  do {
    const page = await store.walk(generation, cursor, pageRows);
    if (!page.ok && page.problem.code === 'corrupt') return ok('cut');
    if (!page.ok) return fail(storeProblem(page.problem));
    const seen = await onPage(page.value.rows.map(({ model, key }) => ({ model, key })));
    if (!seen.ok) return seen;
    ({ cursor } = page.value);
  } while (cursor !== undefined);
  return ok('whole');
};

/** What the rows of the own fold add up to, row by row. */
const digestOfRows = async (
  { tools: { crypto } }: VerifyPorts,
  scratch: ReadModelStore,
): Promise<Result<string, VerifyProblem>> => {
  let sum = noRow;
  let cursor: string | undefined;
  do {
    const page = await scratch.walk(own, cursor, pageRows);
    if (!page.ok) return fail(storeProblem(page.problem));
    for (const row of page.value.rows) sum += rowHash(crypto, row);
    ({ cursor } = page.value);
  } while (cursor !== undefined);
  return ok(rolledDigest(noRowsDigest, sum));
};

type Findings = {
  readonly compared: (
    row: RowKey,
    asOf: Position,
    stored: string | undefined,
    expected: string | undefined,
  ) => void;
  readonly unreadable: (row: RowKey, asOf: Position, message: string) => void;
  readonly rows: () => number;
  readonly tell: () => Pick<Verification, 'rows' | 'divergent' | 'divergences'>;
};

const openFindings = (): Findings => {
  const divergent = new Map<string, Divergence>();
  let rows = 0;
  let uncounted = 0;
  const put = (divergence: Divergence): void => {
    const place = address(divergence.model, divergence.key);
    if (divergent.has(place) || divergent.size < divergencesKeptMax)
      divergent.set(place, divergence);
    else uncounted++;
  };
  return {
    compared: (row, asOf, stored, expected) => {
      rows++;
      if (stored === expected) return;
      const told = expected ?? stored;
      put({
        ...row,
        why: stored === undefined ? 'missing' : expected === undefined ? 'extra' : 'changed',
        position: told === undefined ? null : newestPosition(row.model, row.key, told),
        asOf,
        stored: cut(stored),
        expected: cut(expected),
      });
    },
    unreadable: (row, asOf, message) => {
      rows++;
      put({
        ...row,
        ...{ why: 'unreadable', position: newestPosition(row.model, row.key, '') },
        ...{ asOf, stored: cut(message), expected: null },
      });
    },
    rows: () => rows,
    tell: () => ({
      rows,
      divergent: divergent.size + uncounted,
      divergences: [...divergent]
        .toSorted(([a], [b]) => compareUtf8(a, b))
        .map(([, divergence]) => divergence),
    }),
  };
};

const cut = (text: string | undefined): string | null =>
  text === undefined ? null : text.slice(0, shownCharsMax);

const storeProblem = ({ code, message }: StoreProblem): VerifyProblem => ({
  code: code === 'corrupt' ? 'corrupt' : 'unreachable',
  message,
});

const refuse = (code: VerifyProblem['code'], message: string): Result<never, VerifyProblem> =>
  fail({ code, message });
