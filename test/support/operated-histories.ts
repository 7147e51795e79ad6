import * as fc from 'fast-check';
import type { Step } from './given.ts';
import { again, by, trusts } from './given.ts';
import { deploymentNames, histories, keysTrusted } from './histories.ts';
import { decided, operated, planned, policySet, run, started } from './markers.ts';

// Random histories in which operators redrive, discard and forget, now and then what they should not.

const operators: readonly Step[] = [
  trusts('ops', { roles: ['operator'] }),
  trusts('narrow', { roles: ['operator'], environments: ['staging'] }),
];

const daySeconds = 86_400;

/** Records that are put in where the log has so many. */
type PutIn = (at: number) => readonly Step[];

// A double by chance is nearly always close to 0.
const share = fc.nat({ max: 999 }).map((thousandths) => thousandths / 1000);
const name = fc.constantFrom('ops', 'ops', 'ops', 'narrow');

/** Positions before `at`, ascending, each once. */
const positionsAt = (shares: readonly number[], at: number): readonly number[] =>
  [...new Set(shares.map((part) => Math.floor(part * at)))].toSorted((a, b) => a - b);

const redrives: fc.Arbitrary<PutIn> = fc
  .record({
    name,
    shares: fc.array(share, { minLength: 1, maxLength: 30, size: 'max' }),
    // Of the records that belong behind it some may be lost, or all may come twice.
    sent: fc.constantFrom('once', 'once', 'twice', 'cut off'),
  })
  .map(({ name: who, shares, sent }): PutIn => (at) => {
    const positions = positionsAt(shares, at);
    const append = [by(who, operated('letters-redriven', { positions })), ...positions.map(again)];
    if (sent === 'cut off') return append.slice(0, -1);
    return sent === 'once' ? append : [...append, again(at), ...positions.map(again)];
  });

const discards: fc.Arbitrary<PutIn> = fc
  .record({ name, shares: fc.array(share, { minLength: 1, maxLength: 30, size: 'max' }) })
  .map(({ name: who, shares }): PutIn => (at) => [
    by(who, operated('letters-discarded', { positions: positionsAt(shares, at) })),
  ]);

const sets: fc.Arbitrary<PutIn> = fc
  .record({
    name,
    environment: fc.constantFrom('production', 'staging', 'prod*', '*'),
    days: fc.constantFrom(1, 30, 500),
  })
  .map(({ name: who, environment, days }): PutIn => () => [
    by(who, operated('retention-set', { environment, days })),
  ]);

/** Long after: the log is weeks older with every record that it has by then. */
const forgets: fc.Arbitrary<PutIn> = fc
  .record({
    name,
    deployments: fc.uniqueArray(fc.constantFrom(...deploymentNames), { minLength: 1 }),
    weeks: fc.constantFrom(1, 20),
  })
  .map(({ name: who, deployments, weeks }): PutIn => (at) => [
    by(who, operated('deployments-forgotten', { deployments: deployments.map(run) }), {
      at: at * weeks * 7 * daySeconds,
    }),
  ]);

const somewhere = fc.constantFrom('production', 'prod*', null);

const stops: fc.Arbitrary<PutIn> = fc
  .record({ name, stopped: somewhere, resumed: somewhere })
  .map(({ name: who, stopped, resumed }): PutIn => () => [
    by(who, operated('decisions-stopped', { environment: stopped })),
    by(who, operated('decisions-resumed', { environment: resumed })),
  ]);

/** A canary, a decision about it, and what is said of that; now and then of another record. */
const answers: fc.Arbitrary<PutIn> = fc
  .record({
    name,
    kinds: fc.array(
      fc.constantFrom(...(['freeze-lifted', 'decision-approved', 'decision-declined'] as const)),
      { minLength: 1, maxLength: 3 },
    ),
    decides: fc.constantFrom('roll-back' as const, 'roll-back' as const, 'promote' as const),
    mode: fc.constantFrom('ask', 'ask', 'decide', 'dry-run'),
    aside: fc.constantFrom(0, 0, 0, 1),
  })
  .map(({ name: who, kinds, decides, mode, aside }): PutIn => (at) => {
    const canary = { deployment: run(`canary at ${at}`) };
    return [
      by('ci', planned('2.0.0', canary)),
      by('ci', started(canary)),
      by('analyser', decided(decides, { ...canary, mode })),
      ...kinds.map((kind) => by(who, operated(kind, { positions: [at + 2 - aside] }))),
    ];
  });

const policies: fc.Arbitrary<PutIn> = name.map((who): PutIn => (at) => [
  by(who, policySet(undefined, at % 5 === 0 ? { digest: 'a'.repeat(64) } : {})),
]);

const others: fc.Arbitrary<PutIn> = name.map((who): PutIn => (at) => [
  by(who, operated('generation-switched', { generation: 'g2', to: at })),
]);

const putIn: fc.Arbitrary<PutIn> = fc.oneof(
  { weight: 4, arbitrary: redrives },
  { weight: 2, arbitrary: discards },
  { weight: 1, arbitrary: sets },
  { weight: 3, arbitrary: forgets },
  { weight: 1, arbitrary: stops },
  { weight: 1, arbitrary: answers },
  { weight: 1, arbitrary: policies },
  { weight: 1, arbitrary: others },
);

export const operatedHistories = (options: {
  readonly stepsMax: number;
}): fc.Arbitrary<readonly Step[]> =>
  fc
    .tuple(
      histories(options),
      fc.array(fc.tuple(share, putIn), { minLength: 2, maxLength: 12, size: 'max' }),
    )
    .map(([steps, wanted]) => {
      const said = steps.slice(keysTrusted.length);
      const put = Map.groupBy(wanted, ([where]) => Math.floor(where * said.length));
      const all: Step[] = [...keysTrusted, ...operators];
      let at = 1 + all.length;
      const add = (more: readonly Step[]): void => {
        all.push(...more);
        at += more.length;
      };
      for (const [index, step] of said.entries()) {
        add([step]);
        for (const [, make] of put.get(index) ?? []) add(make(at));
      }
      return all;
    });
