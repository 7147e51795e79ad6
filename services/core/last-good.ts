import type { LoadedRows } from './known-rows.ts';
import { address } from './known-rows.ts';
import type { Position } from './log/record.ts';
import type { Slot } from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import { positionKey } from './position-key.ts';
import type { Result } from './result.ts';
import { ok } from './result.ts';
import { readRow } from './row-text.ts';
import type { AttemptLine, Holder, SlotState } from './slot-state.ts';
import { slotAsSeen } from './slot-state.ts';
import type { Line, Present } from './views.ts';
import { isExpired, isSuspectAt } from './views.ts';
import { isoTime } from './instant.ts';

/** The version to go back to in a slot, and what stands around it. */
export type LastGood = {
  readonly slot: Slot;
  readonly version: string;
  readonly digest: string | null;
  /** Since when it held the slot. */
  readonly since: number;
  /** The attempt that brought it. */
  readonly line: AttemptLine;
  /** What holds the slot now. */
  readonly present: Named;
  /** What began in the slot since and runs beside it: that is what one goes back from. Null: nothing does. */
  readonly running: AttemptLine | null;
  /** The version that is good too and held the slot before the present one, or null. */
  readonly before: Named | null;
};

type Named = { readonly version: string | null; readonly digest: string | null };

type Past = Pick<LastGood, 'version' | 'digest' | 'since' | 'line'>;

/**
 * Beside a deployment that runs, such as a canary, and after one that failed, the version that holds the slot: where its
 * roll-back leads. Else the newest of those that held it before. Left out are one whose markers conflict, and one that was
 * signed with a key that was found compromised.
 */
const lastGoodOf = (
  state: SlotState | undefined,
  lineAt: (position: Position) => AttemptLine | undefined,
  present: Present,
): LastGood | undefined => {
  const holder = state?.holders.at(-1);
  if (state === undefined || holder === undefined) return undefined;
  const { slot } = state;
  const { version, digest, since } = holder;
  const now = { version, digest };
  const past = pastGood(state, holder, lineAt, present);
  const running = runningSince(state, holder, present);
  const isBeside = running !== undefined || hasJustFailed(holder, past);
  if (!isBeside || version === null || isDoubtful(holder, present))
    return past && { slot, ...past, present: now, running: null, before: named(past) };
  const before = past === undefined ? null : named(past);
  return {
    slot,
    version,
    digest,
    since,
    line: holder,
    present: now,
    running: running ?? null,
    before,
  };
};

/** Whether another version was tried over the holder, and failed: one goes back to the holder. One that led back was not. */
const hasJustFailed = ({ version, uncertain }: Holder, past: Past | undefined): boolean =>
  uncertain !== null && uncertain.version !== version && uncertain.version !== past?.version;

const named = ({ version, digest }: Named): Named => ({ version, digest });

/**
 * The newest of the versions that held the slot before the present one. Left out too are the present version itself,
 * one that a rollback led away from, and one of which the read models know no more than its name.
 */
const pastGood = (
  state: SlotState,
  holder: Holder,
  lineAt: (position: Position) => AttemptLine | undefined,
  present: Present,
): Past | undefined => {
  const turnedFrom = new Set<string>();
  let successor: AttemptLine | undefined = holder;
  for (const past of state.past.toReversed()) {
    const name = nameOf(past);
    if (successor?.rollback === true) turnedFrom.add(name);
    const line = lineAt(past.position);
    successor = line;
    const isPresent = name === nameOf(holder);
    if (line === undefined || isPresent || turnedFrom.has(name)) continue;
    if (isDoubtful(line, present)) continue;
    const { version, digest, since } = past;
    return { version, digest, since, line };
  }
  return undefined;
};

/**
 * What began there after the holder had come, brings another version, and does not itself lead back. Who plans with a
 * stolen key turns no roll-back to the version that holds the slot; what conflicts runs all the same.
 */
const runningSince = (
  { beside }: SlotState,
  holder: Holder,
  present: Present,
): AttemptLine | undefined =>
  beside.findLast(
    (line) =>
      line.status === 'running' &&
      !isExpired(line, present) &&
      !isSuspect(line, present) &&
      line.statusPosition > holder.statusPosition &&
      !line.rollback &&
      nameOf(line) !== nameOf(holder),
  );

const nameOf = ({ version, digest }: Named): string => JSON.stringify([version, digest]);

const isDoubtful = (line: AttemptLine, present: Present): boolean =>
  line.conflict || isSuspect(line, present);

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
  /** Whether the policy takes the word of tokens there. */
  takesTokens: boolean,
): Promise<Result<LastGood | undefined, Problem>> => {
  const key = slotKey(slot);
  const first = await read([{ model: 'slot', key }]);
  if (!first.ok) return first;
  const text = first.value.get(address('slot', key));
  const state =
    text === undefined ? undefined : slotAsSeen(readRow<SlotState>('slot', text), takesTokens);
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
export const lastGoodLine = (found: LastGood): Line => {
  const { slot, version, digest, since, line, present, running, before } = found;
  return {
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
    running:
      running === null
        ? null
        : { ...named(running), deployment: running.deployment, attempt: running.attempt },
    before: before === null ? null : { ...before },
  };
};
