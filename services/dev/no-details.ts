import type { Details } from '../core/markers/marker.ts';

/** What a producer says that knows nothing more about the change. */
export const noDetails: Details = {
  commit: null,
  repository: null,
  build: null,
  trigger: null,
  actor: null,
  owner: null,
  tickets: [],
  intent: null,
  riskFlags: [],
  cluster: null,
  zone: null,
  functionVersion: null,
  functionAlias: null,
  runbook: null,
  resources: [],
  labels: [],
  links: [],
  changes: [],
};
