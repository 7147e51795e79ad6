import type { NewRecord } from '../../services/core/log/record.ts';
import type { InstanceStarted } from '../../services/core/instances/instance.ts';
import { signInstance } from '../../services/core/instances/wire.ts';
import type { MarkerId } from '../../services/core/markers/marker.ts';
import { keyOf, openedAtMs, tools } from './given.ts';
import { audience, id, place } from './markers.ts';

// Instances that started, each valid; a test names only what it is about.

export const digestOf = (name: string): string =>
  `sha256:${tools.crypto.sha256Hex(tools.text.encodeUtf8(name))}`;

export const started = (
  instance: string,
  over: Partial<InstanceStarted> = {},
): InstanceStarted => ({
  marker: id(`instance ${instance} ${JSON.stringify(over)}`) as MarkerId,
  deployment: null,
  kind: 'instance-started',
  audience,
  source: '/nodes/one',
  occurredAt: openedAtMs,
  producer: null,
  sequence: null,
  attempt: null,
  slot: place('production'),
  version: '2.0.0',
  digest: digestOf('2.0.0'),
  instance,
  cluster: null,
  zone: null,
  startedAt: openedAtMs,
  ...over,
});

/** The start as its record, signed by the key of that name. */
export const startRecord = (
  name: string,
  instance: string,
  over: Partial<InstanceStarted> = {},
): Promise<NewRecord> =>
  signInstance(tools.codec, tools.text, started(instance, over), keyOf(name));
