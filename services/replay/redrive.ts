import { provenWaitMs } from '../core/check/check-record.ts';
import type { DeadLetter } from '../core/dead-letters.ts';
import { redriveRefusal } from '../core/dead-letters.ts';
import { appendBytes, appendBytesMax } from '../core/log/append-size.ts';
import type { LogRecord, NewRecord, Position } from '../core/log/record.ts';
import { redrivenMax, valueBytesMax, waitedMsMax } from '../core/markers/limits.ts';
import { waitedHeader, waitedMessage, withWaited } from '../core/markers/wire.ts';
import type { FoldState, Outcome } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  LetterChoice,
  LetterChunk,
  LettersProblem,
  PlanRedrive,
  PlannedLetter,
} from '../ports/dead-letters.ts';
import type { FoldToEnd, ProjectionPorts } from '../ports/projecting.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { Signer } from '../ports/signer.ts';
import { readCode } from './generations.ts';
import { chosenLetters } from './letters.ts';
import { rehearse } from './rehearse.ts';

export type RedrivePorts = ProjectionPorts & {
  readonly clock: Clock;
  readonly foldToEnd: FoldToEnd;
  /** Bytes of records that one plan holds; for tests. */
  readonly heldBytesMax?: number;
};

/** Room for the operation that stands before the records of an append. */
const operationBytesMax = 16 * 1024;
const chunkBytesMax = appendBytesMax - operationBytesMax;
/** Whoever floods a log with letters shall not fill the memory of whoever redrives them. */
const heldBytesMax = 64 * 1024 * 1024;
/** How far the clocks of the log and of this machine may be apart. */
const clocksApartMs = 60_000;

/** Answers for one state of the read models: those of `generation`, folded up to the end just now. */
export const openPlanRedrive =
  (ports: RedrivePorts, { generation, state }: At): PlanRedrive =>
  async (choice, { signer, isForced, onProgress }) => {
    const now = timeOf(ports, state);
    if (!now.ok) return now;
    const nowMs = now.value;
    const chosen = await chosenLetters(ports, generation, choice);
    if (!chosen.ok) return chosen;
    const { letters } = chosen.value;
    if (letters.length === 0) return fail(nothingChosen(choice));
    let { isCut } = chosen.value;
    let bytes = 0;
    const prepared: Prepared[] = [];
    for (const letter of letters) {
      onProgress({ next: prepared.length, end: letters.length });
      const one = await prepare(ports, state.trust, letter, signer, nowMs);
      if (!one.ok) return one;
      if (!isTried(one.value, isForced)) {
        prepared.push({ ...one.value, record: nothing });
        continue;
      }
      const more = appendBytes([one.value.record]);
      if (bytes > 0 && bytes + more > (ports.heldBytesMax ?? heldBytesMax)) {
        isCut = true;
        break;
      }
      bytes += more;
      prepared.push(one.value);
    }
    const judged = await judge(ports, generation, prepared, nowMs, isForced);
    if (!judged.ok) return judged;
    const planned = judged.value;
    const sent = prepared.flatMap(({ letter, record }, index) =>
      planned[index]?.isSent === true ? [{ position: letter.position, record }] : [],
    );
    return ok({ letters: planned, chunks: chunksOf(sent), isCut });
  };

type At = {
  readonly generation: Generation;
  readonly state: Pick<FoldState, 'trust' | 'logTimeMs'>;
};

/**
 * Now, as the log will have it. By a clock that is behind letters would not have waited long enough, and a late success
 * could pass for what runs now.
 */
const timeOf = (
  { clock }: RedrivePorts,
  { logTimeMs }: At['state'],
): Result<number, LettersProblem> => {
  const behindMs = logTimeMs - clock.nowMs();
  return behindMs <= clocksApartMs
    ? ok(Math.max(clock.nowMs(), logTimeMs))
    : fail({
        code: 'clock-behind',
        message: `the clock of this machine is ${Math.round(behindMs / 1000)} s behind the log's, and how long letters waited is counted by it`,
      });
};

type Sendable = { readonly position: Position; readonly record: NewRecord };

const nothingChosen = (choice: LetterChoice): LettersProblem => {
  const what = {
    positions: 'at these positions',
    code: `with the code ${choice.by === 'code' ? choice.code : ''}`,
    deployment: `about the deployment ${choice.by === 'deployment' ? choice.deployment : ''}`,
  }[choice.by];
  return { code: 'not-found', message: `no open dead letter ${what} is known` };
};

/** A letter with the record that would be appended for it, or why there is none. */
type Prepared = {
  readonly letter: DeadLetter;
  readonly waitedMs: number;
  readonly record: NewRecord;
  /** Held back without force. */
  readonly guard: { readonly code: string; readonly message: string } | undefined;
  /** No force helps. */
  readonly isImpossible: boolean;
};

const isTried = ({ guard, isImpossible }: Prepared, isForced: boolean): boolean =>
  !isImpossible && (isForced || guard === undefined);

/** In the place of a record that is not sent. */
const nothing: NewRecord = { key: new Uint8Array(), headers: [], value: new Uint8Array() };

/** Together and in their order: an update needs its plan. What would be refused changes nothing for the others. */
const judge = async (
  ports: RedrivePorts,
  generation: Generation,
  prepared: readonly Prepared[],
  nowMs: number,
  isForced: boolean,
): Promise<Result<readonly PlannedLetter[], LettersProblem>> => {
  const tried = prepared.filter((one) => isTried(one, isForced));
  const records = tried.map(({ record }) => record);
  const outcomes = await rehearse(ports, ports.foldToEnd, generation, records, nowMs);
  if (!outcomes.ok) return outcomes;
  const becomes = new Map(tried.map((one, index) => [one, outcomes.value[index]] as const));
  return ok(prepared.map((one) => plannedLetter(one, becomes.get(one), isForced)));
};

const plannedLetter = (
  { letter, waitedMs, guard }: Prepared,
  outcome: Outcome | undefined,
  isForced: boolean,
): PlannedLetter => {
  const { position, code } = letter;
  const known = { position, code, waitedMs };
  if (outcome === undefined)
    return {
      ...known,
      outlook: 'held-back',
      becomes: guard?.code ?? 'held-back',
      message: guard?.message ?? null,
      isSent: false,
    };
  switch (outcome.outcome) {
    case 'applied':
      return { ...known, outlook: 'accepted', becomes: outcome.note, message: null, isSent: true };
    case 'trust':
    case 'operation':
    case 'circumstance':
    case 'left-out':
      return {
        ...known,
        outlook: 'accepted',
        becomes: outcome.outcome,
        message: null,
        isSent: true,
      };
    case 'duplicate':
      return { ...known, outlook: 'known', becomes: 'duplicate', message: null, isSent: true };
    case 'dead-letter':
      return {
        ...known,
        outlook: 'refused-again',
        becomes: outcome.code,
        message: null,
        isSent: isForced,
      };
  }
};

const prepare = async (
  ports: RedrivePorts,
  trust: Trust,
  letter: DeadLetter,
  signer: Signer,
  nowMs: number,
): Promise<Result<Prepared, LettersProblem>> => {
  const read = await ports.log.read(0, letter.position, 1);
  if (!read.ok)
    return fail({
      code: readCode(read.problem),
      message: read.problem.message,
    });
  const [first] = read.value;
  if (first === undefined)
    return fail({
      code: 'log-shortened',
      message: `the log has no record at position ${letter.position}`,
    });
  const before = provenWaitMs(ports.tools, ports.audience, trust, first);
  const waitedMs = Math.max(0, nowMs - first.appendedAtMs) + (before ?? 0);
  const impossible = impossibility(first, waitedMs);
  if (impossible !== undefined)
    return ok({ letter, waitedMs, record: first, guard: impossible, isImpossible: true });
  const record = await waited(ports, first, waitedMs, signer);
  const guard = redriveRefusal(letter) ?? (before === undefined ? notProven(letter) : undefined);
  return ok({ letter, waitedMs, record, guard, isImpossible: false });
};

const impossibility = (
  record: LogRecord,
  waitedMs: number,
): { readonly code: string; readonly message: string } | undefined => {
  if (appendBytes([record]) > chunkBytesMax)
    return {
      code: 'value-too-large',
      message: `${record.position} has more bytes than one append takes (values have at most ${valueBytesMax})`,
    };
  return waitedMs > waitedMsMax
    ? {
        code: 'waited-too-long',
        message: `${record.position} is older than ${waitedMsMax / 86_400_000} days, and such a marker is not taken`,
      }
    : undefined;
};

/** Without a proven waiting time a late success could pass for what runs now. */
const notProven = ({
  position,
}: DeadLetter): { readonly code: string; readonly message: string } => ({
  code: 'waited-not-proven',
  message: `${position} says that it waited before it was appended, and nobody who may has signed that; with force it counts from its append`,
});

/** The same key, headers and value; and how long it waited, signed by the operator. */
const waited = async (
  { tools, audience }: RedrivePorts,
  record: LogRecord,
  waitedMs: number,
  signer: Signer,
): Promise<NewRecord> => {
  const { crypto, text } = tools;
  const message = waitedMessage(text, audience, waitedMs, crypto.sha256Hex(record.value));
  const signature = await signer.sign(message);
  return withWaited(record, waitedHeader(text, waitedMs, signer.keyId, signature));
};

/** As many letters to an operation as it names and one append carries, in their order. */
const chunksOf = (sent: readonly Sendable[]): readonly LetterChunk[] => {
  const chunks: { positions: Position[]; records: NewRecord[]; bytes: number }[] = [];
  for (const { position, record } of sent) {
    const bytes = appendBytes([record]);
    const last = chunks.at(-1);
    if (
      last === undefined ||
      last.positions.length >= redrivenMax ||
      last.bytes + bytes > chunkBytesMax
    ) {
      chunks.push({ positions: [position], records: [record], bytes });
      continue;
    }
    last.positions.push(position);
    last.records.push(record);
    last.bytes += bytes;
  }
  return chunks.map(({ positions, records }) => ({ positions, records }));
};
