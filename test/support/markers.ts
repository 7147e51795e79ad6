import { createHash } from 'node:crypto';
import type { Body } from '../../services/core/markers/upcast.ts';
import type {
  Kind,
  OperationKind,
  PlaceChange,
  Role,
  Slot,
} from '../../services/core/markers/marker.ts';
import { noOperationFields } from '../../services/core/operations.ts';
import { noDetails } from '../../services/dev/no-details.ts';
import { metricBody } from '../../services/dev/simulate/write.ts';
import type { Signer } from '../../services/ports/signer.ts';

// Bodies of markers, each of them valid; a test names only what it is about.

export const audience = 'local';
export const logId = '0190a000-0000-7000-8000-000000000000';

/** A UUID for a name: the same name is the same id. */
export const id = (name: string, version: 7 | 8 = 7): string => {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

export { noDetails };

export const run = (name: string): string => id(`deployment ${name}`, 8);

export const place = (
  environment: string,
  component = 'checkout',
  target: string | null = null,
): Slot => ({
  namespace: 'default',
  environment,
  component,
  target,
});

/** What a marker says beside its id and time, which the log of the test gives. */
export type Said = Body & { readonly kind: Kind };

const envelope = { producer: null, sequence: null, attempt: null };

export const planned = (version = '2.0.0', over: Body = {}): Said => ({
  ...envelope,
  kind: 'planned',
  deployment: run('7'),
  slot: place('production'),
  name: 'default',
  version,
  digest: null,
  rollback: false,
  strategy: null,
  canaryShare: null,
  details: noDetails,
  ...over,
});

const update =
  (kind: 'started' | 'succeeded' | 'failed' | 'canceled' | 'traffic-shifted' | 'phase-advanced') =>
  (over: Body = {}): Said => ({
    ...envelope,
    kind,
    deployment: run('7'),
    slot: null,
    statusReported: null,
    reason: null,
    details: noDetails,
    canaryShare: null,
    colour: null,
    phase: null,
    ...over,
  });

export const started: (over?: Body) => Said = update('started');
export const succeeded: (over?: Body) => Said = update('succeeded');
export const failed: (over?: Body) => Said = update('failed');
export const canceled: (over?: Body) => Said = update('canceled');
export const shifted: (over?: Body) => Said = update('traffic-shifted');
export const advanced = (phase: string, over: Body = {}): Said =>
  update('phase-advanced')({ phase, ...over });

const placeFields = {
  slot: place('production'),
  version: '',
  digest: null,
  rollback: false,
  reason: null,
  details: noDetails,
};

/** Its deployment id is its marker id. */
export const logged = (version = '2.0.0', over: Body = {}): Said => ({
  ...envelope,
  kind: 'logged',
  ...placeFields,
  version,
  ...over,
});

export const recorded = (version = '2.0.0', over: Body = {}): Said => ({
  ...logged(version, over),
  kind: 'recorded',
});
export const released = (version = '2.0.0', over: Body = {}): Said => ({
  ...logged(version, over),
  kind: 'released',
});
export const undeployed = (over: Body = {}): Said => ({ ...logged('', over), kind: 'undeployed' });
export const supportEnded = (version = '2.0.0', over: Body = {}): Said => ({
  ...logged(version, over),
  kind: 'support-ended',
});

/** Labels for what stands in the slot; a test names the deployment. */
export const labelled = (labels: { readonly [name: string]: string }, over: Body = {}): Said => ({
  ...envelope,
  kind: 'label',
  deployment: null,
  ...placeFields,
  details: {
    ...noDetails,
    labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
  },
  ...over,
});

export const frozen = (over: Body = {}): Said => ({
  ...envelope,
  kind: 'freeze',
  deployment: null,
  ...placeFields,
  reason: 'the holidays',
  ...over,
});

/** Something beside deployments. */
export const changed = (kind: PlaceChange['kind'], name: string, over: Body = {}): Said => ({
  ...envelope,
  kind,
  deployment: null,
  slot: place('production'),
  name,
  fromVersion: null,
  toVersion: null,
  outcome: kind === 'migration-finished' ? 'succeeded' : null,
  url: null,
  reason: null,
  details: noDetails,
  ...over,
});

export const decided = (
  kind: 'promote' | 'advance' | 'hold' | 'roll-back',
  over: Body = {},
): Said => ({
  ...envelope,
  kind,
  deployment: run('7'),
  slot: place('production'),
  analysis: id('analysis', 8),
  windowIndex: 3,
  windowEndedAt: 1_795_000_000_000,
  windows: 4,
  windowMs: 5000,
  verdict: kind === 'roll-back' ? 'fail' : 'pass',
  reason: 'errors',
  explanation: 'the canary fails more often than allowed',
  metric: 'errors',
  canary: { requests: 100, errors: 9 },
  baseline: { requests: 900, errors: 1 },
  ratio: 81,
  ratioLow: 10,
  ratioHigh: 600,
  evidence: 250,
  evidenceNeeded: 200,
  toleranceRelative: 0.1,
  toleranceAbsolute: 0.001,
  strongest: [1, 2],
  share: null,
  validForMs: 60_000,
  judge: 'errors.v1',
  policyDigest: 'a'.repeat(64),
  evidenceDigest: 'b'.repeat(64),
  samplesPartition: 0,
  samplesFrom: 10,
  samplesTo: 90,
  fromVersion: '2.0.0',
  fromDigest: null,
  toVersion: '1.9.0',
  toDigest: null,
  metrics: [metricDecided({ isBlamed: kind === 'roll-back' })],
  stage: stages[kind],
  mode: 'decide',
  onSilence: null,
  noiseDigest: null,
  carriedFrom: null,
  ...over,
});

const stages = {
  promote: 'promoted',
  advance: 'advanced',
  hold: 'hold',
  'roll-back': 'rolled-back',
} as const;

export const metricDecided = (over: Body = {}): Body => ({
  ...metricBody,
  isBlamed: false,
  tolerated: 0.0017,
  promoteEvidence: 1,
  ...over,
});

/** What an operator did; a test names the fields that its kind uses. */
export const operated = (kind: OperationKind, over: Body = {}): Said => ({
  ...envelope,
  kind,
  deployment: null,
  reason: 'the test asks for it',
  ...noOperationFields,
  ...over,
});

/** Says from here on: canaries are judged by this document. */
export const policySet = (
  document: string = '{"policies":[{"component":"*","environment":"*"}],"version":2}',
  over: Body = {},
): Said => ({
  ...envelope,
  kind: 'policy-set',
  deployment: null,
  reason: 'the test asks for it',
  document,
  digest: createHash('sha256').update(document).digest('hex'),
  ...over,
});

export type Scope = {
  readonly roles?: readonly Role[];
  readonly environments?: readonly string[];
  readonly components?: readonly string[];
  readonly kinds?: readonly string[];
};

export const trustedKey = (signer: Signer, scope: Scope): Body => ({
  id: signer.keyId,
  principal: signer.principal,
  algorithm: signer.algorithm,
  publicKey: signer.publicKey,
  roles: scope.roles ?? ['emitter'],
  environments: scope.environments ?? ['*'],
  components: scope.components ?? ['*'],
  kinds: scope.kinds ?? ['*'],
});

const trust = { ...envelope, deployment: null, log: logId, reason: null };

export const opened = (signer: Signer, over: Body = {}): Said => ({
  ...trust,
  kind: 'log-opened',
  key: trustedKey(signer, { roles: ['trust-admin'] }),
  keyId: null,
  since: null,
  ...over,
});

export const added = (signer: Signer, scope: Scope = {}, over: Body = {}): Said => ({
  ...trust,
  kind: 'key-added',
  key: trustedKey(signer, scope),
  keyId: null,
  since: null,
  ...over,
});

export const retired = (signer: Signer, over: Body = {}): Said => ({
  ...trust,
  kind: 'key-retired',
  key: null,
  keyId: signer.keyId,
  since: null,
  ...over,
});

export const compromised = (signer: Signer, since: number, over: Body = {}): Said => ({
  ...trust,
  kind: 'key-compromised',
  key: null,
  keyId: signer.keyId,
  since,
  ...over,
});
