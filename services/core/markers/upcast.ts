import type { Shape } from './codec.ts';

/** A body as a schema of some version describes it. */
export type Body = { readonly [field: string]: unknown };

type Upcaster = (body: Body) => Body;

/** From version n to n + 1: the list's place 0 lifts version 1. */
const upcasters: { readonly [Name in Shape]: readonly Upcaster[] } = {
  plan: [],
  update: [(body) => ({ ...body, canaryShare: null, colour: null })],
  place: [],
  decision: [],
  trust: [],
  operation: [],
  instance: [],
  points: [],
  analysis: [
    (body) => ({
      ...body,
      noise: '[]',
      noiseAgeMs: null,
      carried: null,
      carriedFrom: null,
      independentAttempts: 1,
      comparison: 'concurrent',
      before: null,
    }),
  ],
  tick: [],
  copy: [],
};

/** The newest version of each shape that this code understands. */
export const newestVersion = (shape: Shape): number => upcasters[shape].length + 1;

/** How many schemas this code can read. */
export const schemasKnown: number = Object.values(upcasters).reduce(
  (sum, lifts) => sum + lifts.length + 1,
  0,
);

/** Lifts a body of any published version to the newest. Pure; the record on the log stays as it is. */
export const upcast = (shape: Shape, version: number, body: Body): Body =>
  upcasters[shape].slice(version - 1).reduce((lifted, lift) => lift(lifted), body);
