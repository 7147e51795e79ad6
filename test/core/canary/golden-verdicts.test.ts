import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { explain, verdictOf } from '../../../services/core/canary/judge.ts';
import { parsePolicy } from '../../../services/core/canary/policy.ts';
import { decisionsOn, judgeAll } from '../../support/canary/streams.ts';
import type { Counts } from '../../support/canary/streams.ts';

/**
 * Streams and what the judge said of them. A change here means that archived decisions would be
 * computed differently today: raise `judgeVersion`, then write the verdicts anew with `vitest -u`.
 */
const FOLDER = join(import.meta.dirname, '../../golden/verdicts');
const STREAM_SUFFIX = '.stream.json';
/** Runtimes may differ in the last digits of a logarithm. */
const DIGITS_COMPARED = 9;

type GoldenStream = {
  readonly about: string;
  readonly policy: unknown;
  readonly windows: readonly Counts[];
};

const streams = readdirSync(FOLDER)
  .filter((file) => file.endsWith(STREAM_SUFFIX))
  .map((file) => file.slice(0, -STREAM_SUFFIX.length));

const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(DIGITS_COMPARED))
    : value;

describe('the golden verdicts', () => {
  test('are there', () => {
    expect(streams.length).toBeGreaterThanOrEqual(6);
  });

  test.each(streams)('%s', async (name) => {
    const text = readFileSync(join(FOLDER, `${name}${STREAM_SUFFIX}`), 'utf8');
    const golden = JSON.parse(text) as GoldenStream;
    const parsed = parsePolicy(golden.policy);
    if (!parsed.ok) throw new Error(parsed.problem.message);
    const policy = parsed.value;
    const last = judgeAll(policy, golden.windows);
    const told = {
      decisions: decisionsOn(policy, golden.windows),
      verdictAtTheEnd: verdictOf(policy, last),
      explanationAtTheEnd: explain(policy, last),
    };
    await expect(`${JSON.stringify(told, rounded, 2)}\n`).toMatchFileSnapshot(
      join(FOLDER, `${name}.verdict.json`),
    );
  });
});
