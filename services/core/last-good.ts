import type { LoadedRows } from './known-rows.ts';
import { address } from './known-rows.ts';
import type { Position } from './log/record.ts';
import type { Slot } from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import { positionKey } from './position-key.ts';
import type { Result } from './result.ts';
import { ok } from './result.ts';
import { readRow } from './row-text.ts';
import type { AttemptLine, SlotState } from './slot-state.ts';
import type { Line, Present } from './views.ts';
import { isSuspectAt } from './views.ts';
import { isoTime } from './instant.ts';

/** The version that succeeded in a slot before the present one, and that nobody turned away from. */
export type LastGood = {
  readonly slot: Slot;
  readonly version: string;
  readonly digest: string | null;
  /** Since when it held the slot. */
  readonly since: number;
  /** The attempt that brought it. */
  readonly line: AttemptLine;
  /** What holds the slot now. */
  readonly present: { readonly version: string | null; readonly digest: string | null };
};

/**
 * The newest of the versions that held the slot before the present one. Left out are the present version itself, one
 * that a rollback led away from, one whose markers conflict, one that was signed with a key that was found compromised,
 * and one of which the read models know no more than its name.
 */
const lastGoodOf = (
  state: SlotState | undefined,
  lineAt: (position: Position) => AttemptLine | undefined,
  present: Present,
): LastGood | undefined => {
  const holder = state?.holders.at(-1);
  if (state === undefined || holder === undefined) return undefined;
  const turnedFrom = new Set<string>();
  let successor: AttemptLine | undefined = holder;
  for (const past of state.past.toReversed()) {
    const name = nameOf(past);
    if (successor?.rollback === true) turnedFrom.add(name);
    const line = lineAt(past.position);
    successor = line;
    const isPresent = name === nameOf(holder);
    if (line === undefined || isPresent || turnedFrom.has(name)) continue;
    if (line.conflict || isSuspect(line, present)) continue;
    const { slot } = state;
    const { version, digest, since } = past;
    const now = { version: holder.version, digest: holder.digest };
    return { slot, version, digest, since, line, present: now };
  }
  return undefined;
};

const nameOf = ({
  version,
  digest,
}: {
  readonly version: string | null;
  readonly digest: string | null;
}): string => JSON.stringify([version, digest]);

const isSuspect = ({ key, statusPosition, plan }: AttemptLine, present: Present): boolean =>
  isSuspectAt(present, key, statusPosition) ||
  (plan !== null && isSuspectAt(present, plan.key, plan.position));

/** Reads the rows that it takes. */
export const readLastGood = async <Problem>(
  read: (
    keys: readonly { readonly model: string; readonly key: string }[],
  ) => Promise<Result<LoadedRows, Problem>>,
  slot: Slot,
  present: Present,
): Promise<Result<LastGood | undefined, Problem>> => {
  const key = slotKey(slot);
  const first = await read([{ model: 'slot', key }]);
  if (!first.ok) return first;
  const text = first.value.get(address('slot', key));
  const state = text === undefined ? undefined : readRow<SlotState>('slot', text);
  const lines = await read(
    (state?.past ?? []).map(({ position }) => ({
      model: 'timeline',
      key: positionKey(position),
    })),
  );
  if (!lines.ok) return lines;
  const lineAt = (position: Position): AttemptLine | undefined => {
    const line = lines.value.get(address('timeline', positionKey(position)));
    return line === undefined ? undefined : readRow<AttemptLine>('timeline', line);
  };
  return ok(lastGoodOf(state, lineAt, present));
};

/** One line of `last-good`. */
export const lastGoodLine = ({ slot, version, digest, since, line, present }: LastGood): Line => ({
  namespace: slot.namespace,
  environment: slot.environment,
  component: slot.component,
  target: slot.target,
  version,
  digest,
  since: isoTime(since),
  deployment: line.deployment,
  attempt: line.attempt,
  signer: line.signer,
  position: line.position,
  present: { ...present },
});
