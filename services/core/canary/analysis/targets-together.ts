import type { AnalysisOpened, Origin } from '../../samples/sample.ts';
import { usualTargetSaid } from '../../telemetry/telemetry-point.ts';
import type { AnalysisState } from './analysis-state.ts';
import type { Policy } from '../policy/policy.ts';

// A rollout to one target (a region, a cluster) under a policy that does not say how senders name theirs: those of all
// targets are judged as one. That may be meant so, and it is no mistake of anybody's who has one target; so it is told.

/** Names that are remembered: the first of the alphabet, whoever was heard first. */
const targetsMax = 5;

/** Whether senders of other targets would be taken for those of the one that is deployed to. */
export const isTargetUntold = (
  { target }: Pick<AnalysisOpened, 'target'>,
  { targetAttribute }: Pick<Policy, 'targetAttribute'>,
): boolean => target !== null && targetAttribute === null;

/** By which a sender is told apart from those of other targets, where its policy does not. */
export const untoldTargetOf = ({
  target,
  attributes,
}: Pick<Origin, 'target' | 'attributes'>): string | null =>
  attributes.find(({ name }) => name === usualTargetSaid)?.value ?? target;

export const withTarget = (targets: readonly string[], target: string): readonly string[] => {
  const last = targets.at(-1);
  const isFull = targets.length >= targetsMax && last !== undefined && target > last;
  return isFull || targets.includes(target)
    ? targets
    : [...targets, target].toSorted().slice(0, targetsMax);
};

/** Those that are judged as one; empty where all senders name one, which is then the one that is meant. */
export const targetsTogether = ({ targets }: Pick<AnalysisState, 'targets'>): readonly string[] =>
  targets.length > 1 ? targets : [];

/** What is wrong with a rollout, in words. */
export const togetherText = (target: string, targets: readonly string[]): string =>
  `it goes to the target ${target}, and the policy does not say how senders name theirs: those of ${listed(targets)} are judged as one`;

/** The same before there is one. */
export const wouldBeTogetherText = (target: string, targets: readonly string[]): string =>
  `the policy does not say how senders name their target: a rollout to ${target} alone would be judged by those of ${listed(targets)} as one, as they are counted here`;

const listed = (targets: readonly string[]): string =>
  `${targets.slice(0, targetsMax).join(', ')}${targets.length >= targetsMax ? ' and maybe more' : ''}`;

/** What mends it. */
export const togetherHint = (target: string | null, targets: readonly string[]): string =>
  `target: cloud.region in the policy (or the resource attribute that tells them apart) takes only senders of the target that is deployed to${
    target === null || targets.includes(target)
      ? ''
      : `, by the very name that they send: ${target} is none of these`
  }`;
