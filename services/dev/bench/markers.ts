import { noDetails } from '../no-details.ts';
import type { Marker } from '../../core/markers/marker.ts';

const components = 60;
export const markersPerDeployment = 3;

/** A plan, a start and an end, as a pipeline sends them. */
export const deploymentMarkers = ({
  audience,
  index,
  uuid,
  atMs,
}: {
  readonly audience: string;
  readonly index: number;
  readonly uuid: () => string;
  readonly atMs: number;
}): readonly Marker[] => {
  const envelope = {
    deployment: uuid(),
    audience,
    source: 'bench/ci',
    occurredAt: atMs,
    producer: null,
    sequence: null,
    attempt: `run-${index}`,
  };
  const update = {
    ...envelope,
    slot: null,
    statusReported: null,
    reason: null,
    details: noDetails,
    canaryShare: null,
    colour: null,
    phase: null,
  };
  return [
    {
      ...envelope,
      marker: uuid(),
      kind: 'planned',
      slot: {
        namespace: 'default',
        environment: ['staging', 'production'][index % 2] ?? 'staging',
        component: `component-${index % components}`,
        target: null,
      },
      name: 'default',
      version: `1.${index}.0`,
      digest: null,
      rollback: false,
      strategy: null,
      canaryShare: null,
      details: {
        ...noDetails,
        commit: '4d1f9e2c7a0b5d3e8f6a1c2b3d4e5f6071829304',
        actor: 'someone',
        links: [{ name: 'run', value: `https://ci.example/runs/${index}` }],
      },
    },
    { ...update, marker: uuid(), kind: 'started', statusReported: 'RUNNING' },
    { ...update, marker: uuid(), kind: 'succeeded', statusReported: 'SUCCESS' },
  ] as unknown as readonly Marker[];
};
