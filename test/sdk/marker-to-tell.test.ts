import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { kinds } from '../../services/core/markers/kinds.ts';
import type { Emittable } from '../../services/core/markers/marker.ts';
import type { Emitter } from '../../services/sdk/emitter.ts';
import { createEmitter } from '../../services/sdk/emitter.ts';
import type { Fact } from '../../services/sdk/fact.ts';
import { followMarkers } from '../../services/sdk/follow.ts';
import { fromGateway } from '../../services/sdk/gateway-source.ts';
import type { MarkerToTell } from '../../services/sdk/marker-to-tell.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by } from '../support/given.ts';
import { added, logId } from '../support/markers.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import type { ServedGateway } from '../support/served-gateway.ts';
import { serveGateway } from '../support/served-gateway.ts';

// Every kind that may be told has a type, and goes the whole way with its fields.

type Kind = MarkerToTell['kind'];

/** The member of a union that has this kind, also where it has several. */
type Of<Union, Name> = Union extends { readonly kind: infer Own }
  ? Name extends Own
    ? Union
    : never
  : never;

/** What the emitter writes itself, or takes in short: a place by its parts, a deployment by a run. */
type Written = 'marker' | 'audience' | 'source' | 'producer' | 'sequence' | 'slot' | 'deployment';
type InShort = 'namespace' | 'environment' | 'component' | 'target' | 'run';

/** Fields that a kind's marker has and its type here lacks, or the other way round. */
type Astray<Name extends Kind> =
  | Exclude<keyof Of<Emittable, Name>, Written | keyof Of<MarkerToTell, Name>>
  | Exclude<keyof Of<MarkerToTell, Name>, Written | InShort | keyof Of<Emittable, Name>>;

test('every kind that pipelines and people say has a type, with each of its fields', () => {
  expectTypeOf<Kind>().toEqualTypeOf<Emittable['kind']>();
  // Null in each change but a migration that finished.
  expectTypeOf<{ [Name in Kind]: Astray<Name> }[Kind]>().toEqualTypeOf<'outcome'>();
  expectTypeOf<Astray<'migration-finished'>>().toEqualTypeOf<never>();
  // The register is what decides: nothing that an emitter may sign is missing among the examples.
  const told = Object.entries(kinds).flatMap(([name, { role }]) =>
    role === 'emitter' || name === 'freeze' ? [name] : [],
  );
  expect(Object.keys(examples).toSorted()).toEqual(told.toSorted());
});

test('what a kind cannot do without is asked for', () => {
  // @ts-expect-error a plan names a version
  const plan: MarkerToTell = { kind: 'planned' };
  // @ts-expect-error a finished migration has an outcome
  const migration: MarkerToTell = { kind: 'migration-finished', name: 'add-column' };
  // @ts-expect-error a phase has a name
  const phase: MarkerToTell = { kind: 'phase-advanced' };
  // @ts-expect-error a freeze has a reason
  const freeze: MarkerToTell = { kind: 'freeze', environment: 'production' };
  // @ts-expect-error a decision is the analyser's
  const decision: MarkerToTell = { kind: 'roll-back', version: '1' };
  // @ts-expect-error a slip in a field is seen
  const slip: MarkerToTell = { kind: 'logged', version: '1', colour: 'green' };
  // @ts-expect-error a deployment is named once
  const twice: MarkerToTell = { kind: 'started', run: '7', deployment: 'x' };
  expect([plan, migration, phase, freeze, decision, slip, twice]).toHaveLength(7);
});

const place = { environment: 'production', component: 'checkout' } as const;
const digest = `sha256:${'a'.repeat(64)}`;
const details = { owner: 'payments', labels: [{ name: 'team', value: 'payments' }] } as const;

const examples: { readonly [Name in Kind]: Of<MarkerToTell, Name> & { readonly kind: Name } } = {
  planned: {
    ...{ kind: 'planned', run: '7', version: '2.0.0', digest, name: 'api', ...place, details },
    ...{ rollback: true, strategy: 'canary', canaryShare: 0.1, attempt: 'one' },
  },
  started: { kind: 'started', run: '7', statusReported: 'running', attempt: 'one' },
  'traffic-shifted': { kind: 'traffic-shifted', run: '7', canaryShare: 0.5, colour: 'green' },
  'phase-advanced': { kind: 'phase-advanced', run: '7', phase: 'smoke-tests' },
  succeeded: { kind: 'succeeded', run: '7', statusReported: 'SUCCESS' },
  failed: { kind: 'failed', run: '8', reason: 'no disk' },
  canceled: { kind: 'canceled', run: '9', reason: 'enough' },
  logged: { kind: 'logged', version: '1', ...place, target: 'eu', digest, reason: 'by hand' },
  recorded: { kind: 'recorded', version: '1', ...place, target: 'us', details },
  undeployed: { kind: 'undeployed', ...place, target: 'us' },
  released: { kind: 'released', version: '1', ...place, component: 'app' },
  'support-ended': { kind: 'support-ended', version: '1', ...place, component: 'app' },
  label: { kind: 'label', ...place, details, reason: 'moved' },
  freeze: { kind: 'freeze', environment: 'production', component: '*', reason: 'holidays' },
  'flag-changed': { kind: 'flag-changed', name: 'new-basket', toVersion: '7', ...place },
  'config-changed': { kind: 'config-changed', name: 'limits.yaml', toVersion: '9c1f', ...place },
  'secret-changed': {
    ...{ kind: 'secret-changed', name: 'db-password', fromVersion: '3', toVersion: '4', ...place },
  },
  'migration-started': { kind: 'migration-started', name: 'add-column', ...place },
  'migration-finished': {
    ...{ kind: 'migration-finished', name: 'add-column', outcome: 'succeeded', ...place },
  },
  'incident-opened': {
    ...{ kind: 'incident-opened', name: 'INC-7', url: 'https://status.example.com/7', ...place },
  },
  'incident-resolved': { kind: 'incident-resolved', name: 'INC-7', reason: 'mended', ...place },
};

describe('each kind, told by a program', () => {
  let gateway: ServedGateway;
  let emitter: Emitter;
  let project: () => Promise<unknown>;
  beforeAll(async () => {
    const folder = scratchFolder();
    const key = join(folder, 'all.json');
    const { signer } = value(await newKeyFile({ principal: 'all@checkout', path: key }));
    const roles = ['emitter', 'operator'] as const;
    const house = await openGatewayHouse([by('admin', added(signer, { roles }))], () => ({
      clock: createSystemClock(),
    }));
    project = house.project;
    gateway = await serveGateway(house);
    const options = { url: gateway.url, key, spool: join(folder, 'spool'), timeoutMs: 20_000 };
    emitter = value(await createEmitter({ ...options, source: 'a test' }));
  });
  afterAll(() => gateway.close());

  const factAt = async (from: number): Promise<Fact> => {
    const source = fromGateway(gateway.url);
    for await (const fact of followMarkers({ source, logId, from })) return fact;
    throw new Error('the log ended');
  };

  test.each(Object.values(examples).map((told) => [told.kind, told] as const))(
    '%s is stored with what was told',
    async (_kind, told) => {
      const {
        run,
        environment,
        component,
        target,
        details: change,
        ...fields
      } = {
        ...{ run: undefined, environment: undefined, component: undefined, target: undefined },
        ...told,
      };
      const emitted = await emitter.emit(told);
      expect(emitted).toMatchObject({ delivery: 'stored' });
      await project();
      const { marker } = await factAt(emitted.position ?? 0);
      const slot = { namespace: 'default', environment, component, target: target ?? null };
      expect(marker).toMatchObject({
        ...{ ...fields, marker: emitted.marker, source: 'a test' },
        ...(change === undefined ? {} : { details: change }),
        ...(environment === undefined ? {} : { slot }),
      });
      expect(run === undefined || emitted.deployment !== emitted.marker).toBe(true);
    },
  );
});
