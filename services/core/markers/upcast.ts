import type { Shape } from './codec.ts';

/** A body as a schema of some version describes it. */
export type Body = { readonly [field: string]: unknown };

type Upcaster = (body: Body) => Body;

/** Version 1 judged errors alone, decided always, and told the stage by its kind. */
const decisionOfOneMetric: Upcaster = (body) => {
  const canary = body['canary'] as Body;
  const baseline = body['baseline'] as Body;
  const isPromotion = body['kind'] === 'promote';
  return {
    ...body,
    metrics: [
      {
        id: 'errors',
        judged: 'errors',
        weight: 1,
        isBlamed: body['metric'] === 'errors',
        canaryCount: canary['requests'],
        canaryEvents: canary['errors'],
        baselineCount: baseline['requests'],
        baselineEvents: baseline['errors'],
        canaryLevel: null,
        baselineLevel: null,
        ratio: body['ratio'],
        ratioLow: body['ratioLow'],
        ratioHigh: body['ratioHigh'],
        tolerated: null,
        evidence: isPromotion ? 1 : body['evidence'],
        promoteEvidence: isPromotion ? body['evidence'] : 1,
        dispersion: 1,
        dispersionFrom: 'none',
        cappedBlocks: 0,
        strongest: body['strongest'],
      },
    ],
    stage: stageOfVersion1(body),
    mode: 'decide',
    onSilence: null,
    noiseDigest: null,
    carriedFrom: null,
  };
};

const stageOfVersion1 = ({ kind, reason }: Body): string => {
  switch (kind) {
    case 'promote':
      return 'promoted';
    case 'advance':
      return 'advanced';
    case 'roll-back':
      return 'rolled-back';
    default:
      return reason === 'no-data' ? 'hold' : 'inconclusive';
  }
};

/** Version 1 counted requests alone. */
const pointsOfRequests: Upcaster = (body) => ({
  ...body,
  origins: (body['origins'] as readonly Body[]).map((origin) => ({
    ...origin,
    target: null,
    attributes: [],
  })),
  points: (body['points'] as readonly Body[]).map((point) => ({
    ...point,
    level: null,
    durations: null,
  })),
  bounds: [],
});

/** Version 2 told nobody of points that were refused. */
const pointsWithoutRefused: Upcaster = (body) => ({
  ...body,
  points: (body['points'] as readonly Body[]).map((point) => ({ ...point, refused: null })),
});

/** From version n to n + 1: the list's place 0 lifts version 1. */
const upcasters: { readonly [Name in Shape]: readonly Upcaster[] } = {
  plan: [],
  update: [
    (body) => ({ ...body, canaryShare: null, colour: null }),
    (body) => ({ ...body, phase: null }),
  ],
  place: [(body) => ({ ...body, reason: null })],
  change: [],
  decision: [decisionOfOneMetric],
  trust: [],
  operation: [],
  policy: [],
  instance: [],
  points: [pointsOfRequests, pointsWithoutRefused],
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
