import type { Attempt, Deployment, Note, Status } from './deployment.ts';
import type { SlotHistory } from './lifecycle.ts';
import { conflictsOf, hasEnded } from './lifecycle.ts';
import type { Position } from './log/record.ts';
import type { NameValue, Slot } from './markers/marker.ts';

// What holds a slot. It changes when an attempt succeeds or is logged, and on nothing else.

/** Links that a line shows; the deployment has them all. */
export const linksMax = 20;

/** One attempt as a list shows it. Times are milliseconds since 1970. */
export type AttemptLine = {
  readonly deployment: string;
  readonly attempt: number;
  readonly namespace: string | null;
  readonly component: string | null;
  readonly environment: string | null;
  readonly target: string | null;
  readonly version: string | null;
  readonly digest: string | null;
  readonly name: string | null;
  readonly status: Status;
  readonly statusReported: string | null;
  readonly failureReason: string | null;
  readonly rollback: boolean;
  readonly unplanned: boolean;
  /** A marker of it came again with other content: its gate is held. */
  readonly conflict: boolean;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When it was last heard of. */
  readonly heardAt: number;
  /** The record that said what the status is, its principal and its key. */
  readonly statusPosition: Position;
  readonly signer: string;
  readonly key: string;
  /** The token with which it was said, where a gateway signed it for somebody else; null: by a key of its own. */
  readonly onBehalf: string | null;
  /** The record that said place and version, and its key; null without a plan. */
  readonly plan: { readonly position: Position; readonly key: string } | null;
  readonly links: readonly NameValue[];
  /** Position of the record that opened the attempt. */
  readonly position: Position;
};

export const attemptLine = (deployment: Deployment, attempt: Attempt): AttemptLine => {
  const { plan } = attempt;
  return {
    deployment: deployment.id,
    attempt: attempt.number,
    namespace: plan?.slot.namespace ?? null,
    component: plan?.slot.component ?? null,
    environment: plan?.slot.environment ?? null,
    target: plan?.slot.target ?? null,
    version: plan?.version ?? null,
    digest: plan?.digest ?? null,
    name: plan?.name ?? null,
    status: attempt.status,
    statusReported: attempt.statusReported,
    failureReason: attempt.reason,
    rollback: attempt.rollback,
    unplanned: plan === null,
    conflict: conflictsOf(deployment, attempt).length > 0,
    startedAt: attempt.startedAt,
    endedAt: attempt.endedAt,
    heardAt: heardAt(attempt),
    statusPosition: attempt.statusPosition,
    signer: attempt.principal,
    key: attempt.key,
    onBehalf: attempt.onBehalf,
    plan: plan === null ? null : { position: plan.position, key: plan.key },
    links: firstOf(plan?.details.links ?? [], linksMax),
    position: attempt.openedAt,
  };
};

const heardAt = ({ entries, decisions, openedAtMs }: Attempt): number => {
  let last = openedAtMs;
  if (decisions.length === 0) {
    for (const { at } of entries) if (at > last) last = at;
    return last;
  }
  // The analyser's own repetition is no news of a deployment that nobody else speaks of.
  const renewals = new Set<Position>();
  for (const { note, position } of decisions) if (note === 'repeat') renewals.add(position);
  for (const { position, at } of entries) if (at > last && !renewals.has(position)) last = at;
  return last;
};

const firstOf = <Item>(items: readonly Item[], countMax: number): readonly Item[] =>
  items.length <= countMax ? items : items.slice(0, countMax);

/** An attempt that failed or was canceled after the holder took the slot: what runs there is not certain. */
export type Uncertain = {
  readonly deployment: string;
  readonly attempt: number;
  readonly status: Status;
  readonly version: string | null;
  readonly at: number;
};

export type Holder = AttemptLine & {
  /** Since when it holds the slot. */
  readonly since: number;
  readonly uncertain: Uncertain | null;
};

export type SlotState = {
  readonly slot: Slot;
  /** All versions that are there. */
  readonly holders: readonly Holder[];
  /** The last attempt here that failed or was canceled, by the time that counts. */
  readonly doubt: Uncertain | null;
  /** Attempts that are planned or running here, oldest first; of those that nobody ends, the last `besideMax`. */
  readonly beside: readonly AttemptLine[];
  /** Versions that held the slot before, oldest first, capped at `pastMax`. */
  readonly past: readonly {
    readonly version: string;
    readonly digest: string | null;
    /** Of the record that opened its attempt: the key of its line in `timeline`. */
    readonly position: Position;
    readonly since: number;
  }[];
  /**
   * The same without all that was said with tokens: this is what gates, roll-backs and analyses go by where the policy
   * does not take the word of tokens. Null: the same.
   */
  readonly keysAlone: SlotState | null;
};

/** The slot as those have it who speak with keys of their own, or as everybody has it. */
export const slotAsSeen = <State extends Pick<SlotState, 'keysAlone'>>(
  state: State,
  takesTokens: boolean,
): State | SlotState => (takesTokens ? state : (state.keysAlone ?? state));

export const pastMax = 50;
export const besideMax = 50;

/** For who speaks with a token, or with a key: what the others have said there is no repeat of his. */
export const slotHistory = (known: SlotState | undefined, isWithToken: boolean): SlotHistory => {
  const state = known && slotAsSeen(known, isWithToken);
  const holder = state?.holders.at(-1);
  return {
    held:
      holder === undefined || holder.version === null || (isWithToken && holder.onBehalf === null)
        ? null
        : {
            deployment: holder.deployment,
            attempt: holder.attempt,
            version: holder.version,
            digest: holder.digest,
            uncertain: holder.uncertain !== null,
          },
    past: state?.past ?? [],
  };
};

/** An attempt went from `before` to `attempt`, by a record that counts at `atMs`. */
export type SlotMove = {
  readonly before: Attempt | undefined;
  readonly attempt: Attempt;
  readonly line: AttemptLine;
  readonly marker: { readonly kind: string };
  readonly note: Note;
  readonly atMs: number;
};

/** What that does to its slot. */
export const evolveSlot = (state: SlotState | undefined, slot: Slot, move: SlotMove): SlotState => {
  const known: SlotState = state ?? {
    slot,
    holders: [],
    doubt: null,
    beside: [],
    past: [],
    keysAlone: null,
  };
  const { line, marker, note, atMs } = move;
  if (line.onBehalf !== null) return { ...moved(known, move), keysAlone: known.keysAlone ?? known };
  if (known.keysAlone === null) return moved(known, move);
  const keysAlone = moved(known.keysAlone, move);
  // To those with keys it is a repeat; but a token has said since that something else runs there.
  const isBack = marker.kind === 'logged' && note === 'repeat' && !isHolder(known, line);
  return { ...(isBack ? hold(known, line, atMs) : moved(known, move)), keysAlone };
};

const isHolder = ({ holders }: SlotState, line: AttemptLine): boolean =>
  holders.some((holder) => isSameAttempt(holder, line));

const moved = (
  known: SlotState,
  { before, attempt: after, line }: Pick<SlotMove, 'before' | 'attempt' | 'line'>,
): SlotState => {
  const beside = hasEnded(after) ? without(known.beside, line) : withBeside(known.beside, line);
  // A plan that arrives after the end gives that end its slot.
  const justEnded =
    hasEnded(after) &&
    (before === undefined || before.plan === null || before.status !== after.status);
  const next: SlotState = { ...known, beside };
  if (!justEnded || after.endedAt === null) return next;
  switch (after.status) {
    case 'succeeded':
    case 'logged':
      return hold(next, line, after.endedAt);
    case 'failed':
    case 'canceled':
      return withDoubt(next, line, after.endedAt);
    case 'planned':
    case 'running':
      return next;
  }
};

const without = (lines: SlotState['beside'], line: AttemptLine): SlotState['beside'] =>
  lines.some((other) => isSameAttempt(other, line))
    ? lines.filter((other) => !isSameAttempt(other, line))
    : lines;

const withBeside = (lines: SlotState['beside'], line: AttemptLine): SlotState['beside'] =>
  inserted(without(lines, line), line, ({ position }) => position, besideMax);

/** The item in its place, behind those of the same rank; the last `countMax`. */
const inserted = <Item>(
  items: readonly Item[],
  item: Item,
  rankOf: (item: Item) => number,
  countMax: number,
): readonly Item[] => {
  const rank = rankOf(item);
  const at = items.findLastIndex((other) => rankOf(other) <= rank) + 1;
  const all = items.toSpliced(at, 0, item);
  return all.length > countMax ? all.slice(-countMax) : all;
};

/** The attempt's line is another one now, though it changed nothing here. */
export const withLine = (state: SlotState, line: AttemptLine): SlotState => ({
  ...state,
  holders: state.holders.map((holder) =>
    isSameAttempt(holder, line) ? { ...holder, ...line } : holder,
  ),
  beside: state.beside.map((other) => (isSameAttempt(other, line) ? line : other)),
  keysAlone: state.keysAlone === null ? null : withLine(state.keysAlone, line),
});

const hold = (state: SlotState, line: AttemptLine, at: number): SlotState => {
  const holder = state.holders.at(-1);
  // A success that waited on a spool until after the next one is history, not what runs.
  if (holder !== undefined && at < holder.since)
    return { ...state, past: withPast(state.past, pastOf(line, at)) };
  // A failure may have come after this success, though the log heard of it before.
  const { doubt } = state;
  return {
    ...state,
    holders: [{ ...line, since: at, uncertain: doubt !== null && doubt.at > at ? doubt : null }],
    past: holder === undefined ? state.past : withPast(state.past, pastOf(holder, holder.since)),
  };
};

const withDoubt = (state: SlotState, line: AttemptLine, at: number): SlotState => {
  if (state.doubt !== null && at < state.doubt.at) return state;
  const { deployment, attempt, status, version } = line;
  const doubt: Uncertain = { deployment, attempt, status, version, at };
  return {
    ...state,
    doubt,
    holders: state.holders.map((holder) =>
      at < holder.since ? holder : { ...holder, uncertain: doubt },
    ),
  };
};

const pastOf = (line: AttemptLine, since: number): SlotState['past'][number] => ({
  version: line.version ?? '',
  digest: line.digest,
  position: line.position,
  since,
});

const withPast = (past: SlotState['past'], entry: SlotState['past'][number]): SlotState['past'] =>
  inserted(past, entry, ({ since }) => since, pastMax);

const isSameAttempt = (a: AttemptLine, b: AttemptLine): boolean =>
  a.deployment === b.deployment && a.attempt === b.attempt;
