import type { Shape } from './codec.ts';
import type { Kind, Marker, Operation, PolicySet, Role, TrustChange, Update } from './marker.ts';

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
  logged: { shape: 'place', role: 'emitter', headline: 'logged' },
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

export const isUpdate = (marker: Marker): marker is Update => kinds[marker.kind].shape === 'update';
