/**
 * The one-sided Clopper-Pearson upper limit for a share of which `events` in `trials` were seen:
 * the share at which so few would be seen with a chance of just 1 - confidence.
 */
export const upperLimit = (events: number, trials: number, confidence: number): number => {
  if (events >= trials) return 1;
  let low = events / trials;
  let high = 1;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (chanceOfAtMost(events, trials, middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
};

const BISECTIONS = 60;

/** P(Binomial(trials, share) <= events), for a share strictly between 0 and 1. */
const chanceOfAtMost = (events: number, trials: number, share: number): number => {
  const logOdds = Math.log(share) - Math.log1p(-share);
  let logTerm = trials * Math.log1p(-share);
  let sum = Math.exp(logTerm);
  for (let count = 1; count <= events; count += 1) {
    logTerm += logOdds + Math.log((trials - count + 1) / count);
    sum += Math.exp(logTerm);
  }
  return sum;
};
