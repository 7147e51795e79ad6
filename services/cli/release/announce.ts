import type { Emittable } from '../../core/markers/marker.ts';
import type { NewName } from '../../core/new-names.ts';
import { namesIn, namesOf, nearestText, newName } from '../../core/new-names.ts';
import type { NameRow } from '../../core/read-models.ts';
import type { Note } from '../terminal/note.ts';
import type { AtHand } from '../ports.ts';
import { readRows, scanRows } from '../reading/reading.ts';

/**
 * What to say of names that this marker is the first to use, with the nearest name that was there before it. To be asked
 * before it is appended: a projector may fold it at once, and then its own rows are there.
 */
export const namesUsedFirst = (atHand: AtHand, marker: Emittable): Promise<readonly Note[]> =>
  notesOf(atHand, namesIn(marker));

/** The same of an environment. */
export const environmentUsedFirst = (
  atHand: AtHand,
  environment: string,
): Promise<readonly Note[]> => notesOf(atHand, namesOf({ environment }));

const notesOf = async (
  atHand: AtHand,
  names: ReturnType<typeof namesOf>,
): Promise<readonly Note[]> => {
  const notes: Note[] = [];
  for (const { model, key } of names) {
    const told = await announced(atHand, model, key);
    if (told !== undefined)
      notes.push({ code: `new-${model}`, message: told.message, hint: nearestText(told) });
  }
  return notes;
};

const announced = async (
  atHand: AtHand,
  what: NewName['what'],
  name: string,
): Promise<NewName | undefined> => {
  const row = await readRows(atHand, [{ model: what, key: name }]);
  if (!row.ok || row.value.get(what, name) !== undefined) return undefined;
  const known = await scanRows<NameRow>(atHand, what);
  // Another marker may have used it since: then it is among them.
  return known.ok
    ? newName(
        what,
        name,
        known.value.map((other) => other.name),
      )
    : undefined;
};
