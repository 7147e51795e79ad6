import type { Draw } from './draw.ts';
import { drawFrom } from './draw.ts';
import { linesAs, ordinaryBodies, ordinaryLines } from './ordinary-lines.ts';
import { ordinaryLinesLater } from './ordinary-lines-later.ts';
import type { OrdinaryKinds } from './ordinary-names.ts';
import { ordinaryNames } from './ordinary-names.ts';
import { pemCases } from './pem-kinds.ts';
import { passwordsInContext } from './passwords-in-context.ts';
import { linesOfThirdDraw, ordinaryLinesOfThirdDraw, tokenLinesOfThirdDraw } from './third-draw.ts';
import { toldByContext } from './told-by-context.ts';
import { tokenContexts } from './token-contexts.ts';
import { tokensOfForges } from './tokens-of-forges.ts';
import { tokensOfServices } from './tokens-of-services.ts';

/**
 * A corpus written from the makers' documentation by somebody who had read neither the scanner's rules nor the tests of
 * their author, and committed before it was measured. Each draw has other seeds and other lines around the secrets; the third was written when the rules were
 * mended by the first two.
 */
export type HeldOutDraw = 'first' | 'second' | 'third';

export interface HeldOutSecret {
  readonly kind: string;
  readonly text: string;
  /** What must not be left of `text` once it is redacted. */
  readonly secret: string;
}

export interface HeldOutOrdinary {
  readonly kind: string;
  readonly text: string;
}

const linesOfOneToken = 4;

function tokenCases(draw: Draw, contexts: HeldOutDraw): readonly HeldOutSecret[] {
  return Object.entries({ ...tokensOfForges, ...tokensOfServices }).flatMap(([kind, make], place) =>
    Array.from({ length: linesOfOneToken }, (_, turn) => {
      const secret = make(draw);
      const lines = contexts === 'third' ? tokenLinesOfThirdDraw : tokenContexts[contexts];
      // In turn, not by chance: each kind meets four lines, each line every kind.
      const line = lines[(place * linesOfOneToken + turn) % lines.length] ?? '{}';
      return { kind, secret, text: line.replaceAll('{}', () => secret) };
    }),
  );
}

function contextCases(draw: Draw, contexts: HeldOutDraw): readonly HeldOutSecret[] {
  return Object.entries({ ...toldByContext, ...passwordsInContext }).flatMap(([kind, told]) =>
    (contexts === 'third' ? (linesOfThirdDraw[kind] ?? []) : told[contexts]).map((line) => {
      const secret = told.make(draw);
      return { kind, secret, text: line.replaceAll('{}', () => secret) };
    }),
  );
}

/** @param seed any text @param contexts which lines stand around the secrets */
export function heldOutSecrets(seed: string, contexts: HeldOutDraw): readonly HeldOutSecret[] {
  const draw = drawFrom(seed);
  return [
    ...tokenCases(draw, contexts),
    ...contextCases(draw, contexts),
    ...pemCases(draw, contexts === 'first' ? 'first' : 'second').map(({ kind, text, body }) => ({
      kind,
      text,
      secret: body,
    })),
  ];
}

/** @param each how many of one kind of value; of each list of lines five times as many */
export function heldOutOrdinary(
  seed: string,
  contexts: HeldOutDraw,
  each = 20,
): readonly HeldOutOrdinary[] {
  const draw = drawFrom(seed);
  const many = (kinds: OrdinaryKinds, count: number): readonly HeldOutOrdinary[] =>
    Object.entries(kinds).flatMap(([kind, make]) =>
      Array.from({ length: count }, () => ({ kind, text: make(draw) })),
    );
  const lines = {
    first: ordinaryLines,
    second: ordinaryLinesLater,
    third: ordinaryLinesOfThirdDraw,
  }[contexts];
  return [
    ...many({ ...ordinaryNames, ...ordinaryBodies }, each),
    ...many(linesAs(lines), each * 5),
  ];
}
