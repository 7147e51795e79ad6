import type { AnalysisOpened } from '../../samples/sample.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import type { Refusal } from '../analysis/analysis-state.ts';
import type { Noise } from '../judge/noise.ts';
import { readCarried } from '../judge/carried-text.ts';
import { readNoise } from '../judge/noise-text.ts';
import type { FamilyRule } from '../judge/rule.ts';
import type { CarriedEvidence } from '../judge/state.ts';
import { judgeVersion } from '../judge/judge.ts';
import { familyRuleOf } from '../policy/family-rule.ts';
import { readPolicyText } from '../policy/parse-policy.ts';
import type { Policy } from '../policy/policy.ts';
import type { Before } from '../rollouts/before.ts';
import { readBefore } from '../rollouts/before.ts';
import { beforeRule } from '../rollouts/before-rule.ts';
import { isComparison } from '../rollouts/comparison.ts';

// What an opening froze, read from its texts. Equal texts are read once, so a thousand canaries hold one policy and one
// rule, and no state of an analysis holds either.

type Known = {
  readonly policy: Policy | undefined;
  readonly rules: Map<string, FamilyRule>;
  /** By text. */
  readonly befores: Map<string, Before | undefined>;
};

/** Policies and rules that are remembered; beyond it all are read anew. */
const knownMax = 100;
const known = new Map<string, Known>();

const knownOf = ({ policy: text }: Pick<AnalysisOpened, 'policy'>): Known => {
  const before = known.get(text);
  if (before !== undefined) return before;
  const read = readPolicyText(text);
  const entry: Known = {
    policy: read.ok ? read.value.policy : undefined,
    rules: new Map(),
    befores: new Map(),
  };
  if (known.size >= knownMax) known.clear();
  known.set(text, entry);
  return entry;
};

/** Why this release cannot judge what was opened; undefined: it can. */
export const refusalOf = (digest: TextDigest, opening: AnalysisOpened): Refusal | undefined => {
  if (opening.judge !== judgeVersion) return 'judge-unknown';
  if (digest(opening.policy) !== opening.policyDigest) return 'policy-unreadable';
  if (knownOf(opening).policy === undefined) return 'policy-unreadable';
  if (readNoise(opening.noise) === undefined) return 'noise-unreadable';
  if (opening.carried !== null && readCarried(opening.carried) === undefined)
    return 'evidence-unreadable';
  if (!isComparison(opening.comparison)) return 'comparison-unknown';
  const isReadable = opening.comparison === 'concurrent' || beforeIn(opening) !== undefined;
  return isReadable ? undefined : 'before-unreadable';
};

/** Undefined: it cannot be read. */
export const policyIn = (opening: AnalysisOpened): Policy | undefined => knownOf(opening).policy;

/** Throws where `refusalOf` would have said why. */
export const ruleIn = (opening: AnalysisOpened, windowMs: number): FamilyRule => {
  const { policy, rules } = knownOf(opening);
  const { noise, independentAttempts } = opening;
  const past = beforeIn(opening);
  const key = `${windowMs} ${independentAttempts} ${noise} ${past === undefined ? '' : opening.before}`;
  const before = rules.get(key);
  if (before !== undefined) return before;
  const read = readNoise(noise);
  if (policy === undefined || read === undefined)
    throw new TypeError('an analysis that cannot be read goes on');
  const ofCanary = familyRuleOf(policy, read, windowMs, independentAttempts - 1);
  const rule = past === undefined ? ofCanary : beforeRule(ofCanary, past);
  if (rules.size >= knownMax) rules.clear();
  rules.set(key, rule);
  return rule;
};

/** What ran before, where that is compared; undefined: it is not, or cannot be read. */
export const beforeIn = (
  opening: Pick<AnalysisOpened, 'policy' | 'comparison' | 'before'>,
): Before | undefined => {
  const { comparison, before } = opening;
  if (comparison === 'concurrent' || before === null) return undefined;
  const { policy, befores } = knownOf(opening);
  if (policy === undefined) return undefined;
  if (befores.has(before)) return befores.get(before);
  const read = readBefore(before, policy.metrics);
  if (befores.size >= knownMax) befores.clear();
  befores.set(before, read);
  return read;
};

export const noiseIn = ({ noise }: AnalysisOpened): Noise => readNoise(noise) ?? [];

export const carriedIn = ({ carried }: AnalysisOpened): CarriedEvidence | null =>
  carried === null ? null : (readCarried(carried) ?? null);
