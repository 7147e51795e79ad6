import type { DeadLetter } from '../../core/dead-letters.ts';
import { letterState } from '../../core/dead-letters.ts';
import type { Position } from '../../core/log/record.ts';
import { listMax } from '../../core/markers/limits.ts';
import { uuidPattern } from '../../core/markers/parse-marker.ts';
import { positionKey } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { LetterChoice } from '../../ports/dead-letters.ts';
import { appendOperation, draftOperation } from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import type { DeadLetterCommand } from '../commands/dead-letters.ts';
import { letterLine, letterText } from './letter-text.ts';
import { runList } from '../reading/lists.ts';
import { onlyAtHand, openReader } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readRows } from '../reading/reading.ts';
import { redrive } from './redrive.ts';

type Done = Promise<Result<void, CliProblem>>;

export const runDeadLetters = async (
  ports: CliPorts,
  name: DeadLetterCommand,
  given: Given,
  isJson: boolean,
): Done => {
  switch (name) {
    case 'dead-letters list':
      return listLetters(ports, given, isJson);
    case 'dead-letters show':
      return showLetter(ports, given, isJson);
    case 'dead-letters redrive': {
      const choice = readLetterChoice(given);
      return (
        onlyAtHand(ports, name) ??
        (choice.ok ? redrive(ports, choice.value, given, isJson) : choice)
      );
    }
    case 'dead-letters discard': {
      const positions = readPositions(given.words);
      return (
        onlyAtHand(ports, name) ??
        (positions.ok ? discard(ports, positions.value, given, isJson) : positions)
      );
    }
  }
};

const listLetters = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const code = given.value('code');
  const isAll = given.has('all');
  let settled = 0;
  const isWanted = (line: Line): boolean => {
    if (code !== null && line['code'] !== code) return false;
    if (isAll || (line['state'] ?? 'open') === 'open') return true;
    settled++;
    return false;
  };
  const plan = {
    list: 'dead-letters',
    text: 'deadLetters',
    empty: 'no open dead letters',
  } as const;
  const listed = await runList(ports, plan, given, isJson, isWanted);
  if (listed.ok && settled > 0)
    ports.note({
      code: 'settled',
      message: `${settled} ${settled === 1 ? 'letter is' : 'letters are'} not shown: redriven, discarded, or a repeat of another`,
      hint: '--all shows them',
    });
  return listed;
};

const showLetter = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const position = readPositions(given.words);
  if (!position.ok) return position;
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const letter = await reader.value.deadLetter(position.value[0] ?? 0);
  if (!letter.ok) return letter;
  if (isJson) printLines(ports.terminal, [letterLine(letter.value)]);
  else printText(ports.terminal, letterText(letter.value));
  return ok(undefined);
};

/** Positions as they were written, ascending, each once. */
const readPositions = (words: readonly string[]): Result<readonly Position[], CliProblem> => {
  const strange = words.find((word) => !/^(?:0|[1-9][0-9]{0,11})$/.test(word));
  if (strange !== undefined)
    return refuse(
      'word-invalid',
      `${JSON.stringify(strange.slice(0, 64))} is no position`,
      'plimsoll dead-letters list shows positions',
    );
  return ok([...new Set(words.map(Number))].toSorted((a, b) => a - b));
};

const readLetterChoice = (given: Given): Result<LetterChoice, CliProblem> => {
  const [code, deployment] = [given.value('code'), given.value('deployment')];
  const ways = [given.words.length > 0, code !== null, deployment !== null];
  if (ways.filter((isUsed) => isUsed).length !== 1)
    return refuse(
      'option-invalid',
      'which letters are meant is said in one way: by positions, by --code or by --deployment',
      'plimsoll dead-letters list shows positions and codes',
    );
  if (code !== null) return ok({ by: 'code', code });
  if (deployment !== null)
    return uuidPattern.test(deployment.toLowerCase())
      ? ok({ by: 'deployment', deployment: deployment.toLowerCase() })
      : refuse('option-invalid', '--deployment must be a UUID', 'plimsoll timeline shows them');
  const positions = readPositions(given.words);
  return positions.ok ? ok({ by: 'positions', positions: positions.value }) : positions;
};

/** One letter of `discard --json`. */
type DiscardLine = Line & {
  readonly letter: Position;
  readonly state: string;
  readonly operation: Position | null;
};

const discard = async (
  ports: CliPorts,
  positions: readonly Position[],
  given: Given,
  isJson: boolean,
): Done => {
  const reason = given.value('reason') ?? '';
  const drafted = draftOperation(ports, { kind: 'letters-discarded', reason, positions: [0] });
  if (!drafted.ok) return drafted;
  const opened = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!opened.ok) return opened;
  const letters = await readLetters(opened.value, positions);
  if (!letters.ok) return letters;
  const open = letters.value.filter((letter) => letterState(letter) === 'open');
  const { log, state } = opened.value;
  for (let at = 0; at < open.length; at += listMax) {
    const named = open.slice(at, at + listMax).map(({ position }) => position);
    const appended = await appendOperation(
      ports,
      { log, trust: state.trust },
      { kind: 'letters-discarded', reason, positions: named },
      given.value('key'),
    );
    if (!appended.ok) return appended;
  }
  // What became of them is the fold's to say.
  const after = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!after.ok) return after;
  const settled = await readLetters(after.value, positions);
  if (!settled.ok) return settled;
  const lines = settled.value.map((letter): DiscardLine => ({
    letter: letter.position,
    code: letter.code,
    state: letterState(letter),
    operation: letter.discarded?.operation ?? null,
    signer: letter.discarded?.principal ?? null,
    reason: letter.discarded?.reason ?? null,
  }));
  if (isJson) printLines(ports.terminal, lines);
  else printText(ports.terminal, lines.map(discardSentence));
  return ok(undefined);
};

const discardSentence = ({ letter, state, operation }: DiscardLine): string =>
  state === 'discarded'
    ? `${letter}: discarded (position ${operation}); plimsoll dead-letters list --all still shows it`
    : `${letter}: ${state}, not discarded`;

/** The letters at these positions, ascending; a redrive stands for the letter itself. */
const readLetters = async (
  atHand: AtHand,
  positions: readonly Position[],
): Promise<Result<readonly DeadLetter[], CliProblem>> => {
  const found = new Map<Position, DeadLetter>();
  for (let wanted = positions; wanted.length > 0;) {
    const rows = await readRows(
      atHand,
      wanted.map((position) => ({ model: 'dead-letter', key: positionKey(position) })),
    );
    if (!rows.ok) return rows;
    const first: Position[] = [];
    for (const position of wanted) {
      const letter = rows.value.get('dead-letter', positionKey(position)) as DeadLetter | undefined;
      if (letter === undefined)
        return refuse(
          'not-found',
          `the record at position ${position} is no dead letter`,
          'plimsoll dead-letters list shows them',
        );
      if (letter.redriveOf === null) found.set(position, letter);
      else if (!found.has(letter.redriveOf)) first.push(letter.redriveOf);
    }
    wanted = first;
  }
  return ok([...found.values()].toSorted((a, b) => a.position - b.position));
};
