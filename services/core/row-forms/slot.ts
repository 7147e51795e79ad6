import type { Status } from '../deployment.ts';
import type { Position } from '../log/record.ts';
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
  /** Version, digest, position, since; and so on for each. */
  past: readonly (string | number)[],
];

/** 1: what is uncertain of it is what the slot's doubt says. */
type PackedHolder = readonly [
  line: PackedLine,
  since: number,
  uncertain: PackedUncertain | Absent | typeof asDoubt,
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

export const packSlotState = (state: SlotState): PackedSlotState => [
  slotKey(state.slot),
  state.holders.map((holder) => [
    packLine(holder),
    holder.since,
    holder.uncertain === null
      ? 0
      : isSame(holder.uncertain, state.doubt)
        ? asDoubt
        : packUncertain(holder.uncertain),
  ]),
  state.doubt === null ? 0 : packUncertain(state.doubt),
  state.beside.map(packLine),
  packPast(state.past),
];

export const unpackSlotState = (packed: PackedSlotState): SlotState => {
  const [slot, holders, packedDoubt, beside, past] = packed;
  const doubt = packedDoubt === 0 ? null : unpackUncertain(packedDoubt);
  return {
    slot: slotOfKey(slot),
    holders: holders.map(([line, since, uncertain]): Holder => ({
      ...unpackLine(line),
      since,
      uncertain:
        uncertain === 0 ? null : uncertain === asDoubt ? doubt : unpackUncertain(uncertain),
    })),
    doubt,
    beside: beside.map((line): AttemptLine => unpackLine(line)),
    past: unpackPast(past),
  };
};

const packPast = (past: SlotState['past']): readonly (string | number)[] => {
  const flat: (string | number)[] = [];
  for (const { version, digest, position, since } of past)
    flat.push(version, orAbsent(digest), position, since);
  return flat;
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
