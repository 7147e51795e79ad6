import type { Json } from '../canonical.ts';
import type {
  Attempt,
  Conflict,
  DecisionSummary,
  Deployment,
  Entry,
  KnownDetails,
  Plan,
  Status,
} from '../deployment.ts';
import { isClockSkewed } from '../deployment.ts';
import type { Position } from '../log/record.ts';
import { slotKey } from '../markers/slot.ts';
import type { Absent, Words } from './words.ts';
import { inOrder, openWords, orAbsent, orNull, slotOfKey, wordAt } from './words.ts';

/** A `Deployment` as a list. Numbers named after a word are its place in `words`. */
export type PackedDeployment = readonly [
  id: string,
  words: readonly string[],
  attempts: readonly PackedAttempt[],
  conflicts: readonly Conflict[],
];

type PackedAttempt = readonly [
  number: number,
  openedAt: Position,
  openedAtMs: number,
  /** 0 for none. */
  rerunOf: number,
  status: Status,
  statusReported: string | Absent,
  reason: string | Absent,
  rollback: 0 | 1,
  share: number | null,
  colour: string | Absent,
  phase: string | Absent,
  startedAt: number | null,
  endedAt: number | null,
  statusPosition: Position,
  principal: number,
  key: number,
  tokens: readonly number[],
  plan: PackedPlan | Absent,
  entries: readonly PackedEntry[],
  decisions: readonly DecisionSummary[],
  /** The token, where there is one. */
  ...onBehalf: number[],
];

type PackedPlan = readonly [
  position: Position,
  slot: string,
  name: string,
  version: string,
  digest: string | Absent,
  rollback: 0 | 1,
  strategy: string | Absent,
  canaryShare: number | null,
  principal: number,
  key: number,
  details: KnownDetails,
];

type PackedEntry = readonly [
  position: Position,
  marker: string,
  kind: Entry['kind'],
  at: number,
  /** How long before `at` it occurred, by its producer's clock. */
  occurredBeforeMs: number,
  valueBytes: number,
  principal: number,
  key: number,
  source: number,
  /** -1 for none. */
  token: number,
  statusReported: string | Absent,
  /** What differs from the usual; nothing where nothing does. */
  ...unusual: (Unusual | Json)[],
];

/** Fields that most entries have in their usual state. */
type Unusual = {
  readonly appendedAt?: number;
  readonly waitedMs?: number;
  readonly note?: Entry['note'];
  readonly says?: string;
  readonly slot?: string;
  readonly reason?: string;
  readonly canaryShare?: number;
  readonly colour?: string;
  readonly phase?: string;
  readonly details?: KnownDetails;
};

export const packDeployment = ({ id, attempts, conflicts }: Deployment): PackedDeployment => {
  const words = openWords();
  const packed = attempts.map((attempt) => packAttempt(words, attempt));
  return [id, words.list, packed, inOrder(conflicts) as unknown as Conflict[]];
};

export const unpackDeployment = (packed: PackedDeployment): Deployment => {
  const [id, words, attempts, conflicts] = packed;
  return { id, attempts: attempts.map((attempt) => unpackAttempt(words, attempt)), conflicts };
};

const packAttempt = (words: Words, attempt: Attempt): PackedAttempt => [
  attempt.number,
  attempt.openedAt,
  attempt.openedAtMs,
  attempt.rerunOf ?? 0,
  attempt.status,
  orAbsent(attempt.statusReported),
  orAbsent(attempt.reason),
  attempt.rollback ? 1 : 0,
  attempt.share,
  orAbsent(attempt.colour),
  orAbsent(attempt.phase),
  attempt.startedAt,
  attempt.endedAt,
  attempt.statusPosition,
  words.numberOf(attempt.principal),
  words.numberOf(attempt.key),
  attempt.tokens.map(words.numberOf),
  attempt.plan === null ? 0 : packPlan(words, attempt.plan),
  attempt.entries.map((entry) => packEntry(words, entry, attempt.plan)),
  attempt.decisions.length === 0
    ? []
    : (inOrder(attempt.decisions) as unknown as DecisionSummary[]),
  ...(attempt.onBehalf === null ? [] : [words.numberOf(attempt.onBehalf)]),
];

const unpackAttempt = (words: readonly string[], packed: PackedAttempt): Attempt => {
  const [number, openedAt, openedAtMs, rerunOf, status, statusReported, reason, ...more] = packed;
  const [rollback, share, colour, phase, startedAt, endedAt, statusPosition, ...last] = more;
  const [principal, key, tokens, packedPlan, entries, decisions, onBehalf] = last;
  const plan = packedPlan === 0 ? null : unpackPlan(words, packedPlan);
  return {
    number,
    tokens: tokens.map((token) => wordAt(words, token)),
    openedAt,
    openedAtMs,
    rerunOf: rerunOf === 0 ? null : rerunOf,
    plan,
    status,
    statusReported: orNull(statusReported),
    reason: orNull(reason),
    rollback: rollback === 1,
    share,
    colour: orNull(colour),
    phase: orNull(phase),
    startedAt,
    endedAt,
    statusPosition,
    principal: wordAt(words, principal),
    key: wordAt(words, key),
    onBehalf: onBehalf === undefined ? null : wordAt(words, onBehalf),
    entries: entries.map((entry) => unpackEntry(words, entry, plan)),
    decisions,
  };
};

const packPlan = (words: Words, plan: Plan): PackedPlan => [
  plan.position,
  slotKey(plan.slot),
  plan.name,
  plan.version,
  orAbsent(plan.digest),
  plan.rollback ? 1 : 0,
  orAbsent(plan.strategy),
  plan.canaryShare,
  words.numberOf(plan.principal),
  words.numberOf(plan.key),
  plan.details,
];

const unpackPlan = (words: readonly string[], packed: PackedPlan): Plan => {
  const [position, slot, name, version, digest, rollback, strategy, canaryShare, ...last] = packed;
  const [principal, key, details] = last;
  return {
    position,
    slot: slotOfKey(slot),
    name,
    version,
    digest: orNull(digest),
    rollback: rollback === 1,
    strategy: orNull(strategy),
    canaryShare,
    details,
    principal: wordAt(words, principal),
    key: wordAt(words, key),
  };
};

const packEntry = (words: Words, entry: Entry, plan: Plan | null): PackedEntry => {
  const unusual = unusualOf(entry, plan);
  const packed: PackedEntry = [
    entry.position,
    entry.marker,
    entry.kind,
    entry.at,
    entry.at - entry.occurredAt,
    entry.valueBytes,
    words.numberOf(entry.principal),
    words.numberOf(entry.key),
    words.numberOf(entry.source),
    entry.token === null ? -1 : words.numberOf(entry.token),
    orAbsent(entry.statusReported),
  ];
  return unusual === undefined ? packed : [...packed, unusual];
};

type Writable<Of> = { -readonly [Name in keyof Of]: Of[Name] };

/** Its names in order. */
const unusualOf = (entry: Entry, plan: Plan | null): Unusual | undefined => {
  const { appendedAt, at, waitedMs, note, says, slot, reason, canaryShare, colour, phase } = entry;
  const details = isPlansOwn(entry, plan) ? noDetails : entry.details;
  const unusual: Writable<Unusual> = {};
  if (appendedAt !== at + waitedMs) unusual.appendedAt = appendedAt;
  if (canaryShare !== null) unusual.canaryShare = canaryShare;
  if (colour !== null) unusual.colour = colour;
  if (!isEmpty(details)) unusual.details = details;
  if (note !== 'applied') unusual.note = note;
  if (phase !== null) unusual.phase = phase;
  if (reason !== null) unusual.reason = reason;
  if (says !== null) unusual.says = says;
  if (slot !== null) unusual.slot = slotKey(slot);
  if (waitedMs !== 0) unusual.waitedMs = waitedMs;
  return isEmpty(unusual) ? undefined : unusual;
};

const unpackEntry = (words: readonly string[], packed: PackedEntry, plan: Plan | null): Entry => {
  const [position, marker, kind, at, occurredBeforeMs, valueBytes, principal, ...more] = packed;
  const [key, source, token, statusReported, last] = more;
  const unusual: Unusual = (last as Unusual | undefined) ?? {};
  const waitedMs = unusual.waitedMs ?? 0;
  const occurredAt = at - occurredBeforeMs;
  const isOwn = plan !== null && plan.position === position;
  return {
    position,
    marker,
    kind,
    at,
    appendedAt: unusual.appendedAt ?? at + waitedMs,
    waitedMs,
    occurredAt,
    clockSkewed: isClockSkewed(occurredAt, at),
    principal: wordAt(words, principal),
    key: wordAt(words, key),
    source: wordAt(words, source),
    token: token === -1 ? null : wordAt(words, token),
    valueBytes,
    note: unusual.note ?? 'applied',
    says: unusual.says ?? null,
    slot: unusual.slot === undefined ? null : slotOfKey(unusual.slot),
    statusReported: orNull(statusReported),
    reason: unusual.reason ?? null,
    canaryShare: unusual.canaryShare ?? null,
    colour: unusual.colour ?? null,
    phase: unusual.phase ?? null,
    details: isOwn ? plan.details : (unusual.details ?? {}),
  };
};

const noDetails: KnownDetails = {};

/** The entry of the very record that the plan is of has the plan's details. */
const isPlansOwn = ({ position }: Entry, plan: Plan | null): boolean =>
  plan !== null && plan.position === position;

const isEmpty = (value: object): boolean => {
  for (const _name in value) return false;
  return true;
};
