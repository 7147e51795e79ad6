import { decisionIsMoot } from '../core/canary/attempts/canary-attempts.ts';
import type { Deployment } from '../core/deployment.ts';
import type { Position } from '../core/log/record.ts';
import type { Decided } from '../core/markers/marker.ts';
import { signMarker } from '../core/markers/wire.ts';
import { address } from '../core/projection.ts';
import { readRow } from '../core/row-text.ts';
import type { RowKey } from '../ports/read-model-store.ts';
import type { KeyState } from '../core/trust/trust.ts';
import type { Stop } from '../ports/clock.ts';
import { appendSurely } from './append.ts';
import type { AnalyserPorts } from './ports.ts';
import { readKeys, rowsWhenAt } from './read-models.ts';

/**
 * How long a decision waits for the read models. Then it is appended all the same: a roll-back must not wait for a
 * projector that is down, and the log takes a marker once.
 */
const projectorWaitMs = 5_000;

/**
 * Puts a decision on the log, unless it is there already or would change nothing any more. If it ends anywhere in
 * here, the same decision comes out of the samples again, with the same bytes. Answers its position; null: not
 * appended. Throws when the log refuses.
 */
export const publish = async (
  ports: AnalyserPorts,
  stop: Stop,
  decision: Decided,
  attempt: number,
): Promise<Position | null> => {
  if (await isSettled(ports, stop, decision, attempt)) return null;
  const { codec, text } = ports.tools;
  const record = await signMarker(codec, text, decision, ports.signer);
  const [appended] = await appendSurely(ports.clock, stop, ports.log, 0, [record]);
  return appended?.position ?? null;
};

const isSettled = async (
  ports: AnalyserPorts,
  stop: Stop,
  decision: Decided,
  attempt: number,
): Promise<boolean> => {
  const range = await ports.log.range(0);
  if (!range.ok) return false;
  const marker: RowKey = {
    model: 'marker',
    key: `${decision.marker}:${ports.signer.principal}`,
  };
  const deployment: RowKey = { model: 'deployment', key: decision.deployment };
  const read = await rowsWhenAt(ports, stop, range.value.end, projectorWaitMs, [
    marker,
    deployment,
  ]);
  if (!read.ok) return false;
  const { rows } = read.value;
  if (rows.has(address(marker.model, marker.key))) return true;
  const row = rows.get(address(deployment.model, deployment.key));
  if (row === undefined) return false;
  const known = await readKeys(ports);
  const keys = known.ok ? known.value : new Map<string, KeyState>();
  return decisionIsMoot(readRow<Deployment>('deployment', row), attempt, decision, keys);
};
