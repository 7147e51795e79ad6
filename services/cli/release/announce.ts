import type { Slot } from '../../core/markers/marker.ts';
import { namedModels, nearestText, newName } from '../../core/new-names.ts';
import type { NewName } from '../../core/new-names.ts';
import type { NameRow } from '../../core/read-models.ts';
import type { Note } from '../terminal/note.ts';
import type { AtHand } from '../ports.ts';
import { readRows, scanRows } from '../reading/reading.ts';

/** Says which names this marker is the first to use, with the nearest name that was there before it. */
export const announceNames = async (
  atHand: AtHand,
  slot: Slot | null,
  note: (note: Note) => void,
): Promise<void> => {
  if (slot === null) return;
  for (const what of namedModels) await announceName(atHand, what, slot[what], note);
};

/** Says it of one name. */
export const announceName = async (
  atHand: AtHand,
  what: NewName['what'],
  name: string,
  note: (note: Note) => void,
): Promise<void> => {
  const told = await announced(atHand, what, name);
  if (told !== undefined)
    note({ code: `new-${what}`, message: told.message, hint: nearestText(told) });
};

const announced = async (
  atHand: AtHand,
  what: NewName['what'],
  name: string,
): Promise<NewName | undefined> => {
  const row = await readRows(atHand, [{ model: what, key: name }]);
  if (!row.ok || row.value.get(what, name) !== undefined) return undefined;
  const known = await scanRows<NameRow>(atHand, what);
  // A projector may have folded it since: then it is among them.
  return known.ok
    ? newName(
        what,
        name,
        known.value.map((other) => other.name),
      )
    : undefined;
};
