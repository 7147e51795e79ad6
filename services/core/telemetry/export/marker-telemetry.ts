import { kinds } from '../../markers/kinds.ts';
import type { Emittable, Slot } from '../../markers/marker.ts';
import { maskSecrets } from '../../secrets/find-secrets.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import type { ResourceAttributes } from '../resource-attributes.ts';
import { attributeLengthMax, attributesOf } from '../resource-attributes.ts';
import type { AttributeValue, Attributes, ExportedSpan, MarkerTelemetry } from './exported.ts';
import type { KnownDeployment } from './known-deployment.ts';
import { eventNames, severityOf } from './marker-events.ts';
import type { DeploymentSpan, TraceContext } from './trace-context.ts';
import { deploymentSpan } from './trace-context.ts';

// A marker in the words of OpenTelemetry's semantic conventions 1.44: deployment.*, service.*, vcs.*, cicd.pipeline.*;
// what they have no name for is plimsoll.*.

export type ToTell = {
  readonly marker: Emittable;
  readonly known: KnownDeployment;
  /** Where it stands on the log, and the attempt that it met; null: it waits in the spool. */
  readonly position: number | null;
  readonly attempt: number | null;
  /** The span that whoever tells it works in, or null. */
  readonly parent: TraceContext | null;
  /** What the environment says of the resource; what was deployed counts before it. */
  readonly environment: ResourceAttributes;
  /** `vcs.*` as the CI job knows it. */
  readonly versionControl: ResourceAttributes;
  /** Of the CI run: its id and its address. */
  readonly run: { readonly id: string | null; readonly url: string | null };
  readonly nowMs: number;
};

export const markerTelemetry = (digest: TextDigest, told: ToTell): MarkerTelemetry => {
  const { marker, parent } = told;
  const { deployment, attempt } = marker;
  const span = deployment === null ? null : deploymentSpan(digest, deployment, attempt, parent);
  return {
    resource: masked(resourceOf(told)),
    span: span === null || !span.isSampled ? null : exportedSpan(told, span),
    event: {
      timeMs: marker.occurredAt,
      observedMs: told.nowMs,
      severity: severityOf(marker),
      name: eventNames[marker.kind],
      body: maskSecrets(sentenceOf(told)),
      attributes: masked(eventAttributes(told)),
      within: span ?? parent,
    },
  };
};

const slotOf = ({ marker, known }: ToTell): Slot | null => marker.slot ?? known.slot;

/** Of what the environment says so many are taken: an SDK, too, cuts a longer list. */
const attributesMax = 128;

const resourceOf = (told: ToTell): ResourceAttributes => {
  const { marker, known, environment, versionControl } = told;
  const slot = slotOf(told);
  const inherited = Object.fromEntries(
    Object.entries(environment)
      .filter(([name, value]) => Math.max(name.length, value.length) <= attributeLengthMax)
      .slice(0, attributesMax),
  );
  return {
    // A resource must have one.
    'service.name': 'unknown_service',
    ...inherited,
    ...present({
      'service.namespace': slot === null || slot.namespace === 'default' ? null : slot.namespace,
      'vcs.repository.url.full': webAddress(known.repository ?? marker.details.repository),
      'vcs.ref.head.revision': known.commit ?? marker.details.commit,
    }),
    ...versionControl,
    ...attributesOf({
      deployment: marker.deployment,
      name: nameOf(told),
      environment: slot?.environment ?? null,
      component: slot?.component ?? null,
      version: versionOf(told),
    }),
  };
};

/** The attribute is an address for browsers: `git@host:owner/name` is none. */
const webAddress = (address: string | null): string | null =>
  address !== null && /^https?:\/\//.test(address) ? address.replace(/\.git$/, '') : null;

const nameOf = ({ marker, known }: ToTell): string | null =>
  marker.kind === 'planned' ? marker.name : known.name;

const versionOf = ({ marker, known }: ToTell): string | null => {
  if (!('version' in marker)) return known.version;
  return marker.version === '' ? known.version : marker.version;
};

const digestOf = ({ marker, known }: ToTell): string | null =>
  'digest' in marker ? marker.digest : known.digest;

/** What brings an earlier version back says so in its plan, or by itself. */
const isRollback = ({ marker, known }: ToTell): boolean =>
  'rollback' in marker ? marker.rollback : known.rollback;

const eventAttributes = (told: ToTell): Attributes => {
  const { marker } = told;
  return {
    ...present({
      // Whoever gets a marker twice sees by it that it is one: https://opentelemetry.io/docs/specs/semconv/registry/attributes/log/
      'log.record.uid': marker.marker,
      'plimsoll.kind': marker.kind,
      'plimsoll.source': marker.source,
      'plimsoll.reason': 'reason' in marker ? marker.reason : null,
      'plimsoll.status.reported': 'statusReported' in marker ? marker.statusReported : null,
      'plimsoll.strategy': 'strategy' in marker ? marker.strategy : null,
      'plimsoll.canary.share': 'canaryShare' in marker ? marker.canaryShare : null,
      'plimsoll.colour': 'colour' in marker ? marker.colour : null,
      'plimsoll.phase': 'phase' in marker ? marker.phase : null,
      ...('fromVersion' in marker
        ? {
            'plimsoll.change.name': marker.name,
            'plimsoll.change.version.from': marker.fromVersion,
            'plimsoll.change.version.to': marker.toVersion,
            'plimsoll.change.outcome': marker.outcome,
          }
        : {}),
    }),
    ...commonAttributes(told),
  };
};

const commonAttributes = (told: ToTell): Attributes => {
  const { marker, known, position, attempt } = told;
  return present({
    'deployment.status': deploymentStatus(marker),
    'artifact.hash': digestOf(told),
    'plimsoll.audience': marker.audience,
    'plimsoll.target': slotOf(told)?.target ?? null,
    'plimsoll.attempt': attempt ?? known.attempt,
    'plimsoll.position': position,
    'plimsoll.rollback': isRollback(told) ? true : null,
  });
};

/** The convention knows these two alone. */
const deploymentStatus = ({ kind }: Emittable): string | null => {
  if (kind === 'logged' || kind === 'recorded') return 'succeeded';
  return kind === 'succeeded' || kind === 'failed' ? kind : null;
};

type Result = 'success' | 'failure' | 'error' | 'timeout' | 'cancellation';

/** How a deployment ended in the words of `cicd.pipeline.task.run.result`, or undefined: this does not end one. */
const resultOf = (marker: Emittable): Result | undefined => {
  switch (marker.kind) {
    case 'succeeded':
    case 'logged':
    case 'recorded':
      return 'success';
    case 'failed': {
      const word = marker.statusReported ?? '';
      if (/^timed[\s_-]?out$/i.test(word.trim())) return 'timeout';
      return /^error(?:ed)?$/i.test(word.trim()) ? 'error' : 'failure';
    }
    case 'canceled':
      return 'cancellation';
    case 'planned':
    case 'started':
    case 'traffic-shifted':
    case 'phase-advanced':
    case 'undeployed':
    case 'released':
    case 'support-ended':
    case 'label':
    case 'freeze':
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
    case 'migration-started':
    case 'migration-finished':
    case 'incident-opened':
    case 'incident-resolved':
      return undefined;
  }
};

/** https://opentelemetry.io/docs/specs/semconv/cicd/cicd-spans/ */
const exportedSpan = (told: ToTell, span: DeploymentSpan): ExportedSpan | null => {
  const { marker, known, run } = told;
  const result = resultOf(marker);
  if (result === undefined) return null;
  const endMs = marker.occurredAt;
  const component = slotOf(told)?.component;
  const name = maskSecrets(component === undefined ? 'deploy' : `deploy ${component}`);
  const isBad = result === 'failure' || result === 'error' || result === 'timeout';
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name,
    // The clock of another machine may be ahead of ours.
    startMs: Math.min(known.start?.atMs ?? endMs, endMs),
    endMs,
    attributes: masked({
      ...present({
        'cicd.pipeline.task.name': name,
        'cicd.pipeline.task.type': 'deploy',
        'cicd.pipeline.task.run.id':
          marker.attempt === null ? marker.deployment : `${marker.deployment}/${marker.attempt}`,
        'cicd.pipeline.task.run.url.full': webAddress(marker.source),
        'cicd.pipeline.task.run.result': result,
        'cicd.pipeline.run.id': run.id,
        'cicd.pipeline.run.url.full': run.url,
        'error.type': isBad ? result : null,
        // `end`: nobody knows when it began, and the span has no length.
        'plimsoll.start.from': known.start?.from ?? 'end',
      }),
      ...commonAttributes(told),
    }),
    error: isBad ? maskSecrets(reasonOf(marker)) : null,
  };
};

const reasonOf = (marker: Emittable): string => ('reason' in marker ? (marker.reason ?? '') : '');

const sentenceOf = (told: ToTell): string => {
  const { marker } = told;
  const slot = slotOf(told);
  const reason = reasonOf(marker);
  const subject = [
    slot?.component,
    versionOf(told),
    slot === null ? null : `in ${slot.environment}`,
  ];
  return [
    `${kinds[marker.kind].headline}:`,
    ...subject.filter((word) => word !== null && word !== undefined),
    ...(reason === '' ? [] : [`(${reason})`]),
  ].join(' ');
};

const present = <Value extends AttributeValue>(attributes: {
  readonly [name: string]: Value | null;
}): { readonly [name: string]: Value } =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]): [string, Value][] =>
      value === null ? [] : [[name, value]],
    ),
  );

/** A marker was searched for secrets before it was signed; what the environment adds was not. */
const masked = (attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === 'string' ? maskSecrets(value) : value,
    ]),
  );
