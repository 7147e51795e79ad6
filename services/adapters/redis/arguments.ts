import type { Generation, ScanRange, Step } from '../../ports/read-model-store.ts';
import { smallKeyOf, smallModels, SmallWrites } from './small-rows.ts';

type Group = {
  readonly set: string[];
  readonly gone: string[];
  readonly small: Map<string, SmallWrites>;
};

/** Lays a step out as the commit script reads it. */
export function commitArguments(
  generation: Generation,
  { from, to, writes }: Step,
  ordered: ReadonlySet<string>,
): { models: readonly string[]; args: readonly (string | Buffer)[] } {
  const byModel = new Map<string, Group>();
  for (const { model, key, value } of writes) {
    let group = byModel.get(model);
    if (group === undefined) {
      group = { set: [], gone: [], small: new Map() };
      byModel.set(model, group);
    }
    const place = smallKeyOf(model, key);
    if (place !== undefined) {
      let owned = group.small.get(place.owner);
      if (owned === undefined) group.small.set(place.owner, (owned = new SmallWrites()));
      owned.add(place.field, value);
    } else if (value === null) group.gone.push(key);
    else group.set.push(key, value);
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
  for (const [model, { set, gone, small }] of byModel) {
    args.push(model, layoutOf(model, ordered));
    args.push(String(set.length / 2), String(gone.length), String(small.size));
  }
  for (const { set, gone, small } of byModel.values()) {
    for (const arg of set) args.push(arg);
    for (const arg of gone) args.push(arg);
    for (const [owner, owned] of small) args.push(owner, ...owned.blobs());
  }
  return { models: [...byModel.keys()], args };
}

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
