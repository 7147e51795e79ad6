import * as fc from 'fast-check';
import { test } from 'vitest';
import { everySeconds, lineOf, twoServers } from '../../../support/canary/capture-lines.ts';
import { judgedCapture } from '../../../support/canary/backtests.ts';

/** The watermark is two windows behind; two neighbours of one server are one window apart. */
const spread = (2 * everySeconds - 2) * 1000;

const timeOf = (line: string): number =>
  Number(/"timeUnixNano":"(\d+)"/.exec(line)?.[1] ?? 0) / 1e6;

/** Lines that come later than they should by less than the watermark, and some of them twice or thrice. */
const disturbed = (lines: readonly string[]): fc.Arbitrary<readonly string[]> =>
  fc
    .array(
      fc.record({
        delay: fc.integer({ min: 0, max: spread }),
        times: fc.constantFrom(1, 1, 1, 2, 3),
      }),
      {
        minLength: lines.length,
        maxLength: lines.length,
      },
    )
    .map((changes) =>
      lines
        .flatMap((line, index) => {
          const { delay = 0, times = 1 } = changes[index] ?? {};
          return Array.from({ length: times }, (_, copy) => ({
            line,
            at: timeOf(line) + delay + copy,
          }));
        })
        .toSorted((one, other) => one.at - other.at)
        .map(({ line }) => line),
    );

/** One of them before the canary, and some with failed requests that cannot be counted. */
const withUncounted = (lines: readonly string[]): readonly string[] => [
  lineOf({ version: '1.9.4', at: -3, requests: 100, errors: 1 }),
  ...lines.map((line, index) => (index % 8 === 5 ? line.replace(/(.*"count":")/, '$1-') : line)),
];

test('any order inside the watermark, and any repeats, give the same last line', () => {
  for (const errors of [
    { canary: 15, baseline: 1 },
    { canary: 1, baseline: 1 },
  ]) {
    const lines = withUncounted(twoServers(150, errors, 300));
    const result = JSON.stringify(judgedCapture(lines).result());
    fc.assert(
      fc.property(
        disturbed(lines),
        (changed) => JSON.stringify(judgedCapture(changed).result()) === result,
      ),
      { numRuns: 40 },
    );
  }
});
