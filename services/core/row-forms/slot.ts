import type { Status } from '../deployment.ts';
import type { Position } from '../log/record.ts';
import type { Slot } from '../markers/marker.ts';
import { slotKey } from '../markers/slot.ts';
import type { AttemptLine, Holder, SlotState, Uncertain } from '../slot-state.ts';
import type { PackedLine } from './line.ts';
import { packLine, unpackLine } from './line.ts';
import type { Absent } from './words.ts';
import { orAbsent, orNull, slotOfKey } from './words.ts';

/** A `SlotState` as a list. */
export type PackedSlotState = readonly [
  slot: string,
  holders: readonly PackedHolder[],
  doubt: PackedUncertain | Absent,
  beside: readonly PackedLine[],
  /** Version (0: what was deployed), time; and so on for each. */
  removed: readonly (string | number)[],
  /** Version, digest, position, since; and so on for each. */
  past: readonly (string | number)[],
  /** The same for keys alone, where that is another one. */
  ...keysAlone: PackedSlotState[],
];

/** 1: what is uncertain of it is what the slot's doubt says. */
type PackedHolder = readonly [
  line: PackedLine,
  since: number,
  uncertain: PackedUncertain | Absent | typeof asDoubt,
  /** Where that was not when it came. */
  ...saidAt: number[],
];

type PackedUncertain = readonly [
  deployment: string,
  attempt: number,
  status: Status,
  version: string | Absent,
  at: number,
];

const asDoubt = 1;
const pastFields = 4;

export const slotStateText = (state: SlotState): string =>
  `${JSON.stringify(packButPast(state)).slice(0, -1)},[${pastText(state)}]${state.keysAlone === null ? '' : `,${slotStateText(state.keysAlone)}`}]`;

const packButPast = (state: SlotState): readonly unknown[] => [
  slotKey(state.slot),
  state.holders.map((holder) => [
    packLine(holder),
    holder.since,
    holder.uncertain === null
      ? 0
      : isSame(holder.uncertain, state.doubt)
        ? asDoubt
        : packUncertain(holder.uncertain),
    ...(holder.saidAt === holder.since ? [] : [holder.saidAt]),
  ]),
  state.doubt === null ? 0 : packUncertain(state.doubt),
  state.beside.map(packLine),
  state.removed.flatMap(({ version, at }) => [orAbsent(version), at]),
];

export const unpackSlotState = (packed: PackedSlotState): SlotState => {
  const [slot, holders, packedDoubt, beside, removed, past, keysAlone] = packed;
  const doubt = packedDoubt === 0 ? null : unpackUncertain(packedDoubt);
  return {
    slot: slotOfKey(slot),
    holders: holders.map(([line, since, uncertain, saidAt]): Holder => ({
      ...unpackLine(line),
      since,
      saidAt: saidAt ?? since,
      uncertain:
        uncertain === 0 ? null : uncertain === asDoubt ? doubt : unpackUncertain(uncertain),
    })),
    doubt,
    beside: beside.map((line): AttemptLine => unpackLine(line)),
    past: unpackPast(past),
    removed: unpackRemoved(removed),
    keysAlone: keysAlone === undefined ? null : unpackSlotState(keysAlone),
  };
};

type PastText = { readonly past: SlotState['past']; readonly text: string };

/**
 * What a slot's past was last written as. Most of it is as it was when the slot changes again: a line came, and the
 * first went. Kept as long as the slot itself is.
 */
const written = new WeakMap<Slot, PastText>();

const pastText = ({ slot, past }: SlotState): string => {
  const before = written.get(slot);
  const text = (before && goneOn(before, past)) ?? textOfPast(past);
  written.set(slot, { past, text });
  return text;
};

/** The text of a past that begins somewhere in the one before, and has more at its end; undefined: it is none. */
const goneOn = ({ past: before, text }: PastText, past: SlotState['past']): string | undefined => {
  const first = past[0];
  const gone = first === undefined ? -1 : before.indexOf(first);
  if (gone === -1) return undefined;
  const kept = before.length - gone;
  if (kept > past.length) return undefined;
  for (let at = 1; at < kept; at++) if (before[gone + at] !== past[at]) return undefined;
  const still = gone === 0 ? text : text.slice(textOfPast(before.slice(0, gone)).length + 1);
  return kept === past.length ? still : `${still},${textOfPast(past.slice(kept))}`;
};

const textOfPast = (past: SlotState['past']): string => {
  const flat: (string | number)[] = [];
  for (const { version, digest, position, since } of past)
    flat.push(version, orAbsent(digest), position, since);
  return JSON.stringify(flat).slice(1, -1);
};

const unpackRemoved = (flat: readonly (string | number)[]): SlotState['removed'] => {
  const removed: SlotState['removed'][number][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    removed.push({ version: flat[at] === 0 ? null : String(flat[at]), at: Number(flat[at + 1]) });
  return removed;
};

const unpackPast = (flat: readonly (string | number)[]): SlotState['past'] => {
  const past: SlotState['past'][number][] = [];
  for (let at = 0; at + pastFields <= flat.length; at += pastFields)
    past.push({
      version: String(flat[at]),
      digest: flat[at + 1] === 0 ? null : String(flat[at + 1]),
      position: Number(flat[at + 2]) satisfies Position,
      since: Number(flat[at + 3]),
    });
  return past;
};

const packUncertain = (uncertain: Uncertain): PackedUncertain => [
  uncertain.deployment,
  uncertain.attempt,
  uncertain.status,
  orAbsent(uncertain.version),
  uncertain.at,
];

const unpackUncertain = ([
  deployment,
  attempt,
  status,
  version,
  at,
]: PackedUncertain): Uncertain => ({
  deployment,
  attempt,
  status,
  version: orNull(version),
  at,
});

const isSame = (a: Uncertain, b: Uncertain | null): boolean =>
  b !== null &&
  (a === b ||
    (a.deployment === b.deployment &&
      a.attempt === b.attempt &&
      a.status === b.status &&
      a.version === b.version &&
      a.at === b.at));
