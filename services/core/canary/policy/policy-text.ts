import type { Json } from '../../canonical.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Line } from '../metrics/rate-test.ts';
import type { PlacedPolicy } from './placed-policy.ts';
import type { AttributeFilter, CohortLabels, MetricPolicy, Policy } from './policy.ts';
import { fineBelowMsUsual, presets } from './presets.ts';
import { durationText, shareText, slowerText } from './setting.ts';

// A policy as the settings that give it: everything it stands for, nothing left to a preset's numbers. Read again it
// is the same policy, so this text is what its digest is of.

/** Of the whole text of an effective policy, UTF-8. */
export const policyBytesMax: number = 16 * 1024;
/** Of a document as it is in a file, with comments. */
export const documentFileBytesMax: number = 64 * 1024;

export type Settings = { readonly [name: string]: Json };

/** An entry of a document that means exactly this policy, with everything that it stands for. */
export const policySettings = (placed: PlacedPolicy): Settings =>
  settingsOf(placed, metricSettings);

const settingsOf = (
  { component, environment, preset, policy }: PlacedPolicy,
  ofMetric: (metric: MetricPolicy) => Settings,
): Settings => ({
  component,
  environment,
  preset,
  'warm-up': durationText(policy.warmUpMs),
  soak: durationText(policy.soakMs),
  deadline: durationText(policy.deadlineMs),
  bake: durationText(policy.bakeMs),
  steps: policy.steps.map(shareText),
  'false-roll-backs': shareText(policy.alpha),
  'false-promotions': shareText(policy.beta),
  metrics: [
    ...presets[preset].metrics
      .filter(({ id }) => policy.metrics.every((metric) => metric.id !== id))
      .map(({ id }) => ({ name: id, weight: 0 })),
    ...policy.metrics.map(ofMetric),
  ],
  ...(policy.targetAttribute === null ? {} : { target: policy.targetAttribute }),
  ...(policy.cohorts === null ? {} : { cohorts: cohortSettings(policy.cohorts) }),
  ...rolloutSettings(policy.rollouts),
  'on-silence': policy.onSilence,
  // As with rollouts: what is not taken is not named.
  ...(policy.onBehalf === 'accept' ? { 'on-behalf': policy.onBehalf } : {}),
  ...(policy.frozen === 'refuse' ? { frozen: policy.frozen } : {}),
  act: policy.act,
  'flap-guard': { window: durationText(policy.flap.windowMs), freeze: policy.flap.freeze },
  caps: { 'per-component-hour': policy.caps.perComponentHour, 'per-hour': policy.caps.perHour },
  require: policy.required,
  judging: {
    window: durationText(policy.windowMs),
    block: durationText(policy.blockMs),
    'block-cap': policy.blockCapNats,
    'no-data': durationText(policy.noDataMs),
    restarts: {
      every: durationText(policy.restarts.everyMs),
      count: policy.restarts.count,
      weight: policy.restarts.weightEach,
    },
    veto: policy.vetoEvidence,
  },
});

const cohortSettings = ({
  attribute,
  canary,
  baseline,
  freshBaseline,
}: CohortLabels): Settings => ({
  attribute,
  canary,
  baseline,
  'fresh-baseline': freshBaseline,
});

/** What is not judged is not named, so that a policy without it has the digest that it had before there was any. */
const rolloutSettings = ({ beforeAfter, blueGreen }: Policy['rollouts']): Settings =>
  beforeAfter || blueGreen
    ? { rollouts: { 'before-after': beforeAfter, 'blue-green': blueGreen } }
    : {};

const metricSettings = (metric: MetricPolicy): Settings => ({
  name: metric.id,
  kind: metric.judged,
  of: metric.source.names,
  ...(metric.source.where.length === 0 ? {} : { where: filterSettings(metric.source.where) }),
  weight: metric.weight,
  critical: metric.critical,
  ...marginSettings(metric),
});

const marginSettings = (metric: MetricPolicy): Settings => {
  switch (metric.judged) {
    case 'errors':
      return {
        ...(metric.errors === null ? {} : { errors: filterSettings(metric.errors) }),
        tolerance: lineSettings(metric.tolerance),
        'promote-tolerance': lineSettings(metric.promoteTolerance),
      };
    case 'latency':
      return {
        slower: slowerText(metric.slower),
        'promote-slower': slowerText(metric.promoteSlower),
        tolerance: lineSettings(metric.tolerance),
        'promote-tolerance': lineSettings(metric.promoteTolerance),
        'fine-below': durationText(metric.fineBelowMs),
      };
    case 'level':
      return {
        worse: metric.worse,
        margin: shareText(metric.margin),
        'promote-margin': shareText(metric.promoteMargin),
      };
    case 'traffic':
      return { least: shareText(metric.least), 'promote-least': shareText(metric.promoteLeast) };
  }
};

/** A usual `fine-below` is not named, so that such a policy has the digest that it had before there was any. */
const briefSettings = (metric: MetricPolicy): Settings => {
  const { 'fine-below': _usual, ...others } = metricSettings(metric);
  return metric.judged === 'latency' && metric.fineBelowMs !== fineBelowMsUsual
    ? metricSettings(metric)
    : others;
};

const lineSettings = ({ relative, absolute }: Line): Settings => ({
  times: relative,
  plus: shareText(absolute),
});

const filterSettings = (filters: readonly AttributeFilter[]): Settings =>
  Object.fromEntries(filters.map(({ attribute, test }) => [attribute, testSettings(test)]));

const testSettings = (test: AttributeFilter['test']): Json => {
  switch (test.kind) {
    case 'in':
      return test.values;
    case 'not-in':
      return { not: test.values };
    case 'starts-with':
      return { 'starts-with': test.text };
    case 'present':
    case 'absent':
      return { is: test.kind };
  }
};

/** The policy as one line: equal policies of equal places give equal text. Its SHA-256 is the policy's digest. */
export const policyText = (placed: PlacedPolicy): string =>
  canonicalJson(settingsOf(placed, briefSettings));

/** What each restart had of the stake in the presets of releases with judges 3 and 4. */
const restartWeightBefore = 0.05;

/**
 * The same, and then, where the restarts are those of the preset, as releases wrote it whose presets had other ones: a
 * document that leaves them to its preset is one policy, and decisions of such a release name it by that text. (A document
 * that says today's number itself is not told apart; alpha holds with either.)
 */
export const policyTexts = (placed: PlacedPolicy): readonly string[] => {
  const { preset, policy } = placed;
  const { restarts } = policy;
  if (restarts.weightEach !== presets[preset].restarts.weightEach) return [policyText(placed)];
  const before = { ...restarts, weightEach: restartWeightBefore };
  return [policyText(placed), policyText({ ...placed, policy: { ...policy, restarts: before } })];
};

export const utf8Bytes = (text: string): number => {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Two halves of a pair are four bytes.
    const isHalf = unit >= 0xd800 && unit <= 0xdfff;
    bytes += unit < 0x80 ? 1 : unit < 0x800 || isHalf ? 2 : 3;
  }
  return bytes;
};
