import type { KnownDetails } from './deployment.ts';
import type { Details } from './markers/marker.ts';

// What a marker says of its change, as rows hold it.

/** All of them, in the order in which rows have them. */
const detailNames = Object.keys({
  actor: true,
  build: true,
  changes: true,
  cluster: true,
  commit: true,
  functionAlias: true,
  functionVersion: true,
  intent: true,
  labels: true,
  links: true,
  owner: true,
  repository: true,
  resources: true,
  riskFlags: true,
  runbook: true,
  tickets: true,
  trigger: true,
  zone: true,
} satisfies { readonly [Name in keyof Details]: true }) as readonly (keyof Details)[];

/** Only the fields that say something. */
export const knownDetails = (details: Details): KnownDetails => {
  const known: { [name: string]: unknown } = {};
  for (const name of detailNames) {
    const value = details[name];
    if (value === null) continue;
    if (typeof value === 'string') known[name] = value;
    else if (value.length > 0) known[name] = value.map(plain);
  }
  return known;
};

/** Decoded items may carry a prototype of their own; rows hold plain values only, their names in order. */
const plain = (item: Details[ListName][number]): unknown => {
  if (typeof item === 'string') return item;
  return 'id' in item
    ? { id: item.id, title: item.title, type: item.type, url: item.url }
    : { name: item.name, value: item.value };
};

type ListName = 'tickets' | 'riskFlags' | 'resources' | 'labels' | 'links' | 'changes';
