/** Runs what has one key in the order of the calls, each after the one before it has ended, well or not. */
export const openTurns = (): (<Value>(
  key: string,
  work: () => Promise<Value>,
) => Promise<Value>) => {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    last.set(key, mine);
    const forget = (): void => {
      if (last.get(key) === mine) last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  };
};
