import type { Json } from '../../canonical.ts';
import type { Text } from '../../markers/crypto.ts';
import { isKind, kinds } from '../../markers/kinds.ts';
import { readMarkerJson } from '../../markers/marker-json.ts';
import type { MarkerJson } from '../../markers/marker-json.ts';
import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import { uuidOfParts } from '../../uuid-v8.ts';
import type { TimedMarker } from './markers.ts';

/** What nobody needs to write by hand: most of it is null in most markers. */
const usual: MarkerJson = {
  ...{ source: 'markers', producer: null, sequence: null, attempt: null },
  ...{ slot: null, statusReported: null, reason: null, canaryShare: null, colour: null },
  phase: null,
  ...{ name: 'default', digest: null, rollback: false, strategy: null },
};
const usualDetails: MarkerJson = {
  ...{ commit: null, repository: null, build: null, trigger: null, actor: null, owner: null },
  ...{ tickets: [], intent: null, riskFlags: [], cluster: null, zone: null },
  ...{ functionVersion: null, functionAlias: null, runbook: null },
  ...{ resources: [], labels: [], links: [], changes: [] },
};
const usualSlot: MarkerJson = { namespace: 'default', environment: 'default', target: null };

/**
 * Reads one line of markers: what `plimsoll export` prints, or a marker as its `body` is there; what is usual may be
 * left out, and `occurredAt` may be a UTC time. Undefined: the line says nothing of what runs or was decided, or was not
 * accepted. The problem is a sentence.
 */
export const readMarkerLine = (
  tools: { readonly text: Text; readonly digest: TextDigest },
  audience: string,
  line: string,
  timeOf: (iso: string) => number,
): Result<TimedMarker | undefined, string> => {
  let json: Json;
  try {
    json = JSON.parse(line) as Json;
  } catch {
    return fail('it is no JSON');
  }
  if (!isObject(json)) return fail('it is no object');
  const isExported = 'body' in json && 'appendedAt' in json;
  // What was not accepted changed nothing.
  if (isExported && json['check'] !== 'accepted') return ok(undefined);
  const body = isExported ? (json['body'] ?? null) : json;
  if (!isObject(body)) return fail('its body is no object');
  const { kind } = body;
  if (typeof kind !== 'string' || !isKind(kind))
    return fail(
      `${kind === undefined ? 'it has no kind' : 'its kind is not in the register'}; by hand it is one of ${runKinds.join(', ')}`,
    );
  // By hand nobody writes decisions or sets policies; those on the log tell since when it was judged, and by what.
  if (!runKinds.includes(kind) && !(isExported && judgingShapes.includes(kinds[kind].shape)))
    return ok(undefined);
  const slip = isExported ? undefined : slipIn(kind, body, timeOf);
  if (slip !== undefined) return fail(slip);
  const marker = readMarkerJson(tools.text, completed(tools.digest, audience, line, body, timeOf));
  if (!marker.ok) return fail(marker.problem.message);
  if (!isExported) return ok({ marker: marker.value, atMs: marker.value.occurredAt });
  const { appendedAt, waitedMs } = json;
  const atMs =
    timeOf(typeof appendedAt === 'string' ? appendedAt : '') -
    (typeof waitedMs === 'number' ? waitedMs : 0);
  return Number.isFinite(atMs) ? ok({ marker: marker.value, atMs }) : fail('appendedAt is no time');
};

/** What says which versions run. */
const runKinds: readonly string[] = [
  ...['planned', 'started', 'traffic-shifted', 'succeeded', 'failed', 'canceled', 'logged'],
  ...['recorded', 'undeployed'],
];

/** Whether such a marker is a deployment of its own. */
const isOwn = (kind: unknown): boolean =>
  kind === 'logged' || kind === 'recorded' || kind === 'undeployed';

/** What is easily left out or written otherwise by hand, told as somebody who writes by hand needs it. */
const slipIn = (
  kind: string,
  body: MarkerJson,
  timeOf: (iso: string) => number,
): string | undefined => {
  const { slot, deployment, version, occurredAt } = body;
  const isPlaced = kind === 'planned' || isOwn(kind);
  if (isPlaced && !isObject(slot))
    return `${slot === undefined ? 'it has no slot' : 'its slot is no object'}: "slot": { "environment": "production", "component": "checkout" } says where it runs`;
  if (isPlaced && kind !== 'undeployed' && typeof version !== 'string')
    return version === undefined ? 'it has no version' : 'its version must be a text, in quotes';
  if (!isOwn(kind) && deployment === undefined)
    return 'it has no deployment: the UUID that its plan and its updates have in common';
  if (
    occurredAt === undefined ||
    (typeof occurredAt === 'string' && Number.isNaN(timeOf(occurredAt)))
  )
    return `${occurredAt === undefined ? 'it has no occurredAt' : 'its occurredAt is no such time'}: a time in UTC such as 2026-11-21T10:00:00Z, or milliseconds since 1970`;
  return undefined;
};

const judgingShapes: readonly string[] = ['decision', 'policy'];

const completed = (
  digest: TextDigest,
  audience: string,
  line: string,
  body: MarkerJson,
  timeOf: (iso: string) => number,
): MarkerJson => {
  const { kind, occurredAt, details, slot } = body;
  const marker = body['marker'] ?? uuidOfParts(digest, ['marker', line]);
  return {
    ...usual,
    audience,
    marker,
    ...(isOwn(kind) ? { deployment: marker } : {}),
    ...(kind === 'undeployed' ? { version: '' } : {}),
    ...body,
    ...(typeof occurredAt === 'string' ? { occurredAt: timeOf(occurredAt) } : {}),
    ...(isObject(slot) ? { slot: { ...usualSlot, ...slot } } : {}),
    details: isObject(details) ? { ...usualDetails, ...details } : usualDetails,
  };
};

const isObject = (json: Json | undefined): json is MarkerJson =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
