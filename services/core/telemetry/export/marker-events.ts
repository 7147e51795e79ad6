import type { Emittable, Marker } from '../../markers/marker.ts';
import type { Severity } from './exported.ts';

/**
 * The name of each kind as an event. OpenTelemetry has none for deployments yet, so these are our own: static, with
 * nothing of a deployment in them (https://opentelemetry.io/docs/specs/semconv/general/events/).
 */
export const eventNames: { readonly [Kind in Emittable['kind']]: string } = {
  planned: 'plimsoll.deployment.planned',
  started: 'plimsoll.deployment.started',
  succeeded: 'plimsoll.deployment.succeeded',
  failed: 'plimsoll.deployment.failed',
  canceled: 'plimsoll.deployment.canceled',
  'traffic-shifted': 'plimsoll.deployment.traffic_shifted',
  'phase-advanced': 'plimsoll.deployment.phase_advanced',
  logged: 'plimsoll.deployment.logged',
  recorded: 'plimsoll.deployment.recorded',
  undeployed: 'plimsoll.deployment.undeployed',
  released: 'plimsoll.release.released',
  'support-ended': 'plimsoll.release.support_ended',
  label: 'plimsoll.deployment.labelled',
  freeze: 'plimsoll.place.frozen',
  'flag-changed': 'plimsoll.flag.changed',
  'config-changed': 'plimsoll.config.changed',
  'secret-changed': 'plimsoll.secret.changed',
  'migration-started': 'plimsoll.migration.started',
  'migration-finished': 'plimsoll.migration.finished',
  'incident-opened': 'plimsoll.incident.opened',
  'incident-resolved': 'plimsoll.incident.resolved',
};

export const isEmittable = (marker: Marker): marker is Emittable =>
  Object.hasOwn(eventNames, marker.kind);

export const severityOf = (marker: Emittable): Severity => {
  switch (marker.kind) {
    case 'failed':
      return 'ERROR';
    case 'canceled':
    case 'incident-opened':
      return 'WARN';
    case 'migration-finished':
      return marker.outcome === 'failed' ? 'ERROR' : 'INFO';
    case 'planned':
    case 'started':
    case 'succeeded':
    case 'traffic-shifted':
    case 'phase-advanced':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
    case 'label':
    case 'freeze':
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
    case 'migration-started':
    case 'incident-resolved':
      return 'INFO';
  }
};
