/** The names that `require` of a policy may hold, as a plan has them. */
const names = [
  'digest',
  'strategy',
  'canary-share',
  'attempt',
  'commit',
  'repository',
  'build',
  'trigger',
  'actor',
  'owner',
  'tickets',
  'intent',
  'risk-flags',
  'cluster',
  'zone',
  'function-version',
  'function-alias',
  'runbook',
  'resources',
  'labels',
  'links',
  'changes',
] as const;

export type RequiredField = (typeof names)[number];

export const requiredFieldNames: readonly RequiredField[] = names;

export const isRequiredField = (name: string): name is RequiredField =>
  names.some((one) => one === name);
