import type { PlaceFact, Planned } from '../../markers/marker.ts';
import type { Position } from '../../log/record.ts';
import type { PolicyRow } from '../../policy-records.ts';
import { readDocumentText } from './parse-policy.ts';
import { policyFor } from './placed-policy.ts';
import type { PolicyDocument } from './placed-policy.ts';
import type { RequiredField } from './required-field-names.ts';
import { isRequiredField } from './required-field-names.ts';

// What a policy may demand of a plan beside what every plan has.

const said = (value: string | null): boolean => value !== null && value.trim() !== '';

/** What demands look at. What is logged is no rollout: it has neither strategy nor share. */
export type Demanded = Pick<PlaceFact, 'slot' | 'digest' | 'attempt' | 'details'> & {
  readonly kind: 'planned' | 'logged';
} & Partial<Pick<Planned, 'strategy' | 'canaryShare'>>;

type Demand = {
  readonly isSaid: (marker: Demanded) => boolean;
  /** The flag that says it; null: the CI job does. */
  readonly flag: string | null;
};

const detail = (flag: string, isSaid: (details: Planned['details']) => boolean): Demand => ({
  flag,
  isSaid: ({ details }) => isSaid(details),
});

const demands: { readonly [Name in RequiredField]: Demand } = {
  digest: { flag: '--digest', isSaid: ({ digest }) => digest !== null },
  // What is logged is done: it has no strategy, and nobody follows its attempt.
  strategy: {
    flag: '--strategy',
    isSaid: ({ kind, strategy = null }) => kind === 'logged' || said(strategy),
  },
  'canary-share': {
    flag: '--canary-share',
    isSaid: ({ kind, canaryShare = null }) => kind === 'logged' || canaryShare !== null,
  },
  attempt: { flag: null, isSaid: ({ kind, attempt }) => kind === 'logged' || said(attempt) },
  commit: detail('--commit', ({ commit }) => said(commit)),
  repository: detail('--repository', ({ repository }) => said(repository)),
  build: detail('--build', ({ build }) => said(build)),
  trigger: detail('--trigger', ({ trigger }) => said(trigger)),
  actor: detail('--actor', ({ actor }) => said(actor)),
  owner: detail('--owner', ({ owner }) => said(owner)),
  tickets: detail('--ticket', ({ tickets }) => tickets.length > 0),
  intent: detail('--intent', ({ intent }) => said(intent)),
  'risk-flags': detail('--risk', ({ riskFlags }) => riskFlags.length > 0),
  cluster: detail('--cluster', ({ cluster }) => said(cluster)),
  zone: detail('--zone', ({ zone }) => said(zone)),
  'function-version': detail('--function-version', ({ functionVersion }) => said(functionVersion)),
  'function-alias': detail('--function-alias', ({ functionAlias }) => said(functionAlias)),
  runbook: detail('--runbook', ({ runbook }) => said(runbook)),
  resources: detail('--resource', ({ resources }) => resources.length > 0),
  labels: detail('--label', ({ labels }) => labels.length > 0),
  links: detail('--link', ({ links }) => links.length > 0),
  changes: detail('--change', ({ changes }) => changes.length > 0),
};

/** Those of the required fields that the marker does not have. */
export const missingFields = (
  required: readonly string[],
  marker: Demanded,
): readonly RequiredField[] =>
  required.filter(isRequiredField).filter((name) => !demands[name].isSaid(marker));

/** What a plan lacks that the policy of its place requires. */
export type Lack = {
  readonly fields: readonly RequiredField[];
  readonly message: string;
  readonly hint: string;
};

/**
 * What the marker lacks by the newest document of policies (`row`), or undefined. A document that this release cannot
 * read requires nothing here: a marker is not kept from the log because its reader is old.
 */
export const lackOf = (
  row: Pick<PolicyRow, 'position' | 'document'> | undefined,
  marker: Demanded,
): Lack | undefined => {
  const document = row && readDocumentText(row.document);
  if (row === undefined || document?.ok !== true) return undefined;
  return lackIn(document.value, row.position, marker);
};

/** What the marker lacks by the document of policies that was set at a position, or undefined. */
export const lackIn = (
  document: PolicyDocument,
  position: Position,
  marker: Demanded,
): Lack | undefined => {
  const { component, environment } = marker.slot;
  const { placed } = policyFor(document, component, environment);
  const fields = missingFields(placed.policy.required, marker);
  if (fields.length === 0) return undefined;
  const flags = fields.flatMap((name) => demands[name].flag ?? []);
  const fromJob = fields.some((name) => demands[name].flag === null);
  return {
    fields,
    message: `the policy at position ${position} requires ${fields.join(', ')} of what is deployed to ${environment} (component ${component})`,
    hint: [
      ...(flags.length === 0 ? [] : [`give ${flags.join(', ')}`]),
      ...(fromJob ? ['run it in a CI job, whose attempt it names'] : []),
      `plimsoll policy show ${position} shows what is required`,
    ].join('; '),
  };
};
