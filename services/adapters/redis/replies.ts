import { fail, ok } from '../../core/result.ts';
import { noRowsDigest } from '../../core/rows-digest.ts';
import type { Result } from '../../core/result.ts';
import type { Checkpoint, StoreProblem } from '../../ports/read-model-store.ts';
import type { CheckpointFields, Damage } from './scripts.ts';

export function toCheckpoint(
  fields: CheckpointFields,
): Result<Checkpoint | undefined, StoreProblem> {
  const [logId, next, lastDigest, foldVersion, rowsDigest] = fields.map(
    (field) => field ?? undefined,
  );
  if (fields.every((field) => field === null)) return ok(undefined);
  const checkpoint = {
    logId: logId ?? '',
    next: Number(next),
    lastDigest: lastDigest ?? '',
    foldVersion: Number(foldVersion),
    // An older release kept none. It wrote older rows, too, which are folded anew.
    rowsDigest: rowsDigest ?? noRowsDigest,
  };
  const isWhole =
    logId !== undefined &&
    lastDigest !== undefined &&
    Number.isSafeInteger(checkpoint.next) &&
    Number.isSafeInteger(checkpoint.foldVersion);
  return isWhole
    ? ok(checkpoint)
    : fail({ code: 'corrupt', message: 'the stored checkpoint is damaged' });
}

const foldAgain = 'plimsoll rebuild --reason=TEXT folds the log again, beside it';

/** What to say of keys that this adapter did not write, or not so. */
export function damaged(damage: Damage): StoreProblem {
  const message = (): string => {
    switch (damage[0]) {
      case 'wrong-type':
        return `the key ${damage[1]} holds a ${damage[2]} where Plimsoll keeps a ${damage[3]}: something else writes here`;
      case 'half-checkpoint':
        return `the checkpoint ${damage[1]} is damaged: ${foldAgain}`;
      case 'no-checkpoint':
        return `the key ${damage[1]} has data, but the generation has no checkpoint: ${foldAgain}`;
      case 'disorder':
        return `${damage[1]} orders ${damage[3]} keys of ${damage[2]} rows: ${foldAgain}`;
    }
  };
  return { code: 'corrupt', message: message() };
}
