import type { OwnProcess } from '../stack/own-process.ts';
import { DemoProblem } from './plimsoll.ts';

/** The processes of the demo that stay. */
export type Crew = {
  readonly add: (name: string, member: OwnProcess) => void;
  /** Ends one in order; it may go now. */
  readonly dismiss: (name: string) => Promise<void>;
  /** Ends all in order, the newest first. */
  readonly dismissAll: () => Promise<void>;
  /** Rejects with `DemoProblem` as soon as one ends that was not dismissed. */
  readonly lost: Promise<never>;
  /** What each of them said last: what to look at when something went wrong. */
  readonly lastWords: () => string;
};

export const createCrew = (): Crew => {
  const members = new Map<string, OwnProcess>();
  const said: string[] = [];
  let fail: (problem: DemoProblem) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits for it still sees the rejection; without anybody waiting it is no crash.
  lost.catch(() => undefined);

  const dismiss = async (name: string): Promise<void> => {
    const member = members.get(name);
    members.delete(name);
    await member?.stop();
    if (member !== undefined) said.push(lastWordsOf(name, member));
  };
  return {
    add: (name, member) => {
      members.set(name, member);
      void member.exited.then((how) => {
        if (members.get(name) === member) fail(new DemoProblem(`${name} ended: ${how}`));
      });
    },
    dismiss,
    dismissAll: async () => {
      for (const name of [...members.keys()].toReversed()) await dismiss(name);
    },
    lost,
    lastWords: () =>
      [...said, ...[...members].map(([name, member]) => lastWordsOf(name, member))].join('\n'),
  };
};

const lastWordsOf = (name: string, member: OwnProcess): string =>
  `--- ${name} said last:\n${member.lastOutput()}`;
