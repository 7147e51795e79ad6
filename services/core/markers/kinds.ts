import type { Shape } from './codec.ts';
import type {
  Circumstance,
  Kind,
  Marker,
  Operation,
  PlaceFact,
  PolicySet,
  Role,
  TrustChange,
  Update,
} from './marker.ts';

/** The register of kinds: growth costs one line here and its case in the unions. */
export type KindEntry = {
  readonly shape: Shape;
  /** The role a key needs to sign it. */
  readonly role: Role;
  /** What people read in a history. */
  readonly headline: string;
};

export const kinds: { readonly [Name in Kind]: KindEntry } = {
  planned: { shape: 'plan', role: 'emitter', headline: 'planned' },
  started: { shape: 'update', role: 'emitter', headline: 'running' },
  succeeded: { shape: 'update', role: 'emitter', headline: 'succeeded' },
  failed: { shape: 'update', role: 'emitter', headline: 'failed' },
  canceled: { shape: 'update', role: 'emitter', headline: 'canceled' },
  'traffic-shifted': { shape: 'update', role: 'emitter', headline: 'traffic shifted' },
  'phase-advanced': { shape: 'update', role: 'emitter', headline: 'phase' },
  logged: { shape: 'place', role: 'emitter', headline: 'logged' },
  recorded: { shape: 'place', role: 'emitter', headline: 'recorded' },
  undeployed: { shape: 'place', role: 'emitter', headline: 'undeployed' },
  released: { shape: 'place', role: 'emitter', headline: 'released' },
  'support-ended': { shape: 'place', role: 'emitter', headline: 'support ended' },
  label: { shape: 'place', role: 'emitter', headline: 'labelled' },
  freeze: { shape: 'place', role: 'operator', headline: 'frozen' },
  'flag-changed': { shape: 'change', role: 'emitter', headline: 'flag changed' },
  'config-changed': { shape: 'change', role: 'emitter', headline: 'configuration changed' },
  'secret-changed': { shape: 'change', role: 'emitter', headline: 'secret changed' },
  'migration-started': { shape: 'change', role: 'emitter', headline: 'migration started' },
  'migration-finished': { shape: 'change', role: 'emitter', headline: 'migration finished' },
  'incident-opened': { shape: 'change', role: 'emitter', headline: 'incident opened' },
  'incident-resolved': { shape: 'change', role: 'emitter', headline: 'incident resolved' },
  promote: { shape: 'decision', role: 'analyser', headline: 'decision: promote' },
  advance: { shape: 'decision', role: 'analyser', headline: 'decision: advance' },
  hold: { shape: 'decision', role: 'analyser', headline: 'decision: hold' },
  'roll-back': { shape: 'decision', role: 'analyser', headline: 'decision: roll back' },
  'log-opened': { shape: 'trust', role: 'trust-admin', headline: 'log opened' },
  'key-added': { shape: 'trust', role: 'trust-admin', headline: 'key added' },
  'key-retired': { shape: 'trust', role: 'trust-admin', headline: 'key retired' },
  'key-compromised': { shape: 'trust', role: 'trust-admin', headline: 'key compromised' },
  'generation-begun': { shape: 'operation', role: 'operator', headline: 'generation begun' },
  'generation-paused': { shape: 'operation', role: 'operator', headline: 'generation paused' },
  'generation-built': { shape: 'operation', role: 'operator', headline: 'generation built' },
  'generation-switched': { shape: 'operation', role: 'operator', headline: 'generation switched' },
  'generation-dropped': { shape: 'operation', role: 'operator', headline: 'generation dropped' },
  'letters-redriven': { shape: 'operation', role: 'operator', headline: 'dead letters redriven' },
  'letters-discarded': { shape: 'operation', role: 'operator', headline: 'dead letters discarded' },
  'retention-set': { shape: 'operation', role: 'operator', headline: 'retention set' },
  'deployments-forgotten': {
    shape: 'operation',
    role: 'operator',
    headline: 'deployments forgotten',
  },
  'log-archived': { shape: 'operation', role: 'operator', headline: 'log archived' },
  'log-sealed': { shape: 'operation', role: 'operator', headline: 'log sealed' },
  'log-continued': { shape: 'operation', role: 'operator', headline: 'log continued' },
  'policy-set': { shape: 'policy', role: 'operator', headline: 'policy set' },
  'decisions-stopped': { shape: 'operation', role: 'operator', headline: 'decisions stopped' },
  'decisions-resumed': { shape: 'operation', role: 'operator', headline: 'decisions resumed' },
  'freeze-lifted': { shape: 'operation', role: 'operator', headline: 'freeze lifted' },
  'decision-approved': { shape: 'operation', role: 'operator', headline: 'decision approved' },
  'decision-declined': { shape: 'operation', role: 'operator', headline: 'decision declined' },
};

export const isKind = (word: string): word is Kind => Object.hasOwn(kinds, word);

/** The shape is what these have in common, and no other kind has it. */
export const isTrustChange = (marker: Marker): marker is TrustChange =>
  kinds[marker.kind].shape === 'trust';

export const isOperation = (marker: Marker): marker is Operation =>
  kinds[marker.kind].shape === 'operation';

export const isPolicySet = (marker: Marker): marker is PolicySet => marker.kind === 'policy-set';

/** What operators say, of no deployment. */
export const isOfOperator = (marker: Marker): marker is Operation | PolicySet =>
  isOperation(marker) || isPolicySet(marker);

/** What comes to a place or goes from it without a plan: each is a deployment of its own. */
export const isPlaceFact = (marker: Marker): marker is PlaceFact =>
  kinds[marker.kind].shape === 'place' && !isCircumstance(marker);

/** What is said of a place beside its deployments: it moves none of them. */
export const isCircumstance = (marker: Marker): marker is Circumstance =>
  marker.kind === 'label' || marker.kind === 'freeze' || kinds[marker.kind].shape === 'change';

export const isUpdate = (marker: Marker): marker is Update => kinds[marker.kind].shape === 'update';

/** Whether a marker of a kind may mean another thing, or nothing, before what was said earlier of the same is there. */
export const buildsOnEarlier = (kind: string): boolean => {
  if (!isKind(kind)) return false;
  const { shape } = kinds[kind];
  return shape === 'plan' || shape === 'update' || endings.has(kind);
};

const endings: ReadonlySet<Kind> = new Set<Kind>([
  'undeployed',
  'support-ended',
  'migration-finished',
  'incident-resolved',
]);
