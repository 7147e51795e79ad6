import type { FactCommand, LiftCommand } from './facts.ts';

type FirstWord<Name extends string> = Name extends `${infer First} ${string}` ? First : Name;

/** The first words of what is in the table of facts, which need not be loaded to know them. */
const words: { readonly [Word in FirstWord<FactCommand | LiftCommand>]: true } = {
  'record-deployment': true,
  'record-undeployment': true,
  'record-release': true,
  'record-support-ended': true,
  traffic: true,
  phase: true,
  migration: true,
  change: true,
  incident: true,
  label: true,
  freeze: true,
  emit: true,
};

export const factWords: ReadonlySet<string> = new Set(Object.keys(words));
