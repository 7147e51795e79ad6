import type { Json } from './canonical.ts';
import { canonicalJson } from './canonical.ts';
import { packDeployment, unpackDeployment } from './row-forms/deployment.ts';
import { packLine, unpackLine } from './row-forms/line.ts';
import type { MarkerRow } from './row-forms/marker.ts';
import { packMarker, unpackMarker } from './row-forms/marker.ts';
import { slotStateText, unpackSlotState } from './row-forms/slot.ts';

// Rows as texts, and back. Those of which there are very many are written short; all others are plain JSON.

type Form = {
  /** Lists, numbers, texts; objects only with their names in order: what `JSON.stringify` writes in one way. */
  readonly text: (row: never) => string;
  readonly unpack: (packed: never) => unknown;
};

const packed =
  <Row>(pack: (row: Row) => Json) =>
  (row: Row): string =>
    JSON.stringify(pack(row));

const forms: { readonly [model: string]: Form } = {
  deployment: { text: packed(packDeployment), unpack: unpackDeployment },
  // Digits, which nothing of needs a quote.
  marker: { text: (row: MarkerRow) => `"${packMarker(row)}"`, unpack: unpackMarker },
  slot: { text: slotStateText, unpack: unpackSlotState },
  timeline: { text: packed(packLine), unpack: unpackLine },
};

const formOf = (model: string): Form | undefined =>
  Object.hasOwn(forms, model) ? forms[model] : undefined;

/** The row as a store keeps it: JSON. The same row is the same text. */
export const rowText = (model: string, row: unknown): string => {
  const form = formOf(model);
  return form === undefined ? canonicalJson(row as Json) : form.text(row as never);
};

/** A row from its text. Whoever asks for a model knows the type of its rows. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- says it where it is asked for
export const readRow = <Row>(model: string, text: string): Row => {
  const form = formOf(model);
  const json: unknown = JSON.parse(text);
  return (form === undefined ? json : form.unpack(json as never)) as Row;
};
