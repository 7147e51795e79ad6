import { noDetails } from '../no-details.ts';
import { createHash } from 'node:crypto';
import type { NewRecord } from '../../core/log/record.ts';
import { kinds } from '../../core/markers/kinds.ts';
import type { Decided, Kind } from '../../core/markers/marker.ts';
import { parseMarker } from '../../core/markers/parse-marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import { headerNames, signMarker, waitedHeader, waitedMessage } from '../../core/markers/wire.ts';
import type { Fact, Place, Scope, Told } from './told.ts';
import { signerOf, tools } from './tools.ts';

// Writes signed records together with what they say.

export const audience = 'simulation';
/** 2026-11-21T10:00:00Z: when every simulated log is opened. */
export const openedAtMs = 1_795_255_200_000;

/** A UUID for a name: the same name is the same id. */
export const idOf = (name: string, version: 7 | 8 = 7): string => {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

export const logIdOf = (log: string): string => idOf(`log ${log}`);

/** What somebody says; whatever is left out is said by nobody. */
export type Says = {
  readonly by: string;
  readonly kind: Kind;
  /** Name of the marker: the same name is the same id. */
  readonly marker: string;
  readonly deployment?: string;
  readonly place?: Place;
  readonly token?: string;
  readonly version?: string;
  readonly reason?: string;
  readonly details?: string;
  readonly canaryShare?: number;
  readonly analysis?: string;
  readonly evidence?: string;
  readonly key?: string;
  readonly scope?: Scope;
  readonly since?: number;
  readonly log?: string;
  readonly occurredAtMs?: number;
};

export const everything: Scope = {
  roles: ['emitter'],
  environments: ['*'],
  components: ['*'],
  kinds: ['*'],
};

const slotBody = (place: Place | undefined): Body | null =>
  place === undefined ? null : { namespace: 'default', ...place, target: null };

const decisionBody = (says: Says): Body => ({
  analysis: idOf(says.analysis ?? 'analysis', 8),
  windowIndex: 3,
  windowEndedAt: openedAtMs,
  windows: 4,
  windowMs: 5000,
  verdict: says.kind === 'roll-back' ? 'fail' : 'pass',
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
  evidenceDigest: createHash('sha256')
    .update(says.evidence ?? 'evidence')
    .digest('hex'),
  samplesPartition: 0,
  samplesFrom: 10,
  samplesTo: 90,
  fromVersion: says.version ?? '0',
  fromDigest: null,
  toVersion: null,
  toDigest: null,
  metrics: [metricBody],
  stage: stages[says.kind] ?? 'hold',
  mode: 'decide',
  onSilence: null,
  noiseDigest: null,
  carriedFrom: null,
});

const stages: { readonly [kind: string]: string } = {
  promote: 'promoted',
  advance: 'advanced',
  'roll-back': 'rolled-back',
};

/** What a decision says of one metric. */
export const metricBody: Body = {
  id: 'errors',
  judged: 'errors',
  weight: 1,
  isBlamed: true,
  canaryCount: 100,
  canaryEvents: 9,
  baselineCount: 900,
  baselineEvents: 1,
  canaryLevel: null,
  baselineLevel: null,
  ratio: 81,
  ratioLow: 10,
  ratioHigh: 600,
  tolerated: 0.001,
  evidence: 250,
  promoteEvidence: 0.01,
  dispersion: 1,
  dispersionFrom: 'none',
  cappedBlocks: 0,
  strongest: [1, 2],
};

const trustBody = (says: Says): Body => {
  const key = says.key === undefined ? undefined : signerOf(says.key);
  const isNew = says.kind === 'log-opened' || says.kind === 'key-added';
  return {
    log: logIdOf(says.log ?? 'simulated'),
    reason: null,
    key:
      key === undefined || !isNew
        ? null
        : {
            id: key.keyId,
            principal: key.principal,
            algorithm: key.algorithm,
            publicKey: key.publicKey,
            ...(says.scope ?? everything),
          },
    keyId: key === undefined || isNew ? null : key.keyId,
    since: says.since ?? null,
  };
};

const bodyOf = (says: Says): Body => {
  const details = says.details === undefined ? noDetails : { ...noDetails, intent: says.details };
  const plan = {
    slot: slotBody(says.place),
    version: says.version ?? '0',
    digest: null,
    rollback: false,
    details,
  };
  switch (kinds[says.kind].shape) {
    case 'plan':
      return { ...plan, name: 'default', strategy: null, canaryShare: says.canaryShare ?? null };
    case 'place':
      return { ...plan, ...placeBody(says, details), reason: says.reason ?? null };
    case 'change':
      return {
        slot: slotBody(says.place),
        ...{ name: says.version ?? 'migration', fromVersion: null, toVersion: null },
        outcome: says.kind === 'migration-finished' ? 'succeeded' : null,
        ...{ url: null, reason: says.reason ?? null },
        details,
      };
    case 'update':
      return {
        slot: slotBody(says.place),
        statusReported: null,
        reason: says.reason ?? null,
        details,
        canaryShare: says.canaryShare ?? null,
        colour: null,
        phase: says.kind === 'phase-advanced' ? (says.version ?? 'bake') : null,
      };
    case 'decision':
      return { ...decisionBody(says), slot: slotBody(says.place) };
    case 'trust':
      return trustBody(says);
    case 'operation':
      return {
        ...{ generation: null, from: null, to: null, environment: null, days: null },
        ...{ digest: null, note: null },
        ...{ deployments: [], counts: [], positions: says.since === undefined ? [] : [says.since] },
        reason: says.reason ?? 'it is over',
      };
    case 'policy':
    case 'points':
    case 'analysis':
    case 'tick':
    case 'copy':
    case 'instance':
      throw new RangeError(`nobody in the simulation says ${says.kind}`);
  }
};

/** A label stands for the place, and neither it nor a freeze has a version. */
const placeBody = ({ kind, version }: Says, details: Body): Body => {
  if (kind === 'freeze') return { version: '' };
  return kind === 'label'
    ? { version: '', details: { ...details, labels: [{ name: 'tier', value: version ?? '1' }] } }
    : {};
};

const aboutNone: ReadonlySet<string> = new Set(['trust', 'operation', 'change']);

const deploymentIdOf = (says: Says): string | null => {
  if (aboutNone.has(kinds[says.kind].shape)) return null;
  if (says.kind === 'label' || says.kind === 'freeze') return null;
  return isOwn(says.kind) ? idOf(says.marker) : idOf(`deployment ${says.deployment}`, 8);
};

const ownKinds = ['logged', 'recorded', 'undeployed', 'released', 'support-ended'];

/** Whether such a fact is a deployment of its own. */
const isOwn = (kind: Kind): boolean => ownKinds.includes(kind);

const toldOf = (says: Says, record: NewRecord): Told => ({
  unreadable: null,
  by: says.by,
  spoilt: null,
  kind: says.kind,
  role: kinds[says.kind].role as Told['role'],
  marker: idOf(says.marker),
  content: tools.crypto.sha256Hex(record.value),
  deployment: deploymentIdOf(says),
  place: says.place ?? null,
  token: says.token ?? null,
  version: says.version ?? null,
  reason: says.reason ?? null,
  share: says.canaryShare ?? null,
  details: says.details ?? '',
  waited: null,
  decision:
    says.analysis === undefined
      ? null
      : { analysis: says.analysis, evidence: says.evidence ?? 'evidence' },
  trust:
    says.key === undefined
      ? null
      : {
          key: says.key,
          log: says.log ?? 'simulated',
          scope: says.scope ?? null,
          since: says.since ?? null,
        },
});

/** A record that says this, signed. */
export const write = async (says: Says, forAudience: string = audience): Promise<Fact> => {
  const body: Body = {
    kind: says.kind,
    marker: idOf(says.marker),
    deployment: deploymentIdOf(says),
    audience: forAudience,
    source: `/pipelines/${says.by}`,
    occurredAt: says.occurredAtMs ?? openedAtMs,
    producer: null,
    sequence: null,
    attempt: says.token ?? null,
    ...bodyOf(says),
  };
  const parsed = parseMarker(kinds[says.kind].shape, body);
  if (!parsed.ok) throw new TypeError(`${parsed.problem.path}: ${parsed.problem.message}`);
  const record = await signMarker(tools.codec, tools.text, parsed.value, signerOf(says.by));
  return {
    record,
    told: toldOf(says, record),
    what: `${says.kind} by ${says.by} (${says.marker})`,
  };
};

/** The same marker, delivered late by somebody who says so; a forged waiting time is signed for another one. */
export const waited = async (fact: Fact, ms: number, by: string, isGood = true): Promise<Fact> => {
  const { keyId, sign } = signerOf(by);
  const signed = waitedMessage(tools.text, audience, isGood ? ms : ms + 1, fact.told.content);
  const header = waitedHeader(tools.text, ms, keyId, await sign(signed));
  return {
    record: { ...fact.record, headers: [...fact.record.headers, header] },
    told: { ...fact.told, waited: { ms, by, isGood } },
    what: `${fact.what} that waited ${ms} ms${isGood ? '' : ', forged'}`,
  };
};

/** The bytes of a fact with a flaw, and the code that the flaw earns. */
export const spoil = {
  signature: (fact: Fact): Fact => {
    const value = Uint8Array.from(fact.record.value);
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
    return flawed(fact, 'bit flipped', { ...fact.record, value }, { spoilt: 'signature-bad' });
  },
  recordKey: (fact: Fact): Fact =>
    flawed(
      fact,
      'other key',
      { ...fact.record, key: new Uint8Array() },
      { spoilt: 'header-mismatch' },
    ),
  header: (fact: Fact): Fact =>
    flawed(
      fact,
      'another id in the header',
      {
        ...fact.record,
        headers: fact.record.headers.map((header) =>
          header.name === headerNames.id
            ? { ...header, value: tools.text.encodeUtf8(idOf('another')) }
            : header,
        ),
      },
      { spoilt: 'header-mismatch' },
    ),
  signatureHeader: (fact: Fact): Fact =>
    flawed(
      fact,
      'no signature',
      {
        ...fact.record,
        headers: fact.record.headers.filter(({ name }) => name !== headerNames.signature),
      },
      { unreadable: 'header-missing' },
    ),
  schema: (fact: Fact): Fact =>
    flawed(
      fact,
      'swapped schema',
      {
        ...fact.record,
        headers: fact.record.headers.map((header) =>
          header.name === headerNames.schema
            ? { ...header, value: tools.text.encodeUtf8('0'.repeat(64)) }
            : header,
        ),
      },
      { spoilt: 'signature-bad' },
    ),
  size: (fact: Fact): Fact =>
    flawed(
      fact,
      'oversized',
      { ...fact.record, value: oversized },
      { unreadable: 'value-too-large' },
    ),
} as const;

const oversized = new Uint8Array(70_000);

const flawed = (fact: Fact, how: string, record: NewRecord, told: Partial<Told>): Fact => ({
  record,
  told: { ...fact.told, ...told },
  what: `${fact.what}, ${how}`,
});

/** Bytes that are no record at all. */
export const poison = (seed: string): Fact => {
  const value = createHash('sha256').update(seed).digest();
  return {
    record: { key: value.subarray(0, 5), headers: [], value },
    told: {
      unreadable: 'header-missing',
      by: '',
      spoilt: null,
      kind: '',
      role: 'emitter',
      marker: '',
      content: seed,
      deployment: null,
      place: null,
      token: null,
      version: null,
      reason: null,
      share: null,
      details: '',
      waited: null,
      decision: null,
      trust: null,
    },
    what: 'poison bytes',
  };
};

/** What a decision says that an analyser has made. */
export const readDecision = (record: NewRecord): Fact => {
  const header = record.headers.find(({ name }) => name === headerNames.schema);
  const digest = header === undefined ? '' : (tools.text.decodeUtf8(header.value) ?? '');
  const decoded = tools.codec.decode(digest, record.value);
  if (!decoded.ok) throw new TypeError(decoded.problem.message);
  const decided = decoded.value.body as Decided;
  const { environment, component } = decided.slot;
  return {
    record,
    told: {
      unreadable: null,
      by: 'analyser',
      spoilt: null,
      kind: decided.kind,
      role: 'analyser',
      marker: decided.marker,
      content: tools.crypto.sha256Hex(record.value),
      deployment: decided.deployment,
      place: { environment, component },
      token: decided.attempt,
      version: decided.fromVersion,
      reason: null,
      share: null,
      details: '',
      waited: null,
      decision: { analysis: decided.analysis, evidence: decided.evidenceDigest },
      trust: null,
    },
    what: `${decided.kind} by an analyser`,
  };
};
