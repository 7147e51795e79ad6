import type { CircumstanceRow, NotedRow } from './circumstances.ts';
import { circumstanceModel, notedDeploymentKey, notedModel } from './circumstances.ts';
import { isoTime, isoTimeOrNull } from './instant.ts';
import type { LoadedRows, RowAddress } from './known-rows.ts';
import { address } from './known-rows.ts';
import { positionKey } from './position-key.ts';
import type { Result } from './result.ts';
import { ok } from './result.ts';
import { readRow } from './row-text.ts';
import type { Line, Present } from './views.ts';
import { isSuspectAt } from './views.ts';

// Circumstances as people and programs read them.

/** What was said of a place beside its deployments, one line of `changes`. */
export const circumstanceLine = (row: CircumstanceRow, present: Present): Line => ({
  position: row.position,
  at: isoTime(row.at),
  kind: row.kind,
  namespace: row.slot.namespace,
  environment: row.slot.environment,
  component: row.slot.component,
  target: row.slot.target,
  deployment: row.deployment,
  name: row.name,
  fromVersion: row.fromVersion,
  toVersion: row.toVersion,
  outcome: row.outcome,
  labels: (row.details.labels ?? []).map(({ name, value }) => ({ name, value })),
  reason: row.reason,
  url: row.url,
  actor: row.details.actor ?? null,
  tickets: [...(row.details.tickets ?? [])],
  links: (row.details.links ?? []).map(({ name, value }) => ({ name, url: value })),
  note: row.note,
  ended: row.ended?.position ?? null,
  endedAt: isoTimeOrNull(row.ended?.at ?? null),
  signer: row.principal,
  onBehalf: row.onBehalf,
  key: row.key,
  source: row.source,
  marker: row.marker,
  occurredAt: isoTime(row.occurredAt),
  waitedMs: row.waitedMs,
  clockSkewed: row.clockSkewed,
  suspect: isSuspectAt(present, row.key, row.position),
});

/** Whether it is something that goes on: an incident, a migration or a freeze that nothing has ended. */
export const isOpenLine = ({ kind, note, ended }: Line): boolean =>
  (kind === 'incident-opened' || kind === 'migration-started' || kind === 'freeze') &&
  note === 'applied' &&
  ended === null;

/** What a deployment's view has beside its attempts: labels that stand, and the newest that was said of it. */
export const readNoted = async <Problem>(
  read: (keys: readonly RowAddress[]) => Promise<Result<LoadedRows, Problem>>,
  deployment: string,
  present: Present,
): Promise<Result<Line, Problem>> => {
  const key = notedDeploymentKey(deployment);
  const first = await read([{ model: notedModel, key }]);
  if (!first.ok) return first;
  const text = first.value.get(address(notedModel, key));
  if (text === undefined) return ok({ labels: [], changes: [] });
  const { labels, recent } = readRow<NotedRow>(notedModel, text);
  const asked = recent.map((at) => ({ model: circumstanceModel, key: positionKey(at) }));
  const rows = await read(asked);
  if (!rows.ok) return rows;
  return ok({
    labels: labels.map(({ name, value, position }) => ({ name, value, position })),
    changes: asked.flatMap((at) => {
      const row = rows.value.get(address(at.model, at.key));
      return row === undefined
        ? []
        : [circumstanceLine(readRow<CircumstanceRow>(at.model, row), present)];
    }),
  });
};
