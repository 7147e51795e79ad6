import type { DeadLetter } from '../core/dead-letters.ts';
import { letterState } from '../core/dead-letters.ts';
import type { Position } from '../core/log/record.ts';
import { address } from '../core/projection.ts';
import { positionKey } from '../core/read-models.ts';
import { readRow } from '../core/row-text.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { LetterChoice, LettersProblem } from '../ports/dead-letters.ts';
import type { ProjectionPorts } from '../ports/projecting.ts';
import type { Generation, StoreProblem } from '../ports/read-model-store.ts';
import { readCode } from './generations.ts';

/** Letters that one call redrives; the oldest first. */
const lettersMax = 10_000;
const pageRows = 500;

export type ChosenLetters = { readonly letters: readonly DeadLetter[]; readonly isCut: boolean };

/** The letters that are meant, oldest first, each by its first position and once. */
export const chosenLetters = (
  ports: ProjectionPorts,
  generation: Generation,
  choice: LetterChoice,
): Promise<Result<ChosenLetters, LettersProblem>> => {
  switch (choice.by) {
    case 'positions':
      return named(ports, generation, choice.positions);
    case 'code':
      return open(ports, generation, async (letter) =>
        ok(letter.code === choice.code || letter.redriven.at(-1)?.code === choice.code),
      );
    case 'deployment':
      return open(ports, generation, (letter) => isAbout(ports, letter, choice.deployment));
  }
};

const named = async (
  { store }: ProjectionPorts,
  generation: Generation,
  positions: readonly Position[],
): Promise<Result<ChosenLetters, LettersProblem>> => {
  const found = new Map<Position, DeadLetter>();
  const asked = new Set<Position>();
  for (let wanted = positions; wanted.length > 0;) {
    for (const position of wanted) asked.add(position);
    const read = await store.rows(
      generation,
      wanted.map((position) => ({ model: 'dead-letter', key: positionKey(position) })),
    );
    if (!read.ok) return fail(storeProblem(read.problem));
    const first: Position[] = [];
    for (const position of wanted) {
      const row = read.value.rows.get(address('dead-letter', positionKey(position)));
      if (row === undefined)
        return fail({
          code: 'not-found',
          message: `the record at position ${position} is no dead letter`,
        });
      const letter = readRow<DeadLetter>('dead-letter', row);
      // Whoever names a redrive means the letter itself.
      if (letter.redriveOf === null) found.set(position, letter);
      else if (!asked.has(letter.redriveOf)) first.push(letter.redriveOf);
    }
    wanted = [...new Set(first)];
  }
  const letters = [...found.values()].toSorted((a, b) => a.position - b.position);
  return ok({ letters: letters.slice(0, lettersMax), isCut: letters.length > lettersMax });
};

const open = async (
  { store }: ProjectionPorts,
  generation: Generation,
  isMeant: (letter: DeadLetter) => Promise<Result<boolean, LettersProblem>>,
): Promise<Result<ChosenLetters, LettersProblem>> => {
  const letters: DeadLetter[] = [];
  for (let after: string | undefined; ;) {
    const page = await store.scan(generation, 'dead-letter', {
      rowsMax: pageRows,
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return fail(storeProblem(page.problem));
    for (const { value } of page.value.rows) {
      const letter = readRow<DeadLetter>('dead-letter', value);
      if (letterState(letter) !== 'open') continue;
      const isOne = await isMeant(letter);
      if (!isOne.ok) return isOne;
      if (!isOne.value) continue;
      if (letters.length >= lettersMax) return ok({ letters, isCut: true });
      letters.push(letter);
    }
    if (page.value.rows.length < pageRows) return ok({ letters, isCut: false });
    after = page.value.rows.at(-1)?.key;
  }
};

/** What the fold could not read of a record its first bytes may tell. It chooses letters, and nothing follows from it. */
const isAbout = async (
  { log, tools }: ProjectionPorts,
  { position, claims }: DeadLetter,
  deployment: string,
): Promise<Result<boolean, LettersProblem>> => {
  if (claims.deployment !== null) return ok(claims.deployment === deployment);
  const read = await log.read(0, position, 1);
  if (!read.ok)
    return fail({
      code: readCode(read.problem),
      message: read.problem.message,
    });
  const [record] = read.value;
  return ok(record !== undefined && tools.codec.prefix(record.value)?.deployment === deployment);
};

const storeProblem = ({ code, message }: StoreProblem): LettersProblem => ({
  code: code === 'corrupt' ? 'corrupt' : 'unreachable',
  message,
});
