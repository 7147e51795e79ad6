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

/** What pipelines would have said of this fleet: the baseline a day before, then the canary and its shares. */
export const markerLines = (
  { component, environment, startMs }: FleetPlan,
  canary: CohortPlan,
  baseline: CohortPlan,
  shares: readonly { readonly second: number; readonly share: number }[],
): readonly string[] => {
  const slot = { environment, component };
  let count = 0;
  const base = (kind: string, atMs: number) => ({
    kind,
    marker: idOf(`${component} ${kind} ${(count += 1)}`),
    occurredAt: atMs,
  });
  const deployment = idOf(`${component} ${canary.version}`);
  const logged = base('logged', startMs - 86_400_000);
  const update = (kind: string, atMs: number) => ({
    ...base(kind, atMs),
    deployment,
  });
  return [
    {
      ...logged,
      deployment: logged.marker,
      slot,
      version: baseline.version,
    },
    {
      ...base('planned', startMs - 60_000),
      deployment,
      slot,
      version: canary.version,
      strategy: 'canary',
      canaryShare: shares[0]?.share ?? null,
    },
    update('started', startMs),
    ...shares.slice(1).map(({ second, share }) => ({
      ...update('traffic-shifted', startMs + second * 1000),
      canaryShare: share,
    })),
  ].map((marker) => JSON.stringify(marker));
};
