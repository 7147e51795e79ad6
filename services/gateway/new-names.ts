import { isPlanning } from '../core/admission.ts';
import { address } from '../core/known-rows.ts';
import type { Marker } from '../core/markers/marker.ts';
import { namesIn, nearestText, newName } from '../core/new-names.ts';
import type { ReadSide } from './read-side.ts';

/** Names that are compared with a new one. */
const namesMax = 500;

/**
 * What to say of names that this marker is the first to use; null: nothing, or the read models could not be asked,
 * which keeps no marker back. To be asked before it is appended.
 */
export const namesUsedFirst = async (
  reads: Pick<ReadSide, 'rows' | 'page'>,
  marker: Marker,
): Promise<string | null> => {
  const keys = isPlanning(marker) || marker.kind === 'freeze' ? namesIn(marker) : [];
  if (keys.length === 0) return null;
  const read = await reads.rows(keys);
  if (!read.ok) return null;
  const told: string[] = [];
  for (const { model, key } of keys) {
    if (read.value.rows.get(address(model, key)) !== undefined) continue;
    const page = await reads.page(model, { rowsMax: namesMax });
    if (!page.ok) continue;
    const said = newName(
      model,
      key,
      page.value.rows.map((row) => row.key),
    );
    if (said !== undefined) told.push(`${said.message}; ${nearestText(said)}`);
  }
  return told.length === 0 ? null : told.join('; ');
};
