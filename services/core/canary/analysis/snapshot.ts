import type { Position } from '../../log/record.ts';
import type { Signers } from '../../samples/signers.ts';
import type { AnalysisState } from './analysis-state.ts';
import type { PartitionState } from './fold-samples.ts';
import { refusalOf } from '../attempts/frozen.ts';
import { judgeVersion } from '../judge/judge.ts';

// What the fold of a partition of samples had come to at a position, as text: a shortcut for whoever takes the
// partition over. It adds nothing to what the samples say, and whoever has none reads them from the lowest opening.

/** Raised with every change of what a `PartitionState` holds; a snapshot of another form is no use. */
export const stateForm = 55;

/** Which partition of which log. */
export type SnapshotPlace = {
  readonly audience: string;
  /** Name of the log. */
  readonly samples: string;
  readonly partition: number;
};

export type Snapshot = {
  /** The next sample to be folded. */
  readonly position: Position;
  /** SHA-256 (hex) of the value of the record before it: another log has another one there. */
  readonly lastDigest: string;
  readonly signers: Signers;
  readonly state: PartitionState;
};

type Written = SnapshotPlace & Snapshot & { readonly form: number; readonly judge: number };

/**
 * One line of ASCII, in pieces: an analysis each, so that nobody need wait for all of them. Fields keep their order,
 * because the fold goes through them in that order. A piece is undefined where the state holds a number that JSON has
 * not.
 */
export function* snapshotPieces(
  place: SnapshotPlace,
  { state, ...rest }: Snapshot,
): Generator<string | undefined, void> {
  const { analyses, ...beside } = state;
  const written: Omit<Written, 'state'> = {
    form: stateForm,
    judge: judgeVersion,
    ...place,
    ...rest,
  };
  yield textOf({ ...written, state: { ...beside, analyses: {} } })?.slice(0, -closing.length);
  let between = '';
  for (const [id, analysis] of Object.entries(analyses)) {
    const text = textOf(analysis);
    yield text === undefined ? undefined : `${between}${textOf(id) ?? ''}:${text}`;
    between = ',';
  }
  yield closing;
}

/** What ends a text: of the analyses, the state and all. */
const closing = '}}}';

const textOf = (written: unknown): string | undefined => {
  let isExact = true;
  const text = JSON.stringify(written, (_name, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) isExact = false;
    return value;
  });
  return isExact ? text.replace(/[^ -~]/g, escaped) : undefined;
};

/** Undefined: it is of another partition, another log, or another release's. */
export const readSnapshot = (place: SnapshotPlace, text: string): Snapshot | undefined => {
  // Only what an analyser signed comes here: its form says what is in it.
  const written = JSON.parse(text) as Written;
  const isOurs =
    written.form === stateForm &&
    written.judge === judgeVersion &&
    written.audience === place.audience &&
    written.samples === place.samples &&
    written.partition === place.partition;
  if (!isOurs) return undefined;
  const { position, lastDigest, signers, state } = written;
  // Whoever cannot read one of the openings any more begins there, and ends it as what it is.
  if (Object.values(state.analyses).some(isUnreadable)) return undefined;
  return { position, lastDigest, signers, state };
};

const isUnreadable = ({ ended, opening }: AnalysisState): boolean =>
  ended === null && refusalOf(() => opening.policyDigest, opening) !== undefined;

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
