/**
 * The known name nearest to what was written, or undefined where none is near: at most a third of the letters
 * differ (Levenshtein distance, and two letters exchanged count once).
 */
export const nearest = (written: string, known: readonly string[]): string | undefined => {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const away = distance(written.toLowerCase(), name.toLowerCase());
    // Two that have no letter in common are not near, however short they are.
    if (away < bestDistance && away < Math.max(written.length, name.length))
      [best, bestDistance] = [name, away];
  }
  return bestDistance <= Math.max(1, Math.floor(written.length / 3)) ? best : undefined;
};

/** The same of places (`production/checkout`): else one that has the same name in one of its parts. */
export const nearestPlace = (written: string, known: readonly string[]): string | undefined => {
  const parts = written.split('/');
  return (
    nearest(written, known) ??
    known.find((place) => place.split('/').some((part, index) => part === parts[index]))
  );
};

const distance = (a: string, b: string): number => {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next: number[] = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (isSame ? 0 : 1),
          isExchanged ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
};
