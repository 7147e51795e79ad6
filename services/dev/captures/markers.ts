import { createHash } from 'node:crypto';
import type { CohortPlan, FleetPlan } from './fleet.ts';

/** A UUIDv8 from a text: the same for the same capture. */
const idOf = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
};

const noDetails = {
  ...{ commit: null, repository: null, build: null, trigger: null, actor: null, owner: null },
  ...{ tickets: [], intent: null, riskFlags: [], cluster: null, zone: null },
  ...{ functionVersion: null, functionAlias: null, runbook: null },
  ...{ resources: [], labels: [], links: [], changes: [] },
};

/** What pipelines would have said of this fleet: the baseline a day before, then the canary and its shares. */
export const markerLines = (
  { component, environment, startMs }: FleetPlan,
  canary: CohortPlan,
  baseline: CohortPlan,
  shares: readonly { readonly second: number; readonly share: number }[],
): readonly string[] => {
  const slot = { namespace: 'default', environment, component, target: null };
  let count = 0;
  const base = (kind: string, atMs: number) => ({
    kind,
    marker: idOf(`${component} ${kind} ${(count += 1)}`),
    audience: 'local',
    source: 'captures',
    occurredAt: atMs,
    producer: null,
    sequence: null,
    attempt: null,
  });
  const deployment = idOf(`${component} ${canary.version}`);
  const logged = base('logged', startMs - 86_400_000);
  const update = (kind: string, atMs: number) => ({
    ...base(kind, atMs),
    deployment,
    slot: null,
    statusReported: null,
    reason: null,
    details: noDetails,
  });
  return [
    {
      ...logged,
      deployment: logged.marker,
      slot,
      version: baseline.version,
      digest: null,
      rollback: false,
      details: noDetails,
    },
    {
      ...base('planned', startMs - 60_000),
      deployment,
      slot,
      name: 'default',
      version: canary.version,
      digest: null,
      rollback: false,
      strategy: 'canary',
      canaryShare: shares[0]?.share ?? null,
      details: noDetails,
    },
    update('started', startMs),
    ...shares.slice(1).map(({ second, share }) => ({
      ...update('traffic-shifted', startMs + second * 1000),
      canaryShare: share,
      colour: null,
    })),
  ].map((marker) => JSON.stringify(marker));
};
