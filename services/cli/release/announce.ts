import type { Emittable } from '../../core/markers/marker.ts';
import type { NewName } from '../../core/new-names.ts';
import { namesIn, namesOf, nearestText, newName } from '../../core/new-names.ts';
import type { NameRow } from '../../core/read-models.ts';
import type { Note } from '../terminal/note.ts';
import type { AtHand } from '../ports.ts';
import { readRows, scanRows } from '../reading/reading.ts';

/** Says which names this marker is the first to use, with the nearest name that was there before it. */
export const announceNames = (
  atHand: AtHand,
  marker: Emittable,
  note: (note: Note) => void,
): Promise<void> => announceEach(atHand, namesIn(marker), note);

/** Says it of an environment. */
export const announceEnvironment = (
  atHand: AtHand,
  environment: string,
  note: (note: Note) => void,
): Promise<void> => announceEach(atHand, namesOf({ environment }), note);

const announceEach = async (
  atHand: AtHand,
  names: ReturnType<typeof namesOf>,
  note: (note: Note) => void,
): Promise<void> => {
  for (const { model, key } of names) {
    const told = await announced(atHand, model, key);
    if (told !== undefined)
      note({ code: `new-${model}`, message: told.message, hint: nearestText(told) });
  }
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
