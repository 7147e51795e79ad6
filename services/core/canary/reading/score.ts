import type { Reading } from './reading.ts';

/**
 * A number from 0 to 100 for people who want one. It decides nothing: the two evidences behind it do.
 *
 * score = 50 (1 + p - r), where r = ln E / ln(needed to roll back) and p = ln P / ln(needed to promote), each cut to
 * between 0 and 1; P is that of the metric that has shown least. So 50 is "nothing is known", 0 is rolled back or on
 * the brink of it, 100 is good enough for a promotion with no evidence against it. 0 stays 0: a roll-back is final.
 */
export const scoreOf = ({
  stage,
  promoteEvidence,
  explanation: { evidence, evidenceNeeded, promoteEvidenceNeeded },
}: Reading): number => {
  if (stage === 'rolled-back') return 0;
  const against = shareOf(evidence, evidenceNeeded);
  const inFavour = shareOf(promoteEvidence, promoteEvidenceNeeded ?? Infinity);
  return Math.round(50 * (1 + inFavour - against));
};

const shareOf = (evidence: number, needed: number): number => {
  if (!(evidence > 1) || !(needed > 1) || needed === Infinity) return 0;
  return Math.min(1, Math.log(evidence) / Math.log(needed));
};
