import type { Result } from '../../core/result.ts';

/** What was opened, by name: open for all who ask, and open but once. */
export type OpenedOnce<Name, Part, Problem> = {
  readonly get: (name: Name) => Promise<Result<Part, Problem>>;
  readonly all: () => readonly (readonly [Name, Promise<Result<Part, Problem>>])[];
};

/** What could not be opened is tried again by whoever asks next: a server may come back. */
export const openOnce = <Name, Part, Problem>(
  open: (name: Name) => Promise<Result<Part, Problem>>,
): OpenedOnce<Name, Part, Problem> => {
  const parts = new Map<Name, Promise<Result<Part, Problem>>>();
  const forgetUnlessOpen = async (name: Name, opening: Promise<Result<Part, Problem>>) => {
    const isOpen = await opening.then(
      ({ ok }) => ok,
      () => false,
    );
    if (!isOpen && parts.get(name) === opening) parts.delete(name);
  };
  return {
    all: () => [...parts],
    get: (name) => {
      const known = parts.get(name);
      if (known !== undefined) return known;
      const opening = open(name);
      parts.set(name, opening);
      void forgetUnlessOpen(name, opening);
      return opening;
    },
  };
};
