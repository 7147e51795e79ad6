import type { Generation, RowKey, ScanRange, Step } from '../../ports/read-model-store.ts';
import { packTexts } from './packed.ts';
import { packSmall, packSmallKeys, smallKeyOf, smallModels } from './small-rows.ts';
import type { SmallKey, SmallWrite } from './small-rows.ts';

/** Those that a step takes for new, and the others. */
type Rows = { readonly added: string[]; readonly set: string[] };
type Keys = { readonly absent: string[]; readonly gone: string[] };
type Group = Rows & Keys & { readonly small: Map<string, SmallWrite[]> };

const emptyGroup = (): Group => ({ added: [], set: [], absent: [], gone: [], small: new Map() });

/** Lays a step out as the commit script reads it. */
export function commitArguments(
  generation: Generation,
  { from, to, writes }: Step,
  ordered: ReadonlySet<string>,
): { models: readonly string[]; args: readonly (string | Buffer)[] } {
  const byModel = new Map<string, Group>();
  for (const { model, key, value, isNew = false } of writes) {
    const group = groupOf(byModel, model, emptyGroup);
    const place = smallKeyOf(model, key);
    if (place !== undefined)
      groupOf(group.small, place.owner, () => []).push({ place, value, isNew });
    else if (value === null) (isNew ? group.absent : group.gone).push(key);
    else (isNew ? group.added : group.set).push(key, value);
  }
  const args: (string | Buffer)[] = [
    generation,
    to.logId,
    String(to.foldVersion),
    from === undefined ? '' : String(from.next),
    from?.lastDigest ?? '',
    String(to.next),
    to.lastDigest,
    to.rowsDigest,
  ];
  for (const [model, { added, set, absent, gone, small }] of byModel) {
    args.push(model, layoutOf(model, ordered));
    args.push(packTexts([...added, ...set]), String(added.length));
    args.push(packTexts([...absent, ...gone]), String(absent.length));
    args.push(String(small.size));
    for (const [owner, owned] of small) args.push(owner, ...packSmall(owned));
  }
  return { models: [...byModel.keys()], args };
}

/** Rows as the rows script is asked for them, and in which order it counts them. */
export function rowsArguments(wanted: readonly RowKey[]): {
  readonly models: readonly string[];
  /** Of each owner of small rows, its model. */
  readonly smallOf: readonly string[];
  readonly args: readonly (string | Buffer)[];
  readonly asked: readonly RowKey[];
} {
  const large = new Map<string, RowKey[]>();
  const small = new Map<string, AskedSmall>();
  for (const row of wanted) {
    const { model, key } = row;
    const place = smallKeyOf(model, key);
    if (place === undefined) {
      groupOf(large, model, () => []).push(row);
      continue;
    }
    const { owner } = place;
    const of = groupOf(small, `${model}\n${owner}`, () => ({ model, owner, rows: [], places: [] }));
    of.rows.push(row);
    of.places.push(place);
  }
  return {
    models: [...large.keys()],
    smallOf: Array.from(small.values(), ({ model }) => model),
    args: [
      ...Array.from(large.values(), (rows) => packTexts(rows.map(({ key }) => key))),
      ...[...small.values()].flatMap(({ owner, places }) => [owner, packSmallKeys(places)]),
    ],
    asked: [...[...large.values()].flat(), ...[...small.values()].flatMap(({ rows }) => rows)],
  };
}

type AskedSmall = {
  readonly model: string;
  readonly owner: string;
  readonly rows: RowKey[];
  readonly places: SmallKey[];
};

const groupOf = <Of>(groups: Map<string, Of>, name: string, empty: () => Of): Of => {
  let group = groups.get(name);
  if (group === undefined) groups.set(name, (group = empty()));
  return group;
};

const layoutOf = (model: string, ordered: ReadonlySet<string>): string =>
  smallModels.has(model) ? 'small' : ordered.has(model) ? 'ordered' : 'unordered';

/** The two ends of a range as ZRANGE BYLEX takes them: `[` takes the end in, `(` leaves it out, `-` and `+` are open. */
export function scanArguments({
  prefix = '',
  after,
  newestFirst = false,
  rowsMax,
}: ScanRange): Buffer[] {
  const bound = (sign: '[' | '(', bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(sign), bytes]);
  const start = Buffer.from(prefix);
  // No UTF-8 holds the byte FF, so this stands behind every key that begins with the prefix.
  const end = Buffer.concat([start, Buffer.of(0xff)]);
  const mark = after === undefined ? undefined : Buffer.from(after);

  let low = start.length === 0 ? Buffer.from('-') : bound('[', start);
  let high = start.length === 0 ? Buffer.from('+') : bound('(', end);
  if (mark !== undefined && !newestFirst && mark.compare(start) >= 0) low = bound('(', mark);
  if (mark !== undefined && newestFirst && mark.compare(end) < 0) high = bound('(', mark);
  const limit = Buffer.from(String(rowsMax));
  return newestFirst ? [high, low, Buffer.from('REV'), limit] : [low, high, Buffer.alloc(0), limit];
}
