/** What happened, in order: the last of it goes into the report of a failure. */
export type Events = {
  readonly add: (who: string, what: string) => void;
  readonly last: (count: number) => readonly string[];
};

const keptMax = 2_000;

export const openEvents = (onEvent: (line: string) => void = () => undefined): Events => {
  const startedMs = performance.now();
  const kept: string[] = [];
  return {
    add: (who, what) => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(2).padStart(8);
      const line = `${seconds} ${who}: ${what}`;
      kept.push(line);
      if (kept.length > keptMax) kept.shift();
      onEvent(line);
    },
    last: (count) => kept.slice(-count),
  };
};
