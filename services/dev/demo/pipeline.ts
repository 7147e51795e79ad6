import { DemoProblem, runPlimsoll } from './plimsoll.ts';
import type { Workplace } from './plimsoll.ts';
import type { Story } from './story.ts';

/** What `plimsoll release …` says of a marker, as far as the demo reads it. */
export type Emitted = { readonly deployment: string; readonly position: number };

/** The steps that a pipeline would take. */
export type Pipeline = {
  readonly emit: (words: readonly string[]) => Promise<Emitted>;
  /** Of all that was emitted so far. */
  readonly lastPosition: () => number;
};

export const createPipeline = (workplace: Workplace, story: Story): Pipeline => {
  let lastPosition = 0;
  return {
    emit: async (words) => {
      story.command(words);
      const output = await runPlimsoll(workplace, [...words, '--json']);
      const { deployment, delivery, position } = JSON.parse(output) as {
        readonly [field: string]: unknown;
      };
      if (typeof deployment !== 'string' || typeof position !== 'number')
        throw new DemoProblem(`plimsoll ${words.join(' ')} stored nothing: ${output}`);
      lastPosition = Math.max(lastPosition, position);
      story.tell(`${String(delivery)} at position ${position}, deployment ${deployment}`);
      return { deployment, position };
    },
    lastPosition: () => lastPosition,
  };
};
