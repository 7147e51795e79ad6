import type { Answers } from './traffic.ts';

/** Tells people what happens while it happens. */
export type Story = {
  /** A heading, without a time. */
  readonly title: (text: string) => void;
  /** Something happened now. */
  readonly tell: (text: string) => void;
  /** The same, and it matters. */
  readonly tellLoud: (text: string, mood: 'good' | 'bad') => void;
  /** A command that is run now. */
  readonly command: (words: readonly string[]) => void;
  /** Lines that belong to what was told last, as they are. */
  readonly lines: (text: string) => void;
};

export type StoryOptions = {
  readonly write: (text: string) => void;
  readonly elapsedMs: () => number;
  readonly hasColour: boolean;
  readonly columns: number;
};

const indentColumns = 9;
const columnsMin = 40;

export const createStory = ({ write, elapsedMs, hasColour, columns }: StoryOptions): Story => {
  const indent = ' '.repeat(indentColumns);
  const paint = (text: string, colour: Colour): string =>
    hasColour ? `\u001B[${colours[colour]}m${text}\u001B[0m` : text;
  const time = (): string => `${(elapsedMs() / 1_000).toFixed(1)} s`.padStart(indentColumns - 2);
  const timed = (text: string, colour: Colour | null): void => {
    const wrapped = wrap(text, Math.max(columns, columnsMin) - indentColumns);
    const painted = colour === null ? wrapped : wrapped.map((line) => paint(line, colour));
    write(`${paint(time(), 'grey')}  ${painted.join(`\n${indent}`)}\n`);
  };
  return {
    title: (text) => write(`\n${paint(text, 'bold')}\n`),
    tell: (text) => timed(text, null),
    tellLoud: (text, mood) => timed(text, mood),
    command: (words) => timed(`$ plimsoll ${words.map(quoted).join(' ')}`, 'blue'),
    lines: (text) => {
      for (const line of text.trimEnd().split('\n')) write(`${indent}${line}`.trimEnd() + '\n');
    },
  };
};

const colours = { grey: '90', bold: '1', blue: '36', good: '1;32', bad: '1;31' } as const;
type Colour = keyof typeof colours;

/** As one would type it into a shell. */
const quoted = (word: string): string =>
  /^[A-Za-z0-9_./:=@,-]+$/.test(word)
    ? word
    : word.replace(/^(--[a-z-]+=)?(.*)$/s, (_all, name: string | undefined, value: string) =>
        [name ?? '', "'", value.replaceAll("'", String.raw`'\''`), "'"].join(''),
      );

/** Breaks a text at spaces into lines of at most so many columns; a longer word stays whole, and so does `8 %`. */
export const wrap = (text: string, columns: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ (?!%)/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};

/** `1,204 answered, 5 failed (0.42 %)`, and what got no answer at all. */
export const answersPhrase = ({ answered, failed, lost }: Answers): string => {
  const share = answered === 0 ? '' : ` (${((failed / answered) * 100).toFixed(2)} %)`;
  const gone = lost === 0 ? '' : `, ${grouped(lost)} without an answer`;
  return `${grouped(answered)} answered, ${grouped(failed)} failed${share}${gone}`;
};

/** `12.3 s` */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** 20130 as 20,130, without asking the machine for its locale. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
