import type { Planned } from '../../markers/marker.ts';

// What a policy may demand of a plan beside what every plan has.

const said = (value: string | null): boolean => value !== null && value.trim() !== '';

const fields: { readonly [name: string]: (plan: Planned) => boolean } = {
  digest: ({ digest }) => digest !== null,
  strategy: ({ strategy }) => said(strategy),
  'canary-share': ({ canaryShare }) => canaryShare !== null,
  attempt: ({ attempt }) => said(attempt),
  commit: ({ details }) => said(details.commit),
  repository: ({ details }) => said(details.repository),
  build: ({ details }) => said(details.build),
  trigger: ({ details }) => said(details.trigger),
  actor: ({ details }) => said(details.actor),
  owner: ({ details }) => said(details.owner),
  tickets: ({ details }) => details.tickets.length > 0,
  intent: ({ details }) => said(details.intent),
  'risk-flags': ({ details }) => details.riskFlags.length > 0,
  cluster: ({ details }) => said(details.cluster),
  zone: ({ details }) => said(details.zone),
  'function-version': ({ details }) => said(details.functionVersion),
  'function-alias': ({ details }) => said(details.functionAlias),
  runbook: ({ details }) => said(details.runbook),
  resources: ({ details }) => details.resources.length > 0,
  labels: ({ details }) => details.labels.length > 0,
  links: ({ details }) => details.links.length > 0,
  changes: ({ details }) => details.changes.length > 0,
};

/** The names that `require` of a policy may hold. */
export const requiredFieldNames: readonly string[] = Object.keys(fields);

/** Those of the required fields that the plan does not have. */
export const missingFields = (required: readonly string[], plan: Planned): readonly string[] =>
  required.filter((name) => fields[name]?.(plan) === false);
