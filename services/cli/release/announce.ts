import type { Slot } from '../../core/markers/marker.ts';
import type { NameRow } from '../../core/read-models.ts';
import { nearest } from '../../core/nearest.ts';
import type { Note } from '../terminal/note.ts';
import type { AtHand } from '../ports.ts';
import { readRows, scanRows } from '../reading/reading.ts';

/**
 * Says which names this marker is the first to use, with the nearest name that was there before it: a slip of the
 * pen opens a new environment as easily as a plan does.
 */
export const announceNames = async (
  atHand: AtHand,
  slot: Slot | null,
  note: (note: Note) => void,
): Promise<void> => {
  if (slot === null) return;
  await announce(atHand, 'environment', slot.environment, note);
  await announce(atHand, 'component', slot.component, note);
};

const announce = async (
  atHand: AtHand,
  what: 'environment' | 'component',
  name: string,
  note: (note: Note) => void,
): Promise<void> => {
  const row = await readRows(atHand, [{ model: what, key: name }]);
  if (!row.ok || row.value.get(what, name) !== undefined) return;
  const known = await scanRows<NameRow>(atHand, what);
  // On a log without any name every name is new, and nobody has to be told.
  if (!known.ok || known.value.length === 0) return;
  // A projector may have folded it since.
  if (known.value.some((other) => other.name === name)) return;
  const near = nearest(
    name,
    known.value.map((other) => other.name),
  );
  note({
    code: `new-${what}`,
    message: `${what} ${JSON.stringify(name)} is used for the first time`,
    hint:
      near === undefined
        ? `plimsoll ${what}s lists them`
        : `the nearest known name is ${JSON.stringify(near)}`,
  });
};
