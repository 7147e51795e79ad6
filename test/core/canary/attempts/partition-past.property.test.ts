import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  emptyPartition,
  foldSample,
  lowestOpening,
} from '../../../../services/core/canary/analysis/fold-samples.ts';
import type { PartitionState } from '../../../../services/core/canary/analysis/fold-samples.ts';
import type { Decided } from '../../../../services/core/markers/marker.ts';
import type { AnalysisOpened, Sample } from '../../../../services/core/samples/sample.ts';
import { openedAt, opening, tools as usual } from '../../../support/canary/sample-streams.ts';

// Which openings are obeyed must follow from the partition alone: not from where a reader began.

const tools = { ...usual, analysesMax: 3 };
const minuteMs = 60_000;

/** A record of the partition: what it says, and the log's time. */
type Record = { readonly sample: Sample; readonly appendedAtMs: number };

const deployments = ['a', 'b', 'c', 'd', 'e'] as const;
const uuidOf = (name: string): string => `6f1c1a52-0000-8000-8000-00000000000${name}`;
const analysisOf = (deployment: string, attempt: number): string =>
  `6f1c1a52-0000-8000-8000-0000000000${attempt}${deployment}`;

const openingOf = (deployment: string, attempt: number, atMs: number): AnalysisOpened =>
  opening({
    component: `service ${deployment}`,
    deployment: uuidOf(deployment),
    attempt,
    analysis: analysisOf(deployment, attempt),
    openedAt: atMs,
  });

const said = fc.record({
  what: fc.constantFrom('opening', 'opening', 'end', 'tick'),
  deployment: fc.constantFrom(...deployments),
  attempt: fc.integer({ min: 1, max: 2 }),
  /** Since the record before it. */
  afterMs: fc.constantFrom(0, 1_000, minuteMs, 7 * minuteMs, 20 * minuteMs),
  /** How long whoever says it was away since it was made. */
  awayMs: fc.constantFrom(0, 5 * minuteMs, 8 * minuteMs, 11 * minuteMs),
});

const partition = fc.array(said, { minLength: 1, maxLength: 40 }).map((all): readonly Record[] => {
  let appendedAtMs = openedAt;
  return all.map(({ what, deployment, attempt, afterMs, awayMs }) => {
    appendedAtMs += afterMs;
    const { audience, environment, component } = openingOf(deployment, attempt, 0);
    const place = { audience, environment, component };
    const sampleOf = (): Sample => {
      switch (what) {
        case 'opening':
          return openingOf(deployment, attempt, appendedAtMs - awayMs);
        case 'end':
          return {
            kind: 'copy',
            ...place,
            analysis: analysisOf(deployment, attempt),
            logPosition: 9,
            logDigest: 'd'.repeat(64),
            appendedAt: appendedAtMs,
            marker: uuidOf(deployment),
            fact: 'failed',
            canaryShare: null,
          };
        case 'tick':
          return { kind: 'tick', ...place, at: appendedAtMs };
      }
    };
    return { sample: sampleOf(), appendedAtMs };
  });
});

type Read = {
  readonly states: readonly PartitionState[];
  readonly decisions: readonly Decided[][];
};

const readFrom = (records: readonly Record[], from: number): Read => {
  let state = emptyPartition;
  const states: PartitionState[] = [];
  const decisions: Decided[][] = [];
  for (const [index, { sample, appendedAtMs }] of records.slice(from).entries()) {
    const folded = foldSample(tools, state, sample, from + index, appendedAtMs);
    state = folded.state;
    states.push(state);
    decisions.push([...folded.decisions]);
  }
  return { states, decisions };
};

test('whoever begins where a state says that it may comes to the same bytes', () => {
  let spans = 0;
  let later = 0;
  fc.assert(
    fc.property(partition, (records) => {
      const whole = readFrom(records, 0);
      for (const [at, state] of whole.states.entries()) {
        spans += state.spans.length;
        const from = lowestOpening(state) ?? at + 1;
        if (from > 0) later += 1;
        const again = readFrom(records, from);
        const states = [emptyPartition, ...again.states];
        expect(JSON.stringify(states[at + 1 - from])).toBe(JSON.stringify(state));
        expect(again.decisions.slice(at + 1 - from)).toStrictEqual(whole.decisions.slice(at + 1));
        expect(states.slice(at + 2 - from)).toStrictEqual(whole.states.slice(at + 1));
      }
    }),
    { numRuns: 300 },
  );
  // Without these the law could hold because nobody ever began later, or nothing was refused.
  expect(spans).toBeGreaterThan(100);
  expect(later).toBeGreaterThan(100);
});

test('an opening behind the end of its attempt opens nothing, however long whoever says it was away', () => {
  let repeats = 0;
  fc.assert(
    fc.property(partition, (records) => {
      const { states } = readFrom(records, 0);
      const ends = new Map<string, number>();
      for (const [at, { sample, appendedAtMs }] of records.entries()) {
        if (sample.kind === 'copy') ends.set(sample.analysis, appendedAtMs);
        if (sample.kind !== 'analysis-opened') continue;
        const endedAtMs = ends.get(sample.analysis);
        // What rests on a look at the log from after the end cannot be: nothing is due any more.
        if (endedAtMs !== undefined && sample.openedAt > endedAtMs) ends.delete(sample.analysis);
        if (endedAtMs === undefined || sample.openedAt > endedAtMs) continue;
        repeats += 1;
        expect(Object.keys(states[at]?.analyses ?? {})).not.toContain(sample.analysis);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(repeats).toBeGreaterThan(30);
});

test('one too many is answered with a hold that says so', () => {
  const [first, second, third, fourth] = deployments.map((name) => openingOf(name, 1, openedAt));
  const records = [first, second, third, fourth].flatMap((sample) =>
    sample === undefined ? [] : [{ sample, appendedAtMs: openedAt }],
  );
  const { states, decisions } = readFrom(records, 0);
  expect(Object.keys(states.at(-1)?.analyses ?? {})).toHaveLength(3);
  expect(decisions.flat()).toMatchObject([
    { kind: 'hold', reason: 'partition-full', deployment: fourth?.deployment },
  ]);
});

test('an opening that was appended too late is refused by name', () => {
  const sample = openingOf('a', 1, openedAt);
  const { refused, state } = foldSample(tools, emptyPartition, sample, 0, openedAt + 11 * minuteMs);
  expect(refused).toMatchObject({ why: 'opened-late', opening: { deployment: sample.deployment } });
  expect(state.analyses).toStrictEqual({});
});
