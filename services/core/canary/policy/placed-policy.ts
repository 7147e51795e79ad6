import type { Policy } from './policy.ts';
import type { PresetName } from './presets.ts';
import { presets } from './presets.ts';

/** The policy of the canaries of one component in one environment; `*`: of any. */
export type PlacedPolicy = {
  readonly component: string;
  readonly environment: string;
  /** What its settings were laid over. */
  readonly preset: PresetName;
  readonly policy: Policy;
};

export type PolicyDocument = {
  readonly policies: readonly PlacedPolicy[];
  readonly closed?: ClosedNames;
};

/** Names, and beginnings with `*` behind them, that are all there may be; undefined: any. */
export type ClosedNames = {
  readonly environments?: readonly string[];
  readonly components?: readonly string[];
};

/** A component or an environment of any name. */
export const anyName = '*';

/** `component checkout in environment production`. */
export const placeText = ({
  component,
  environment,
}: Pick<PlacedPolicy, 'component' | 'environment'>): string =>
  `${component === anyName ? 'every component' : `component ${component}`} in ${
    environment === anyName ? 'every environment' : `environment ${environment}`
  }`;

/** What is judged by where no policy says otherwise. */
export const presetEverywhere: PlacedPolicy = {
  component: anyName,
  environment: anyName,
  preset: 'standard',
  policy: presets.standard,
};

/** Which policy is a place's, and where in the document it stands; null: it has none, and the standard preset counts. */
export type PolicyChoice = { readonly placed: PlacedPolicy; readonly index: number | null };

/**
 * The policy of the canaries of a component in an environment. The most exact one counts, whatever the order: one that
 * names both, then one that names the component, then one that names the environment, then one for all. It counts
 * alone: nothing of the less exact ones is mixed in.
 */
export const policyFor = (
  document: PolicyDocument | null,
  component: string,
  environment: string,
): PolicyChoice => {
  const places = [
    [component, environment],
    [component, anyName],
    [anyName, environment],
    [anyName, anyName],
  ] as const;
  for (const [ofComponent, ofEnvironment] of places) {
    const policies = document?.policies ?? [];
    const index = policies.findIndex(
      (one) => one.component === ofComponent && one.environment === ofEnvironment,
    );
    const placed = policies[index];
    if (placed !== undefined) return { placed, index };
  }
  return { placed: presetEverywhere, index: null };
};

/** Every policy that some canary may be judged by; the preset unless the document has one for all. */
export const policiesOf = (document: PolicyDocument | null): readonly Policy[] => {
  const policies = document?.policies ?? [];
  const isComplete = policies.some(
    ({ component, environment }) => component === anyName && environment === anyName,
  );
  return [
    ...policies.map(({ policy }) => policy),
    ...(isComplete ? [] : [presetEverywhere.policy]),
  ];
};
