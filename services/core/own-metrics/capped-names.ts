/** What names are called that came after the cap was reached. */
export const otherName = 'other';

/**
 * Lets the first `namesMax` different names through and calls all later ones `other`: what measures us keeps a
 * series for each value of a label, for ever.
 */
export const openCappedNames = (namesMax: number): ((name: string) => string) => {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= namesMax) return otherName;
    known.add(name);
    return name;
  };
};
