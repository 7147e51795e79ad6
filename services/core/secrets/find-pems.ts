import type { FoundSecret } from './found-secret.ts';

const beginning = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const ending = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const puttyBeginning = 'PuTTY-User-Key-File-';

/** Private keys in PEM (RFC 7468) and PuTTY's format: up to their end, or that of a text that was cut off. */
export const findPrivateKeys = (text: string): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  beginning.lastIndex = 0;
  for (let match = beginning.exec(text); match !== null; match = beginning.exec(text)) {
    ending.lastIndex = beginning.lastIndex;
    const end = ending.exec(text) === null ? text.length : ending.lastIndex;
    found.push(privateKey(match.index, end, match[0]));
    beginning.lastIndex = end;
  }
  const putty = text.indexOf(puttyBeginning);
  return putty < 0 ? found : [...found, privateKey(putty, text.length, puttyBeginning)];
};

const privateKey = (start: number, end: number, begins: string): FoundSecret => ({
  kind: 'private-key',
  start,
  end,
  masked: `${begins}… (${end - start} characters)`,
});
