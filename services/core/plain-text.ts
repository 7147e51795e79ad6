// Text for people: what came from a log, an environment or a pipeline is never trusted to be harmless to a terminal.

/** Control characters, line ends and the marks that turn the direction of writing, as \u escapes. */
export const plainText = (text: string): string =>
  text.toWellFormed().replace(hidden, (character) => shortEscapes[character] ?? escaped(character));

/**
 * JSON of one line: with the same characters escaped that `plainText` escapes, so that a terminal obeys none of them
 * and every reader gets the same value.
 */
export const jsonText = (value: unknown): string => JSON.stringify(value).replace(hidden, escaped);

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const hidden =
  // oxlint-disable-next-line eslint/no-control-regex -- finding them is its task
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const shortEscapes: { readonly [character: string]: string } = {
  '\n': String.raw`\n`,
  '\t': String.raw`\t`,
  '\r': String.raw`\r`,
};
