import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { asideEntriesMax, asideKeyMax, asideValueMax } from '../../services/core/aside-fault.ts';
import { compareUtf8 } from '../../services/core/utf8-order.ts';
import type {
  Checkpoint,
  ReadModelStore,
  RowWrite,
  ScanRange,
  Step,
} from '../../services/ports/read-model-store.ts';
import { value } from '../support/records.ts';

export type OpenedStore = {
  /** Empty, of its own, with the one ordered read model `timeline`. */
  readonly store: ReadModelStore;
  /** The same store as another process would open it. */
  readonly reopen?: () => Promise<ReadModelStore>;
  readonly close: () => Promise<void>;
};

export type ReadModelStoreContractOptions = {
  /** How often each property is tried. */
  readonly propertyRuns?: number;
};

const timeline = 'timeline';

const at = (next: number, part: Partial<Checkpoint> = {}): Checkpoint => ({
  logId: 'log-1',
  next,
  lastDigest: `digest of ${next - 1}`,
  foldVersion: 1,
  rowsDigest: String(next).padStart(32, '0'),
  ...part,
});

const stepOf = (
  from: number | undefined,
  to: number,
  writes: readonly RowWrite[] = [],
  part: Partial<Checkpoint> = {},
): Step => ({ from: from === undefined ? undefined : at(from, part), to: at(to, part), writes });

const row = (model: string, key: string, content: string | null): RowWrite => ({
  model,
  key,
  value: content,
});

/** Keys that something on the way could stumble over. The line break is not among them: it is refused. */
const hostileKeys: readonly string[] = [
  '',
  ' ',
  '\0',
  '\t\r',
  '__proto__',
  'constructor',
  'toString',
  '[key',
  '(key',
  '-',
  '+',
  '%',
  '_',
  '*',
  "'; drop table rows; --",
  '{tag}',
  'é',
  'e\u0301',
  '\u00ff',
  '\uff5e',
  '\u{1f600}',
  'k'.repeat(10_000),
];

/** What every read-model store promises, sentence by sentence. `open` gives a new and empty store each time. */
export const readModelStoreContract = (
  name: string,
  open: () => Promise<OpenedStore>,
  options: ReadModelStoreContractOptions = {},
): void => {
  const numRuns = options.propertyRuns ?? 25;
  const withStore =
    (use: (opened: OpenedStore) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const opened = await open();
      try {
        await use(opened);
      } finally {
        await opened.close();
      }
    };

  describe(`${name}: commit`, () => {
    test(
      'an empty store has no checkpoint, no rows, no generations and points nowhere',
      withStore(async ({ store }) => {
        expect(value(await store.current())).toBeUndefined();
        expect(value(await store.generations())).toEqual([]);
        expect(value(await store.checkpoint('g1'))).toBeUndefined();
        const rows = value(await store.rows('g1', [{ model: timeline, key: 'a' }]));
        expect(rows).toEqual({ checkpoint: undefined, rows: new Map() });
        expect(value(await store.scan('g1', timeline, { rowsMax: 5 }))).toEqual({
          checkpoint: undefined,
          rows: [],
        });
        expect(value(await store.dump('g1'))).toEqual([]);
      }),
    );

    test(
      'writes rows and checkpoint together',
      withStore(async ({ store, reopen }) => {
        const writes = [row(timeline, 'a', 'one'), row('slots', 'b', 'two')];
        expect(value(await store.commit('g1', stepOf(undefined, 3, writes)))).toBe('committed');
        const reader = (await reopen?.()) ?? store;
        const asked = [...writes, row('slots', 'absent', null)];
        expect(value(await reader.rows('g1', asked))).toEqual({
          checkpoint: at(3),
          rows: new Map([
            [`${timeline}\na`, 'one'],
            ['slots\nb', 'two'],
          ]),
        });
        expect(value(await reader.checkpoint('g1'))).toEqual(at(3));
        expect(value(await reader.generations())).toEqual(['g1']);
        if (reader !== store) await reader.close();
      }),
    );

    test(
      'replaces a row, and null removes it, also from the order',
      withStore(async ({ store }) => {
        const first = [row(timeline, 'a', '1'), row(timeline, 'b', '1'), row('slots', 'c', '1')];
        value(await store.commit('g1', stepOf(undefined, 1, first)));
        const second = [
          row(timeline, 'a', '2'),
          row(timeline, 'b', null),
          row('slots', 'c', null),
          row('slots', 'never there', null),
        ];
        value(await store.commit('g1', stepOf(1, 2, second)));
        expect(value(await store.dump('g1'))).toEqual([`${timeline}\na\n2`]);
        expect(value(await store.scan('g1', timeline, { rowsMax: 9 })).rows).toEqual([
          { key: 'a', value: '2' },
        ]);
      }),
    );

    test(
      'takes a step without rows',
      withStore(async ({ store }) => {
        expect(value(await store.commit('g1', stepOf(undefined, 1)))).toBe('committed');
        expect(value(await store.commit('g1', stepOf(1, 2)))).toBe('committed');
        expect(value(await store.checkpoint('g1'))).toEqual(at(2));
      }),
    );

    test(
      'keeps generations apart',
      withStore(async ({ store }) => {
        value(await store.commit('g1', stepOf(undefined, 1, [row(timeline, 'a', 'old')])));
        const other = stepOf(undefined, 4, [row(timeline, 'a', 'new')], { foldVersion: 2 });
        value(await store.commit('g2', other));
        expect(value(await store.dump('g1'))).toEqual([`${timeline}\na\nold`]);
        expect(value(await store.dump('g2'))).toEqual([`${timeline}\na\nnew`]);
        expect(value(await store.checkpoint('g1'))).toEqual(at(1));
        expect(value(await store.checkpoint('g2'))).toEqual(at(4, { foldVersion: 2 }));
        expect(value(await store.generations())).toEqual(['g1', 'g2']);
      }),
    );

    test(
      'of two projectors that start from one checkpoint lets one win',
      withStore(async ({ store, reopen }) => {
        const other = (await reopen?.()) ?? store;
        value(await store.commit('g1', stepOf(undefined, 1)));
        const answers = await Promise.all([
          store.commit('g1', stepOf(1, 2, [row(timeline, 'winner', 'first')])),
          other.commit('g1', stepOf(1, 3, [row(timeline, 'winner', 'second')])),
        ]);
        const outcomes = answers.map((answer) => value(answer));
        expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1);
        const firstWon = outcomes[0] === 'committed';
        const stored = at(firstWon ? 2 : 3);
        expect(outcomes[firstWon ? 1 : 0]).toEqual({ refused: 'gap', stored });
        expect(value(await store.checkpoint('g1'))).toEqual(stored);
        expect(value(await store.dump('g1'))).toEqual([
          `${timeline}\nwinner\n${firstWon ? 'first' : 'second'}`,
        ]);
        if (other !== store) await other.close();
      }),
    );
  });

  describe(`${name}: refusals write nothing`, () => {
    const before = [row(timeline, 'a', 'before'), row('slots', 's', 'before')];
    const after = [
      row(timeline, 'a', 'after'),
      row(timeline, 'b', 'after'),
      row('slots', 's', null),
    ];
    const refuses = (
      sentence: string,
      step: Step,
      refused: 'gap' | 'foreign-log' | 'old-code',
    ): void => {
      test(
        `refuses ${sentence}`,
        withStore(async ({ store }) => {
          value(await store.commit('g1', stepOf(undefined, 5, before)));
          expect(value(await store.commit('g1', step))).toEqual({ refused, stored: at(5) });
          expect(value(await store.checkpoint('g1'))).toEqual(at(5));
          expect(value(await store.dump('g1'))).toEqual([
            'slots\ns\nbefore',
            `${timeline}\na\nbefore`,
          ]);
        }),
      );
    };

    refuses('the same first step twice: a gap', stepOf(undefined, 5, before), 'gap');
    refuses('another first step: a gap', stepOf(undefined, 7, after), 'gap');
    refuses('a zombie that comes back with an old step: a gap', stepOf(3, 5, after), 'gap');
    refuses('a step that skips records: a gap', stepOf(6, 8, after), 'gap');
    refuses('another log by its id', stepOf(5, 6, after, { logId: 'log-2' }), 'foreign-log');
    refuses(
      'another log by the digest of the last record applied',
      { from: at(5, { lastDigest: 'other bytes' }), to: at(6), writes: after },
      'foreign-log',
    );
    refuses(
      'a first step of another log',
      stepOf(undefined, 1, after, { logId: 'log-2' }),
      'foreign-log',
    );
    refuses('another version of the fold', stepOf(5, 6, after, { foldVersion: 2 }), 'old-code');
    refuses(
      'another log before another version, for nothing of it may be applied',
      stepOf(4, 6, after, { foldVersion: 2, logId: 'log-2' }),
      'foreign-log',
    );
    refuses(
      'another version before a gap, for reading the checkpoint again would not help',
      stepOf(4, 6, after, { foldVersion: 2 }),
      'old-code',
    );
    refuses(
      'a digest that differs says nothing where the position differs too',
      { from: at(4, { lastDigest: 'other bytes' }), to: at(6), writes: after },
      'gap',
    );

    /** A row that a store may keep otherwise than others: an id and an owner. */
    const id = (digit: string): string => `${digit.repeat(8)}-0221-7711-a098-9778f45a5a55:ci`;
    const asNew = (write: RowWrite): RowWrite => ({ ...write, isNew: true });
    const kept = [
      ...before,
      row('marker', id('a'), '"00ff"'),
      row('marker', 'no id', 'before'),
    ] as const;

    test.each([
      ['a row of an ordered model', row(timeline, 'a', 'after')],
      ['a row of another model', row('slots', 's', 'after')],
      ['a row kept small', row('marker', id('a'), '"00"')],
      ['a row that could not be kept small', row('marker', 'no id', 'after')],
      ['a row that it does not write', row(timeline, 'a', null)],
      ['a row kept small that it does not write', row('marker', id('a'), null)],
    ])('a step that takes for new what is there, %s, writes nothing', async (_, there) => {
      await withStore(async ({ store }) => {
        value(await store.commit('g1', stepOf(undefined, 5, kept)));
        const dump = value(await store.dump('g1'));
        const others = [
          ...after,
          row('slots', 'other', 'after'),
          asNew(row(timeline, 'c', 'after')),
          asNew(row('marker', id('b'), '"01"')),
          row('marker', id('c'), '"01"'),
        ].filter(({ model, key }) => model !== there.model || key !== there.key);
        for (const writes of [
          [...others, asNew(there)],
          [asNew(there), ...others],
        ]) {
          const refused = value(await store.commit('g1', stepOf(5, 6, writes)));
          expect(refused).toEqual({ refused: 'row-there', stored: at(5) });
        }
        expect(value(await store.dump('g1'))).toEqual(dump);
        expect(value(await store.checkpoint('g1'))).toEqual(at(5));
        // The same step, which takes nothing for new.
        value(await store.commit('g1', stepOf(5, 6, [...others, there])));
        expect(value(await store.checkpoint('g1'))).toEqual(at(6));
      })();
    });

    test(
      'a step that takes for new what is not there is written; what it does not write is not there after it',
      withStore(async ({ store }) => {
        const many = Array.from({ length: 300 }, (_, number) =>
          asNew(row('marker', id('a').replace('0221', String(1000 + number)), `"${number % 9}0"`)),
        );
        const first = [asNew(row(timeline, 'a', '1')), asNew(row('marker', id('a'), '"00"'))];
        value(await store.commit('g1', stepOf(undefined, 1, first)));
        const second = [
          ...many,
          asNew(row(timeline, 'b', '2')),
          asNew(row(timeline, 'c', null)),
          asNew(row('marker', id('c'), null)),
          row('marker', id('a'), null),
        ];
        expect(value(await store.commit('g1', stepOf(1, 2, second)))).toBe('committed');
        const rows = [...many, row(timeline, 'a', '1'), row(timeline, 'b', '2')];
        expect(value(await store.dump('g1'))).toEqual(
          rows
            .map(({ model, key, value: content }) => `${model}\n${key}\n${content}`)
            .toSorted(compareUtf8),
        );
        // It went, so it is new again.
        const third = [asNew(row('marker', id('a'), '"02"'))];
        expect(value(await store.commit('g1', stepOf(2, 3, third)))).toBe('committed');
      }),
    );

    test(
      'a gap comes before a row that is there, for the rows may be others by then',
      withStore(async ({ store }) => {
        value(await store.commit('g1', stepOf(undefined, 5, kept)));
        const late = stepOf(3, 6, [asNew(row(timeline, 'a', 'after'))]);
        expect(value(await store.commit('g1', late))).toEqual({ refused: 'gap', stored: at(5) });
      }),
    );

    test(
      'a later step into a generation that is not there: a gap without anything stored',
      withStore(async ({ store }) => {
        expect(value(await store.commit('g1', stepOf(5, 6, after)))).toEqual({
          refused: 'gap',
          stored: undefined,
        });
        expect(value(await store.generations())).toEqual([]);
        expect(value(await store.dump('g1'))).toEqual([]);
      }),
    );

    test(
      'a step twice: the second is a gap and changes nothing',
      withStore(async ({ store }) => {
        value(await store.commit('g1', stepOf(undefined, 5, before)));
        const step = stepOf(5, 6, after);
        expect(value(await store.commit('g1', step))).toBe('committed');
        const once = value(await store.dump('g1'));
        expect(value(await store.commit('g1', step))).toEqual({ refused: 'gap', stored: at(6) });
        expect(value(await store.dump('g1'))).toEqual(once);
      }),
    );

    test.each([
      ['a line break in a key', row(timeline, 'a\nb', 'x')],
      ['a line break in a model', row('time\nline', 'a', 'x')],
      ['half a surrogate pair in a key', row(timeline, '\ud800', 'x')],
      ['half a surrogate pair in a value', row(timeline, 'a', '\udc00')],
    ])('%s: a problem, and the good rows beside it are not written either', async (_, faulty) => {
      await withStore(async ({ store }) => {
        const answer = await store.commit('g1', stepOf(undefined, 1, [...before, faulty]));
        expect(answer).toMatchObject({ ok: false, problem: { code: 'refused' } });
        expect(value(await store.checkpoint('g1'))).toBeUndefined();
        expect(value(await store.dump('g1'))).toEqual([]);
      })();
    });
  });

  describe(`${name}: rows and order`, () => {
    test(
      'any key comes back as it went in, in the order of its bytes',
      withStore(async ({ store }) => {
        const writes = hostileKeys.flatMap((key) => [
          row(timeline, key, `ordered ${key}`),
          row('__proto__', key, `unordered ${key}`),
        ]);
        value(await store.commit('g1', stepOf(undefined, 1, writes)));
        const { rows } = value(await store.rows('g1', writes));
        expect([...rows].toSorted(byFirst)).toEqual(
          writes.map((each) => [`${each.model}\n${each.key}`, each.value]).toSorted(byFirst),
        );
        const scanned = value(await store.scan('g1', timeline, { rowsMax: 1_000 })).rows;
        expect(scanned.map(({ key }) => key)).toEqual(hostileKeys.toSorted(byBytes));
      }),
    );

    test(
      'values are opaque: empty, long, and full of quotes and line breaks',
      withStore(async ({ store }) => {
        const contents = ['', 'x'.repeat(300_000), '"\'\\\n\0\u{1f600}'];
        const writes = contents.map((content, index) => row('slots', `${index}`, content));
        value(await store.commit('g1', stepOf(undefined, 1, writes)));
        const { rows } = value(await store.rows('g1', writes));
        expect(contents.map((_, index) => rows.get(`slots\n${index}`))).toEqual(contents);
      }),
    );

    test(
      'a scan gives rows after a key, with a prefix, newest first, and no more than asked for',
      withStore(async ({ store }) => {
        const keys = ['a/1', 'a/2', 'a/3', 'a/4', 'b/1', 'b/2'];
        const writes = keys.map((key) => row(timeline, key, `value of ${key}`));
        value(await store.commit('g1', stepOf(undefined, 7, writes)));
        const scan = async (range: ScanRange): Promise<readonly string[]> => {
          const { checkpoint, rows } = value(await store.scan('g1', timeline, range));
          expect(checkpoint).toEqual(at(7));
          for (const each of rows) expect(each.value).toBe(`value of ${each.key}`);
          return rows.map(({ key }) => key);
        };
        expect(await scan({ rowsMax: 2 })).toEqual(['a/1', 'a/2']);
        expect(await scan({ rowsMax: 2, after: 'a/2' })).toEqual(['a/3', 'a/4']);
        expect(await scan({ rowsMax: 9, prefix: 'b/' })).toEqual(['b/1', 'b/2']);
        expect(await scan({ rowsMax: 2, newestFirst: true })).toEqual(['b/2', 'b/1']);
        expect(await scan({ rowsMax: 9, prefix: 'a/', newestFirst: true, after: 'a/3' })).toEqual([
          'a/2',
          'a/1',
        ]);
        expect(await scan({ rowsMax: 9, prefix: 'a/', after: 'a/9' })).toEqual([]);
        expect(await scan({ rowsMax: 9, prefix: 'c' })).toEqual([]);
      }),
    );

    test(
      'a read model that is not kept in order cannot be scanned',
      withStore(async ({ store }) => {
        value(await store.commit('g1', stepOf(undefined, 1, [row('slots', 'a', 'x')])));
        expect(await store.scan('g1', 'slots', { rowsMax: 1 })).toMatchObject({
          ok: false,
          problem: { code: 'refused' },
        });
      }),
    );

    test('scans any keys as a sorted list would be cut', async () => {
      // Few letters, so that prefixes and neighbours meet; among them both sides of the surrogates and the last of all.
      const letter = fc.constantFrom('a', 'b', '\ud7ff', '\uff5e', '\u{10ffff}', '/', '\0');
      const anyKey = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(''));
      const ranges = fc.record(
        { prefix: anyKey, after: anyKey, newestFirst: fc.boolean(), rowsMax: fc.nat(8) },
        { requiredKeys: ['rowsMax'] },
      );
      const property = fc.asyncProperty(
        fc.uniqueArray(anyKey, { maxLength: 30 }),
        fc.array(ranges, { minLength: 1, maxLength: 5 }),
        async (keys, asked) => {
          const { store, close } = await open();
          try {
            const writes = keys.map((key) => row(timeline, key, `value of ${key}`));
            value(await store.commit('g1', stepOf(undefined, 1, writes)));
            for (const range of asked) {
              const { rows } = value(await store.scan('g1', timeline, range));
              expect(rows.map(({ key }) => key)).toEqual(cut(keys, range));
            }
          } finally {
            await close();
          }
        },
      );
      await fc.assert(property, { numRuns });
    });

    test('a dump is every row, sorted by bytes, however the steps were cut', async () => {
      const writes = fc.uniqueArray(
        fc.record({
          model: fc.constantFrom(timeline, 'time', 'slots', 'é'),
          key: fc.constantFrom('', 'a', 'a\t', '\u{1f600}', '\uff5e'),
          value: fc.option(fc.constantFrom('', 'x', 'y\nz')),
        }),
        { selector: ({ model, key }) => `${model}\n${key}`, maxLength: 8 },
      );
      const property = fc.asyncProperty(
        fc.array(writes, { minLength: 1, maxLength: 5 }),
        async (steps) => {
          const { store, close } = await open();
          try {
            const expected = new Map<string, string>();
            for (const [index, each] of steps.entries()) {
              const from = index === 0 ? undefined : index;
              value(await store.commit('g1', stepOf(from, index + 1, each)));
              for (const { model, key, value: content } of each)
                if (content === null) expected.delete(`${model}\n${key}`);
                else expected.set(`${model}\n${key}`, content);
            }
            const lines = [...expected].map(([place, content]) => `${place}\n${content}`);
            expect(value(await store.dump('g1'))).toEqual(lines.toSorted(byBytes));
          } finally {
            await close();
          }
        },
      );
      await fc.assert(property, { numRuns });
    });
  });

  describe(`${name}: walking through a generation`, () => {
    test(
      'brings every row of every read model, whatever the pages are, and counts them',
      withStore(async ({ store }) => {
        const writes = [timeline, 'slots', 'a model'].flatMap((model) =>
          ['', 'é', ...Array.from({ length: 23 }, (_, index) => `key ${index}`)].map((key) =>
            row(model, key, `${model} ${key}`),
          ),
        );
        value(await store.commit('g1', stepOf(undefined, 1, writes)));
        value(await store.commit('g2', stepOf(undefined, 1, [row('slots', 'other', 'x')])));
        for (const rowsMax of [1, 7, 25, 1_000]) {
          const found = new Map<string, string>();
          let cursor: string | undefined;
          do {
            const page = value(await store.walk('g1', cursor, rowsMax));
            for (const each of page.rows) found.set(`${each.model}\n${each.key}`, each.value);
            ({ cursor } = page);
          } while (cursor !== undefined);
          expect(
            [...found].map(([place, content]) => `${place}\n${content}`).toSorted(byBytes),
          ).toEqual(value(await store.dump('g1')));
        }
        expect(new Map(value(await store.counts('g1')))).toEqual(
          new Map([
            [timeline, 25],
            ['slots', 25],
            ['a model', 25],
          ]),
        );
      }),
    );

    test(
      'a generation that is not there, or whose rows are gone, has none',
      withStore(async ({ store }) => {
        expect(value(await store.walk('g1', undefined, 9))).toEqual({
          rows: [],
          cursor: undefined,
        });
        expect(value(await store.counts('g1')).size).toBe(0);
        value(await store.commit('g1', stepOf(undefined, 1, [row('slots', 'a', 'x')])));
        value(await store.commit('g1', stepOf(1, 2, [row('slots', 'a', null)])));
        expect(value(await store.counts('g1')).size).toBe(0);
        expect(value(await store.walk('g1', undefined, 9)).rows).toEqual([]);
      }),
    );
  });

  describe(`${name}: generations`, () => {
    test(
      'readers are pointed to another generation only by whoever knows the present one',
      withStore(async ({ store }) => {
        expect(value(await store.switchTo('g0', 'g1'))).toBe(false);
        expect(value(await store.current())).toBeUndefined();
        expect(value(await store.switchTo(undefined, 'g1'))).toBe(true);
        expect(value(await store.switchTo(undefined, 'g2'))).toBe(false);
        expect(value(await store.switchTo('g2', 'g3'))).toBe(false);
        expect(value(await store.current())).toBe('g1');
        expect(value(await store.switchTo('g1', 'g2'))).toBe(true);
        expect(value(await store.current())).toBe('g2');
      }),
    );

    test(
      'of several that switch at once one wins',
      withStore(async ({ store, reopen }) => {
        const other = (await reopen?.()) ?? store;
        const answers = await Promise.all(
          ['g1', 'g2', 'g3', 'g4'].map((generation, index) =>
            (index % 2 === 0 ? store : other).switchTo(undefined, generation),
          ),
        );
        expect(answers.filter((answer) => value(answer))).toHaveLength(1);
        if (other !== store) await other.close();
      }),
    );

    test(
      'a dropped generation is gone and can be folded again; the current one is refused',
      withStore(async ({ store }) => {
        const writes = [row(timeline, 'a', 'x'), row('slots', 'b', 'x')];
        value(await store.commit('g1', stepOf(undefined, 2, writes)));
        value(await store.commit('g2', stepOf(undefined, 2, writes)));
        value(await store.switchTo(undefined, 'g1'));
        expect(await store.drop('g1')).toMatchObject({ ok: false, problem: { code: 'refused' } });
        expect(value(await store.dump('g1'))).toHaveLength(2);

        value(await store.drop('g2'));
        expect(value(await store.generations())).toEqual(['g1']);
        expect(value(await store.checkpoint('g2'))).toBeUndefined();
        expect(value(await store.dump('g2'))).toEqual([]);
        expect(value(await store.scan('g2', timeline, { rowsMax: 9 })).rows).toEqual([]);
        expect(value(await store.commit('g2', stepOf(undefined, 1)))).toBe('committed');
        expect(value(await store.dump('g2'))).toEqual([]);
        value(await store.drop('never there'));
      }),
    );

    test(
      'a closed store answers with a problem',
      withStore(async ({ store, reopen }) => {
        const closed = (await reopen?.()) ?? store;
        await closed.close();
        await closed.close();
        expect(await closed.checkpoint('g1')).toMatchObject({
          ok: false,
          problem: { code: 'unreachable' },
        });
        expect(await closed.commit('g1', stepOf(undefined, 1))).toMatchObject({
          ok: false,
          problem: { code: 'unreachable' },
        });
      }),
    );
  });

  describe(`${name}: what is kept aside`, () => {
    const entriesOf = async (store: ReadModelStore, range: ScanRange): Promise<readonly string[]> =>
      value(await store.aside.scan(range)).map(({ key, value: content }) => `${key}=${content}`);

    test(
      'is empty at first, and gives back what was written, also to another process',
      withStore(async ({ store, reopen }) => {
        expect(value(await store.aside.read(['a', 'b']))).toEqual(new Map());
        expect(value(await store.aside.read([]))).toEqual(new Map());
        expect(value(await store.aside.scan({ rowsMax: 5 }))).toEqual([]);
        value(await store.aside.write([]));
        value(
          await store.aside.write([
            { key: 'a', value: '1' },
            { key: 'b', value: '' },
          ]),
        );
        const reader = (await reopen?.()) ?? store;
        expect(value(await reader.aside.read(['b', 'absent', 'a', '\ud800']))).toEqual(
          new Map([
            ['a', '1'],
            ['b', ''],
          ]),
        );
        if (reader !== store) await reader.close();
      }),
    );

    test(
      'replaces a value, and null removes it, also from the order; of one key the last counts',
      withStore(async ({ store }) => {
        value(
          await store.aside.write([
            { key: 'a', value: '1' },
            { key: 'b', value: '1' },
          ]),
        );
        value(
          await store.aside.write([
            { key: 'a', value: '2' },
            { key: 'b', value: null },
            { key: 'c', value: 'x' },
            { key: 'c', value: null },
            { key: 'd', value: null },
            { key: 'd', value: 'y' },
            { key: 'never there', value: null },
          ]),
        );
        expect(await entriesOf(store, { rowsMax: 9 })).toEqual(['a=2', 'd=y']);
      }),
    );

    test(
      'outlives the generations, and belongs to none',
      withStore(async ({ store }) => {
        value(await store.commit('aside', stepOf(undefined, 1, [row(timeline, 'a', 'row')])));
        value(await store.aside.write([{ key: 'a', value: 'kept' }]));
        expect(value(await store.dump('aside'))).toEqual([`${timeline}\na\nrow`]);
        value(await store.drop('aside'));
        expect(value(await store.generations())).toEqual([]);
        expect(await entriesOf(store, { rowsMax: 9 })).toEqual(['a=kept']);
      }),
    );

    test.each([
      ['a line break in a key', { key: 'a\nb', value: 'x' }],
      ['half a surrogate pair in a key', { key: '\ud800', value: 'x' }],
      ['half a surrogate pair in a value', { key: 'a', value: '\udc00' }],
      ['a key that is too long', { key: 'k'.repeat(asideKeyMax + 1), value: 'x' }],
      ['a value that is too long', { key: 'a', value: 'x'.repeat(asideValueMax + 1) }],
    ])('%s: a problem, and what is good beside it is not written either', async (_, faulty) => {
      await withStore(async ({ store }) => {
        const answer = await store.aside.write([{ key: 'good', value: 'x' }, faulty]);
        expect(answer).toMatchObject({ ok: false, problem: { code: 'refused' } });
        expect(value(await store.aside.scan({ rowsMax: 9 }))).toEqual([]);
      })();
    });

    test(
      'takes the largest write there may be, and nothing above it',
      withStore(async ({ store }) => {
        const entries = Array.from({ length: asideEntriesMax + 1 }, (_, index) => ({
          key: `${index}`.padStart(asideKeyMax, '0'),
          value: index === 0 ? 'é'.repeat(asideValueMax) : `${index}`,
        }));
        expect(await store.aside.write(entries)).toMatchObject({
          ok: false,
          problem: { code: 'refused' },
        });
        value(await store.aside.write(entries.slice(1)));
        value(await store.aside.write(entries.slice(0, 1)));
        expect(value(await store.aside.scan({ rowsMax: 5_000 }))).toEqual(entries);
      }),
    );

    test(
      'any key comes back as it went in',
      withStore(async ({ store }) => {
        const keys = hostileKeys.filter((key) => key.length <= asideKeyMax);
        value(await store.aside.write(keys.map((key) => ({ key, value: `of ${key}` }))));
        expect(value(await store.aside.scan({ rowsMax: 1_000 }))).toEqual(
          keys.toSorted(byBytes).map((key) => ({ key, value: `of ${key}` })),
        );
        expect([...value(await store.aside.read(keys)).keys()].toSorted(byBytes)).toEqual(
          keys.toSorted(byBytes),
        );
      }),
    );

    test('is scanned as a sorted list would be cut', async () => {
      const letter = fc.constantFrom('a', 'b', '\ud7ff', '\uff5e', '\u{10ffff}', '/', '\0');
      const anyKey = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(''));
      const ranges = fc.record(
        { prefix: anyKey, after: anyKey, newestFirst: fc.boolean(), rowsMax: fc.nat(8) },
        { requiredKeys: ['rowsMax'] },
      );
      const property = fc.asyncProperty(
        fc.uniqueArray(anyKey, { maxLength: 30 }),
        fc.array(ranges, { minLength: 1, maxLength: 5 }),
        async (keys, asked) => {
          const { store, close } = await open();
          try {
            value(await store.aside.write(keys.map((key) => ({ key, value: `of ${key}` }))));
            for (const range of asked)
              expect(value(await store.aside.scan(range))).toEqual(
                cut(keys, range).map((key) => ({ key, value: `of ${key}` })),
              );
          } finally {
            await close();
          }
        },
      );
      await fc.assert(property, { numRuns });
    });

    test(
      'a closed store answers with a problem here, too',
      withStore(async ({ store, reopen }) => {
        const closed = (await reopen?.()) ?? store;
        await closed.close();
        const unreachable = { ok: false, problem: { code: 'unreachable' } };
        expect(await closed.aside.read(['a'])).toMatchObject(unreachable);
        expect(await closed.aside.write([{ key: 'a', value: 'x' }])).toMatchObject(unreachable);
        expect(await closed.aside.scan({ rowsMax: 1 })).toMatchObject(unreachable);
      }),
    );
  });
};

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const byFirst = (a: readonly unknown[], b: readonly unknown[]): number =>
  compareUtf8(String(a[0]), String(b[0]));

/** What a scan must give, said as plainly as can be. */
const cut = (keys: readonly string[], range: ScanRange): readonly string[] => {
  const { prefix = '', after, newestFirst = false, rowsMax } = range;
  const sorted = newestFirst ? keys.toSorted(byBytes).toReversed() : keys.toSorted(byBytes);
  return sorted
    .filter((key) => key.startsWith(prefix))
    .filter((key) => after === undefined || byBytes(key, after) * (newestFirst ? -1 : 1) > 0)
    .slice(0, rowsMax);
};
