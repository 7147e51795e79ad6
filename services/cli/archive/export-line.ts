import type { Json } from '../../core/canonical.ts';
import type { Checked } from '../../core/check/check-batch.ts';
import type { DeadLetter } from '../../core/dead-letters.ts';
import { isoTime } from '../../core/instant.ts';
import type { LogRecord } from '../../core/log/record.ts';
import type { Text } from '../../core/markers/crypto.ts';
import type { Kind } from '../../core/markers/marker.ts';
import { markerJson } from '../../core/markers/marker-json.ts';
import type { MarkerJson } from '../../core/markers/marker-json.ts';
import type { AttemptLine } from '../../core/slot-state.ts';
import type { Line } from '../../core/views.ts';

/** What the read models say of a record that is exported. */
export type Known = {
  /** Why it was not accepted; undefined: it was, or it says again what was. */
  readonly letter: DeadLetter | undefined;
  readonly isDuplicate: boolean;
  /** The attempt that it belongs to, as it stands now. */
  readonly attempt: AttemptLine | undefined;
};

/**
 * One record, one line: where and when, what became of it, what it is about, who signed it. `body` is the marker with
 * every field, as `readMarkerJson` takes it back; null where the signature or the form is not good.
 */
export const exportLine = (text: Text, checked: Checked, known: Known): Line => {
  const { record } = checked;
  const { letter, attempt } = known;
  const authentic = checked.outcome === 'rejected' ? undefined : checked.authentic;
  const body = authentic === undefined ? null : markerJson(text, authentic.marker);
  const slot = slotOf(body);
  return {
    position: record.position,
    appendedAt: isoTime(record.appendedAtMs),
    check: letter?.code ?? (known.isDuplicate ? 'duplicate' : 'accepted'),
    message: letter?.message ?? null,
    kind: body?.['kind'] ?? null,
    status: authentic === undefined ? null : statusOf(authentic.marker.kind),
    deployment: body?.['deployment'] ?? null,
    attempt: attempt?.attempt ?? null,
    namespace: slot['namespace'] ?? attempt?.namespace ?? null,
    environment: slot['environment'] ?? attempt?.environment ?? null,
    component: slot['component'] ?? attempt?.component ?? null,
    target: slot['target'] ?? attempt?.target ?? null,
    version: body?.['version'] ?? attempt?.version ?? null,
    digest: artifactOf(body) ?? attempt?.digest ?? null,
    signer: authentic?.signer.principal ?? null,
    key: authentic?.signer.id ?? null,
    waitedMs: authentic?.waitedMs ?? null,
    body,
  };
};

/** The bytes as they lie on the log, base64: for whoever checks the signature by other means. */
export const rawOf = (text: Text, { key, headers, value }: LogRecord): Json => ({
  key: text.encodeBase64(key),
  headers: headers.map(({ name, value: content }) => ({ name, value: text.encodeBase64(content) })),
  value: text.encodeBase64(value),
});

const slotOf = (body: MarkerJson | null): MarkerJson => {
  const slot = body?.['slot'];
  return typeof slot === 'object' && slot !== null ? (slot as MarkerJson) : {};
};

/** An operation's digest is not that of an artifact. */
const artifactOf = (body: MarkerJson | null): Json | undefined => {
  const digest = body?.['digest'];
  return typeof digest === 'string' && digest.includes(':') ? digest : undefined;
};

/** The word for the status that a marker claims; null for what claims none. */
const statusOf = (kind: Kind): string | null => {
  switch (kind) {
    case 'planned':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
      return kind;
    case 'started':
      return 'running';
    case 'traffic-shifted':
    case 'phase-advanced':
    case 'label':
    case 'freeze':
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
    case 'migration-started':
    case 'migration-finished':
    case 'incident-opened':
    case 'incident-resolved':
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
    case 'log-opened':
    case 'key-added':
    case 'key-retired':
    case 'key-compromised':
    case 'generation-begun':
    case 'generation-paused':
    case 'generation-built':
    case 'generation-switched':
    case 'generation-dropped':
    case 'letters-redriven':
    case 'letters-discarded':
    case 'retention-set':
    case 'deployments-forgotten':
    case 'log-archived':
    case 'log-sealed':
    case 'log-continued':
    case 'decisions-stopped':
    case 'decisions-resumed':
    case 'freeze-lifted':
    case 'decision-approved':
    case 'decision-declined':
    case 'policy-set':
      return null;
  }
};

const columns: readonly string[] = [
  ...['position', 'appendedAt', 'check', 'kind', 'status', 'deployment', 'attempt'],
  ...['namespace', 'environment', 'component', 'target', 'version', 'digest', 'signer', 'key'],
  ...['waitedMs', 'message'],
];
/** Fields of the body that people look for; the whole of it is for JSON Lines. */
const bodyColumns: readonly string[] = [
  ...['marker', 'source', 'occurredAt', 'statusReported', 'reason', 'note', 'details'],
];

export const csvHeading = (isRaw: boolean): readonly string[] => [
  ...columns,
  ...bodyColumns,
  ...(isRaw ? ['raw'] : []),
];

export const csvCells = (line: Line, isRaw: boolean): readonly Json[] => [
  ...columns.map((name) => line[name] ?? null),
  ...bodyColumns.map((name) => (line['body'] as MarkerJson | null)?.[name] ?? null),
  ...(isRaw ? [line['raw'] ?? null] : []),
];
