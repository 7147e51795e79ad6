import type { Attempt, Deployment, Note, Status } from './deployment.ts';
import type { SlotHistory } from './lifecycle.ts';
import { conflictsOf, hasEnded } from './lifecycle.ts';
import type { Position } from './log/record.ts';
import type { NameValue, Slot } from './markers/marker.ts';

// What is in a slot. It changes when an attempt succeeds and when somebody says what came there or went, and on nothing
// else.

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
  /** When it was last said to be there: what waited from before that does not take its place. */
  readonly saidAt: number;
  readonly uncertain: Uncertain | null;
};

export type SlotState = {
  readonly slot: Slot;
  /** All versions that are there: releases that are still supported, oldest first, then what was deployed last. */
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
  /** What somebody said to be gone, newest last: a success from before that, heard of later, is history. */
  readonly removed: readonly {
    /** Of a release; null: what was deployed. */
    readonly version: string | null;
    readonly at: number;
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
const removedMax = 50;
export const besideMax = 50;

/** For who speaks with that token, or (null) with a key: what others have said there is no repeat of his. */
export const slotHistory = (known: SlotState | undefined, voice: string | null): SlotHistory => {
  const state = known && slotAsSeen(known, voice !== null);
  const isOwn = ({ onBehalf }: Holder): boolean => onBehalf === voice;
  const own = (state?.holders ?? []).filter(isOwn);
  // Whoever has a key may take away what a token brought, and the other way round.
  const others = [...(state?.holders ?? []), ...(known?.holders ?? [])];
  const all = [...new Set([...own, ...others])];
  return {
    held: own.filter((holder) => !isRelease(holder)).map(heldOf)[0] ?? null,
    releases: own.filter(isRelease).map(heldOf),
    there: {
      deployed: all.filter((holder) => !isRelease(holder)).map(heldOf),
      released: all.filter(isRelease).map(heldOf),
    },
    past: state?.past ?? [],
  };
};

/** Whether it was released: such versions stand beside each other until their support ends. */
const isRelease = ({ status }: Pick<AttemptLine, 'status'>): boolean => status === 'released';

const heldOf = (holder: Holder): SlotHistory['releases'][number] => ({
  deployment: holder.deployment,
  attempt: holder.attempt,
  version: holder.version ?? '',
  digest: holder.digest,
  saidAt: holder.saidAt,
  uncertain: holder.uncertain !== null,
});

/** An attempt went from `before` to `attempt`, by a record that counts at `atMs`. */
export type SlotMove = {
  readonly before: Attempt | undefined;
  readonly attempt: Attempt;
  readonly line: AttemptLine;
  readonly marker: { readonly kind: string; readonly version?: string };
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
    removed: [],
    keysAlone: null,
  };
  const { line } = move;
  if (line.onBehalf !== null) return { ...moved(known, move), keysAlone: known.keysAlone ?? known };
  if (known.keysAlone === null) return moved(known, move);
  const keysAlone = moved(known.keysAlone, move);
  return { ...(broughtBack(known, move) ?? moved(known, move)), keysAlone };
};

/** To those with keys it is a repeat; but a token has said since that something else is there, or nothing. */
const broughtBack = (
  known: SlotState,
  { line, marker: { kind }, note, atMs }: SlotMove,
): SlotState | undefined => {
  if (note !== 'repeat' || isHolder(known, line)) return undefined;
  if (kind === 'released') return release(known, line, atMs);
  return kind === 'logged' || kind === 'recorded' ? hold(known, line, atMs) : undefined;
};

/** It was said again that this is there. */
const saidAgain = (known: SlotState, { line, marker: { kind }, note, atMs }: SlotMove): SlotState =>
  note === 'repeat' && (kind === 'logged' || kind === 'recorded' || kind === 'released')
    ? {
        ...known,
        holders: known.holders.map((holder) =>
          isSameAttempt(holder, line) && holder.saidAt < atMs
            ? { ...holder, saidAt: atMs }
            : holder,
        ),
      }
    : known;

const isHolder = ({ holders }: SlotState, line: AttemptLine): boolean =>
  holders.some((holder) => isSameAttempt(holder, line));

const moved = (known: SlotState, move: SlotMove): SlotState => {
  const { before, attempt: after, line, marker } = move;
  const beside = hasEnded(after) ? without(known.beside, line) : withBeside(known.beside, line);
  // A plan that arrives after the end gives that end its slot.
  const justEnded =
    hasEnded(after) &&
    (before === undefined || before.plan === null || before.status !== after.status);
  const next: SlotState = { ...saidAgain(known, move), beside };
  if (!justEnded || after.endedAt === null) return next;
  switch (after.status) {
    case 'succeeded':
    case 'logged':
    case 'recorded':
      return hold(next, line, after.endedAt);
    case 'released':
      return release(next, line, after.endedAt);
    case 'undeployed': {
      const isAny = marker.version === '';
      return remove(
        next,
        (holder) => !isRelease(holder) && (isAny || isSameArtifact(holder, line)),
        { version: null, at: after.endedAt },
      );
    }
    case 'support-ended':
      return remove(next, (holder) => isRelease(holder) && isSameArtifact(holder, line), {
        version: line.version,
        at: after.endedAt,
      });
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
  const holder = state.holders.find((other) => !isRelease(other));
  // A success that waited on a spool until after the next one, or until it was gone, is history, not what runs.
  if ((holder !== undefined && at < holder.saidAt) || at < removedAt(state, null))
    return { ...state, past: withPast(state.past, pastOf(line, at)) };
  // A failure may have come after this success, though the log heard of it before.
  const { doubt } = state;
  return {
    ...state,
    holders: [
      ...state.holders.filter(isRelease),
      { ...line, since: at, saidAt: at, uncertain: doubt !== null && doubt.at > at ? doubt : null },
    ],
    past: holder === undefined ? state.past : withPast(state.past, pastOf(holder, holder.since)),
  };
};

/** It stands beside what is there. */
const release = (state: SlotState, line: AttemptLine, at: number): SlotState => {
  if (at < removedAt(state, line.version))
    return { ...state, past: withPast(state.past, pastOf(line, at)) };
  const released: Holder = { ...line, since: at, saidAt: at, uncertain: null };
  return {
    ...state,
    holders: [
      ...inserted(
        state.holders.filter(isRelease),
        released,
        ({ since }) => since,
        Number.POSITIVE_INFINITY,
      ),
      ...state.holders.filter((holder) => !isRelease(holder)),
    ],
  };
};

const remove = (
  state: SlotState,
  isGone: (holder: Holder) => boolean,
  removed: SlotState['removed'][number],
): SlotState => {
  // What came after it stays; and of keys alone another version may be there.
  const goes = (holder: Holder): boolean => isGone(holder) && holder.saidAt <= removed.at;
  if (!state.holders.some(goes)) return state;
  return {
    ...state,
    holders: state.holders.filter((holder) => !goes(holder)),
    past: state.holders
      .filter(goes)
      .reduce((past, holder) => withPast(past, pastOf(holder, holder.since)), state.past),
    removed: [...state.removed.filter(({ version }) => version !== removed.version), removed].slice(
      -removedMax,
    ),
  };
};

const isSameArtifact = (a: AttemptLine, b: AttemptLine): boolean =>
  a.version === b.version && a.digest === b.digest;

const removedAt = ({ removed }: SlotState, version: string | null): number =>
  removed.find((other) => other.version === version)?.at ?? Number.NEGATIVE_INFINITY;

const withDoubt = (state: SlotState, line: AttemptLine, at: number): SlotState => {
  if (state.doubt !== null && at < state.doubt.at) return state;
  const { deployment, attempt, status, version } = line;
  const doubt: Uncertain = { deployment, attempt, status, version, at };
  return {
    ...state,
    doubt,
    holders: state.holders.map((holder) =>
      at < holder.saidAt || isRelease(holder) ? holder : { ...holder, uncertain: doubt },
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
