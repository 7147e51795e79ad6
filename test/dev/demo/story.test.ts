import { describe, expect, test } from 'vitest';
import type { Story } from '../../../services/dev/demo/story.ts';
import { answersPhrase, createStory, wrap } from '../../../services/dev/demo/story.ts';

const told = (
  tell: (story: Story) => void,
  options: { readonly hasColour?: boolean; readonly columns?: number } = {},
): string => {
  let text = '';
  tell(
    createStory({
      write: (more) => {
        text += more;
      },
      elapsedMs: () => 12_345,
      hasColour: options.hasColour ?? false,
      columns: options.columns ?? 100,
    }),
  );
  return text;
};

describe('the story', () => {
  test('begins each event with the time since the start', () => {
    expect(told((story) => story.tell('customers come'))).toBe(' 12.3 s  customers come\n');
  });

  test('goes on under the text where a line is full', () => {
    const text = told((story) => story.tell('one two three four five six seven eight'), {
      columns: 40,
    });
    expect(text).toBe(' 12.3 s  one two three four five six\n         seven eight\n');
  });

  test('shows a command as one would type it', () => {
    const words = ['release', 'update', '--status=FAILED', "--failure-reason=it's 3x worse"];
    expect(told((story) => story.command(words))).toBe(
      ` 12.3 s  $ plimsoll release update --status=FAILED --failure-reason='it'\\''s 3x worse'\n`,
    );
  });

  test('is plain text unless colours are asked for', () => {
    const tell = (story: Story): void => {
      story.title('Decision');
      story.tellLoud('roll-back', 'bad');
      story.lines('as it is\n\n');
    };
    expect(told(tell)).toBe('\nDecision\n 12.3 s  roll-back\n         as it is\n');
    expect(told(tell, { hasColour: true })).toContain('\u001B[1;31mroll-back\u001B[0m');
  });
});

test('a word longer than the line stays whole, and so does a percentage', () => {
  expect(wrap('12345 8 % 12345', 7)).toEqual(['12345', '8 %', '12345']);
  expect(wrap('a 0123456789 b', 5)).toEqual(['a', '0123456789', 'b']);
});

test.each([
  [{ answered: 0, failed: 0, lost: 0 }, '0 answered, 0 failed'],
  [{ answered: 1_204, failed: 5, lost: 0 }, '1,204 answered, 5 failed (0.42 %)'],
  [{ answered: 10, failed: 10, lost: 2 }, '10 answered, 10 failed (100.00 %), 2 without an answer'],
])('%j is said as %s', (answers, phrase) => {
  expect(answersPhrase(answers)).toBe(phrase);
});
