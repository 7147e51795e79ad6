import { rowFault } from './row-fault.ts';

/** Largest key of a value that a store keeps aside, UTF-16 code units. */
export const asideKeyMax = 512;
/** Largest such value, UTF-16 code units. */
export const asideValueMax = 65_536;
/** How many of them one write may change. */
export const asideEntriesMax = 1_000;

export type AsideFault = 'line-break' | 'not-unicode' | 'key-too-large' | 'value-too-large';

/** Why a store cannot keep this value aside, or undefined. */
const asideFault = ({
  key,
  value,
}: {
  readonly key: string;
  readonly value: string | null;
}): AsideFault | undefined => {
  if (key.length > asideKeyMax) return 'key-too-large';
  if ((value?.length ?? 0) > asideValueMax) return 'value-too-large';
  return rowFault({ model: '', key, value });
};

/** What to say of a write that no store takes, or undefined. */
export const asideRefusal = (
  entries: readonly { readonly key: string; readonly value: string | null }[],
): string | undefined => {
  if (entries.length > asideEntriesMax)
    return `${entries.length} values in one write; at most ${asideEntriesMax} are kept together`;
  for (const entry of entries) {
    const fault = asideFault(entry);
    if (fault !== undefined) return `${fault} in ${JSON.stringify(entry.key.slice(0, 64))}`;
  }
  return undefined;
};
