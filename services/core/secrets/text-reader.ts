/** Which characters may stand in a part, by their UTF-16 code. */
export type Alphabet = (code: number) => boolean;

const between = (code: number, first: string, last: string): boolean =>
  code >= first.charCodeAt(0) && code <= last.charCodeAt(0);

export const isDigit: Alphabet = (code) => between(code, '0', '9');
const isUpper: Alphabet = (code) => between(code, 'A', 'Z');
const isLower: Alphabet = (code) => between(code, 'a', 'z');
const isLetter: Alphabet = (code) => isUpper(code) || isLower(code);
export const isWord: Alphabet = (code) => isLetter(code) || isDigit(code);
export const isUpperWord: Alphabet = (code) => isUpper(code) || isDigit(code);
export const isLowerWord: Alphabet = (code) => isLower(code) || isDigit(code);
export const isLowerHex: Alphabet = (code) => isDigit(code) || between(code, 'a', 'f');
/** Base64url without padding: the alphabet of most tokens. */
export const isTokenWord: Alphabet = (code) => isWord(code) || code === 45 || code === 95;
/** The same with dot and tilde: secrets of Azure clients. */
export const isTildeWord: Alphabet = (code) => isTokenWord(code) || code === 46 || code === 126;
export const isBase64: Alphabet = (code) => isWord(code) || [43, 47, 61, 45, 95].includes(code);
/** Of crypt(3): letters, digits, dot and slash. */
export const isHash: Alphabet = (code) => isWord(code) || code === 46 || code === 47;
/** Of a value in an address: base64 with its signs percent-encoded. */
export const isEscaped: Alphabet = (code) => isBase64(code) || code === 37;
/** All but blanks, line ends and quotes. */
export const isUnquoted: Alphabet = (code) =>
  code > 32 && code !== 34 && code !== 39 && code !== 96;

/** A text that remembers how far runs of characters go, so that whoever asks again does not look again. */
export type TextReader = {
  readonly text: string;
  /** The text in small letters, to ask whether a word stands in it at all; positions may differ. */
  readonly lower: string;
  /** The first position from `at` on whose character is not of the alphabet. */
  readonly runEnd: (alphabet: Alphabet, at: number) => number;
  readonly is: (alphabet: Alphabet, at: number) => boolean;
  /** How many characters were looked at so far: what a hostile text can cost. */
  readonly looked: () => number;
};

export const createTextReader = (text: string): TextReader => {
  const lastRuns = new Map<Alphabet, { readonly from: number; readonly to: number }>();
  let looked = 0;
  const is = (alphabet: Alphabet, at: number): boolean => {
    looked++;
    return at >= 0 && at < text.length && alphabet(text.charCodeAt(at));
  };
  return {
    text,
    lower: text.toLowerCase(),
    is,
    looked: () => looked,
    runEnd: (alphabet, at) => {
      const last = lastRuns.get(alphabet);
      if (last !== undefined && at >= last.from && at <= last.to) return last.to;
      let to = at;
      while (is(alphabet, to)) to++;
      lastRuns.set(alphabet, { from: at, to });
      return to;
    },
  };
};
