import * as fc from 'fast-check';

import type { Counts } from './streams.ts';

const REQUESTS_MAX = 2_000;
const WINDOWS_MAX = 60;

/** Requests with few errors mostly, as in life, but also with many. */
const arm = (requestsMin: number): fc.Arbitrary<readonly [number, number]> =>
  fc
    .tuple(
      fc.integer({ min: requestsMin, max: REQUESTS_MAX }),
      fc.oneof(
        { weight: 4, arbitrary: fc.constant(0.02) },
        { weight: 1, arbitrary: fc.constant(1) },
      ),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([requests, errorShareMax, luck]) => [
      requests,
      Math.floor(requests * errorShareMax * luck),
    ]);

const counts = (requestsMin: number): fc.Arbitrary<Counts> =>
  fc
    .tuple(arm(requestsMin), arm(requestsMin))
    .map(([canary, baseline]) => [...canary, ...baseline]);

/** Windows in which both cohorts have requests. */
export const pairedStream: fc.Arbitrary<readonly Counts[]> = fc.array(counts(1), {
  maxLength: WINDOWS_MAX,
});

/** Windows of all kinds: with both cohorts, one of them, or neither. */
export const stream: fc.Arbitrary<readonly Counts[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: counts(1) },
    {
      weight: 1,
      arbitrary: counts(1).map(([requests, errors]): Counts => [requests, errors, 0, 0]),
    },
    {
      weight: 1,
      arbitrary: counts(1).map(([requests, errors]): Counts => [0, 0, requests, errors]),
    },
    { weight: 1, arbitrary: fc.constant<Counts>([0, 0, 0, 0]) },
  ),
  { maxLength: WINDOWS_MAX },
);
