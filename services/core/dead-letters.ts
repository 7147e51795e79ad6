import type { Claims } from './check/claims.ts';
import type { Position } from './log/record.ts';

// Records that were not accepted, and what operators did with them. The bytes stay on the log for ever.

export type DeadLetter<Code extends string = string> = {
  readonly position: Position;
  readonly code: Code;
  readonly message: string;
  readonly appendedAt: number;
  readonly valueBytes: number;
  /** SHA-256 of the value; null for an update that its deployment's plan expelled. The bytes are on the log. */
  readonly digest: string | null;
  /** Proven signer, or null where the signature was not good or not looked at. */
  readonly principal: string | null;
  /** What the record claims; unproven. */
  readonly claims: Claims;
  /** Times that its bytes were appended again, oldest first: the last `redrivesKeptMax`. */
  readonly redriven: readonly Redriven[];
  /** How often in all. */
  readonly redrives: number;
  readonly discarded: Discarded | null;
  /** The first letter with these bytes, where this is one of its redrives that was refused again. */
  readonly redriveOf: Position | null;
};

/** What became of bytes that were appended again. */
export type Redriven = {
  /** Where they stand now. */
  readonly position: Position;
  /** The operation that says who did it, and why. */
  readonly operation: Position;
  readonly at: number;
  /** Null: accepted, or already so. Else the code of the new dead letter. */
  readonly code: string | null;
};

export type Discarded = {
  readonly operation: Position;
  readonly at: number;
  readonly principal: string;
  readonly key: string;
  readonly reason: string;
};

/**
 * - `open`: somebody should look at it; also where its last redrive was refused again;
 * - `redriven`: its bytes were accepted later; `discarded`: an operator said that it may rest;
 * - `repeat`: another appearance of an earlier letter, which tells of it.
 */
export type LetterState = 'open' | 'redriven' | 'discarded' | 'repeat';

export const letterState = ({ redriven, discarded, redriveOf }: DeadLetter): LetterState => {
  if (redriveOf !== null) return 'repeat';
  if (redriven.some(({ code }) => code === null)) return 'redriven';
  return discarded === null ? 'open' : 'discarded';
};

const redrivesKeptMax = 20;
/** Redrives of one letter without `force`: what failed so often is mended elsewhere. */
const redrivesMax = 3;

export const withRedrive = (letter: DeadLetter, redriven: Redriven): DeadLetter => ({
  ...letter,
  redriven: [...letter.redriven, redriven].slice(-redrivesKeptMax),
  redrives: letter.redrives + 1,
});

/** A letter is discarded once; whoever says it again changes nothing. */
export const withDiscard = (letter: DeadLetter, discarded: Discarded): DeadLetter =>
  letter.discarded === null ? { ...letter, discarded } : letter;

export type RedriveRefusal = {
  readonly code: 'letter-repeat' | 'letter-redriven' | 'letter-discarded' | 'redrive-limit';
  readonly message: string;
};

/** Why a letter is not to be redriven, so that nothing goes round in circles; undefined: it may be. */
export const redriveRefusal = (letter: DeadLetter): RedriveRefusal | undefined => {
  switch (letterState(letter)) {
    case 'repeat':
      return {
        code: 'letter-repeat',
        message: `${letter.position} is a redrive of ${letter.redriveOf}: redrive that one`,
      };
    case 'redriven': {
      const at = letter.redriven.find(({ code }) => code === null)?.position;
      return {
        code: 'letter-redriven',
        message: `${letter.position} was redriven, and accepted at position ${at}`,
      };
    }
    case 'discarded':
      return {
        code: 'letter-discarded',
        message: `${letter.position} was discarded by ${letter.discarded?.principal}: ${letter.discarded?.reason}`,
      };
    case 'open':
      return letter.redrives < redrivesMax
        ? undefined
        : {
            code: 'redrive-limit',
            message: `${letter.position} was redriven ${letter.redrives} times and never accepted`,
          };
  }
};

/**
 * Records that an operation announced and that are still to come: they stand right behind it, in the order of the
 * letters. Part of the fold's state, for a batch may end between them.
 */
export type Redriving = {
  /** Where the operation stands. */
  readonly operation: Position;
  /** Where the first letter's bytes stand again. */
  readonly from: Position;
  readonly letters: readonly Position[];
  /** The operation and its records were appended again because nobody knew whether they were stored. */
  readonly isRepeat: boolean;
};

/** The letter whose bytes should stand at this position, or undefined. */
export const letterAt = (redriving: Redriving | null, position: Position): Position | undefined =>
  redriving?.letters[position - redriving.from];

/** What is still to come behind this position. */
export const redrivingAfter = (redriving: Redriving | null, position: Position): Redriving | null =>
  redriving !== null && position + 1 < redriving.from + redriving.letters.length ? redriving : null;
