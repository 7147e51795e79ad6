import * as fc from 'fast-check';
import type { Slot } from '../../services/core/markers/marker.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import type { Step } from './given.ts';
import { again, by, findsCompromised, raw, retires, trusts } from './given.ts';
import type { Said } from './markers.ts';
import {
  added,
  advanced,
  canceled,
  changed,
  decided,
  failed,
  labelled,
  logged,
  noDetails,
  place,
  planned,
  recorded,
  released,
  retired,
  run,
  shifted,
  started,
  succeeded,
  supportEnded,
  undeployed,
} from './markers.ts';
import { keyOf } from './given.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import { flipped } from './spoil.ts';

// Random histories of few deployments, few slots and many misunderstandings, so that they meet.

/** Keys of every scope; `leaver` is retired and `careless` found compromised on the way, `stranger` is nobody's. */
export const keysTrusted: readonly Step[] = [
  trusts('ci'),
  trusts('ci#2'),
  trusts('prod', { environments: ['production'] }),
  trusts('stage', { environments: ['staging'] }),
  trusts('basket', { components: ['basket'], kinds: ['planned', 'started', 'succeeded'] }),
  trusts('leaver'),
  trusts('careless'),
  trusts('gateway', { roles: ['gateway'] }),
  trusts('analyser', { roles: ['analyser'] }),
];

const emitters = ['ci', 'ci', 'ci#2', 'prod', 'stage', 'basket', 'leaver', 'careless'] as const;

const slots = fc.constantFrom(
  place('production'),
  place('production'),
  place('staging'),
  place('production', 'basket'),
  place('production', 'checkout', 'eu'),
);
const details = fc.constantFrom(
  noDetails,
  noDetails,
  noDetails,
  { ...noDetails, commit: 'a'.repeat(40) },
  { ...noDetails, labels: [{ name: '__proto__', value: 'x' }] },
);

export const deploymentNames = ['1', '2', '3', '4', '5'] as const;

const envelope = {
  deployment: fc.constantFrom(...deploymentNames).map(run),
  attempt: fc.constantFrom(null, null, '1', '2', '3'),
  producer: fc.constantFrom(null, 'laptop', 'runner'),
  sequence: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 40 })),
};

const baked = (over: Body): Said => advanced('bake', over);
const withoutTarget = <Over extends { readonly slot: Slot }>(over: Over): Over => ({
  ...over,
  slot: { ...over.slot, target: null },
});

/** What an emitter may say, about anything. */
export const anythingSaid: fc.Arbitrary<Said> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        ...envelope,
        slot: slots,
        details,
        rollback: fc.constantFrom(false, false, false, true),
        canaryShare: fc.constantFrom(null, 0.1),
      })
      .chain((over) =>
        fc.constantFrom('1.0.0', '2.0.0', '3.0.0').map((version) => planned(version, over)),
      ),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({
        ...envelope,
        details,
        slot: fc.oneof(
          { weight: 4, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: slots },
        ),
        reason: fc.constantFrom(null, null, 'timeout'),
        statusReported: fc.constantFrom(null, 'SUCCESS'),
      })
      .chain((over) =>
        fc
          .constantFrom(started, started, succeeded, succeeded, failed, canceled, shifted, baked)
          .map((says) => says(over)),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ slot: slots, details })
      .chain((over) => fc.constantFrom('1.0.0', '2.0.0').map((version) => logged(version, over))),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ slot: slots, details })
      .chain((over) =>
        fc.constantFrom(
          recorded('1.0.0', over),
          recorded('2.0.0', over),
          undeployed(over),
          undeployed({ ...over, version: '1.0.0' }),
          released('1.0.0', withoutTarget(over)),
          released('3.0.0', withoutTarget(over)),
          supportEnded('1.0.0', withoutTarget(over)),
          supportEnded('3.0.0', withoutTarget(over)),
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ slot: slots, details, deployment: fc.constantFrom(null, run('1'), run('2')) })
      .chain((over) =>
        fc.constantFrom(
          labelled({ team: 'red' }, { slot: over.slot, deployment: over.deployment }),
          labelled({ team: 'blue', tier: '1' }, { slot: over.slot, deployment: over.deployment }),
          changed('flag-changed', 'checkout-v2', { ...over, toVersion: '7' }),
          changed('secret-changed', 'db-password', { ...over, toVersion: '2026-11' }),
          changed('incident-opened', 'INC-1', over),
          changed('incident-resolved', 'INC-1', over),
          changed('migration-started', 'add-column', over),
          changed('migration-finished', 'add-column', over),
        ),
      ),
  },
);

export const anyDecision: fc.Arbitrary<Said> = fc
  .record({ ...envelope, slot: slots })
  .chain((over) =>
    fc
      .constantFrom('promote' as const, 'advance' as const, 'hold' as const, 'roll-back' as const)
      .map((kind) => decided(kind, over)),
  );

/** Mostly each marker its own; sometimes one of few names, so that ids meet. */
const markerName = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('m1', 'm2', 'm3') },
);
const wait = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(0, 500, 3000, 60_000) },
);

const spoken: fc.Arbitrary<Step> = fc
  .record({
    name: fc.constantFrom(...emitters),
    says: anythingSaid,
    marker: markerName,
    waitedMs: wait,
    deliveredBy: fc.constantFrom(undefined, undefined, 'gateway', 'analyser', 'leaver'),
  })
  .map(({ name, says, marker, waitedMs, deliveredBy }) =>
    by(name, says, {
      ...(marker === undefined ? {} : { marker }),
      ...(waitedMs === undefined ? {} : { waitedMs }),
      ...(waitedMs === undefined || deliveredBy === undefined ? {} : { deliveredBy }),
    }),
  );

/** What a gateway signs for somebody who has a token. */
const saidWithToken: fc.Arbitrary<Step> = fc
  .record({
    says: anythingSaid,
    token: fc.constantFrom('shop', 'till'),
    marker: markerName,
    isUnnamed: fc.constantFrom(false, false, false, true),
  })
  .map(({ says, token, marker, isUnnamed }) =>
    by(
      'gateway',
      isUnnamed ? says : { ...says, source: onBehalfSource(token) },
      marker === undefined ? {} : { marker },
    ),
  );

const spoilt: fc.Arbitrary<Step> = fc
  .record({ says: anythingSaid, bit: fc.nat({ max: 400 }) })
  .map(({ says, bit }) =>
    by('ci', says, { spoilt: (record) => ({ ...record, value: flipped(record.value, bit) }) }),
  );

const garbage: fc.Arbitrary<Step> = fc
  .uint8Array({ maxLength: 40 })
  .map((value) => raw({ key: value, headers: [{ name: 'ce_id', value }], value }));

type Late = (at: number) => Step;
const now =
  (step: Step): Late =>
  () =>
    step;

/** Steps that come after the keys; each is one record. */
const lateOf = (tokens: boolean): fc.Arbitrary<Late> =>
  fc.oneof(
    { weight: 30, arbitrary: spoken.map(now) },
    { weight: tokens ? 8 : 0, arbitrary: saidWithToken.map(now) },
    { weight: 3, arbitrary: anyDecision.map((says) => now(by('analyser', says))) },
    {
      weight: 3,
      arbitrary: fc.double({ min: 0, max: 0.999, noNaN: true }).map(
        (share): Late =>
          (at) =>
            again(Math.floor(at * share)),
      ),
    },
    { weight: 1, arbitrary: spoilt.map(now) },
    { weight: 1, arbitrary: garbage.map(now) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom<Step>(
          retires('leaver'),
          findsCompromised('careless', 0),
          findsCompromised('careless', 1_000_000),
          by('admin', added(keyOf('newcomer'), { environments: ['staging'] }), { marker: 't1' }),
          by('admin', retired(keyOf('gateway')), { marker: 't1' }),
          by('ci', retired(keyOf('prod'))),
        )
        .map(now),
    },
  );

/** `tokens`: also what is said with tokens, unless a test is not about that. */
export const histories = (options: {
  readonly stepsMax: number;
  readonly tokens?: boolean;
}): fc.Arbitrary<readonly Step[]> =>
  fc
    .array(lateOf(options.tokens ?? true), {
      minLength: 1,
      maxLength: options.stepsMax,
      size: 'max',
    })
    .map((steps) => [
      ...keysTrusted,
      ...steps.map((step, index) => step(1 + keysTrusted.length + index)),
    ]);

/** Where a log of that many records is cut into batches: the first positions of all but the first batch. */
export const cutsOf = (records: number): fc.Arbitrary<readonly number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(1, records - 1) }), { maxLength: 8 })
    .map((cuts) => cuts.toSorted((a, b) => a - b));
