import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMarker } from '../../../services/core/markers/parse-marker.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import { markerOf, signed } from '../../support/given.ts';
import { codeOf } from '../../support/judge.ts';
import { logged, planned, started } from '../../support/markers.ts';

const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 128 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
  fc.constantFrom('界'.repeat(128), '😀'.repeat(64), '__proto__', '%', '/', ' ', 'a\nb', 'a\tb'),
);

test('whatever the door lets through is a record that every reader takes', async () => {
  await fc.assert(
    fc.asyncProperty(name, name, name, name, name, name, async (a, b, c, d, version, source) => {
      const slot = { namespace: a, environment: b, component: c, target: d };
      const says = { ...logged('1.0.0'), slot, version, source: source.repeat(2) };
      const body = { ...markerOf('ci', logged(), 'x'), ...says };
      fc.pre(parseMarker('place', body).ok);
      expect(codeOf(await signed('ci', says, 'x'))).toBe('accepted');
    }),
    { numRuns: 300 },
  );
});

test.each<readonly [field: string, over: Body]>([
  ['version', { version: '' }],
  ['version', { version: ' ' }],
  ['version', { version: 'v'.repeat(129) }],
  ['version', { version: 'two\nlines' }],
  ['version', { version: '\u0000' }],
  ['version', { version: '\u202e' }],
  ['version', { version: '\ud800' }],
  ['slot.environment', { slot: { namespace: 'a', environment: '', component: 'c', target: null } }],
  ['slot.target', { slot: { namespace: 'a', environment: 'b', component: 'c', target: '' } }],
  ['digest', { digest: 'sha256:abc' }],
  ['digest', { digest: `sha256:${'A'.repeat(64)}` }],
  ['canaryShare', { canaryShare: 0 }],
  ['canaryShare', { canaryShare: 1.01 }],
  ['canaryShare', { canaryShare: Number.NaN }],
  ['occurredAt', { occurredAt: -1 }],
  ['occurredAt', { occurredAt: 253_402_300_800_000 }],
  ['occurredAt', { occurredAt: 0.5 }],
  ['deployment', { deployment: 'run-7' }],
  ['deployment', { deployment: null }],
  ['source', { source: '' }],
  ['audience', { audience: 'Local' }],
  ['sequence', { sequence: -1 }],
])('a plan whose %s is %j is refused, and the field is named', (field, over) => {
  const parsed = parseMarker('plan', { ...markerOf('ci', planned(), 'x'), ...over });
  expect(parsed).toMatchObject({ ok: false, problem: { code: 'field-invalid', path: field } });
});

test('details are capped by field and by count', () => {
  const body = markerOf('ci', started(), 'x') as unknown as Body & { details: Body };
  const refused = (details: Body): string | undefined => {
    const parsed = parseMarker('update', { ...body, details: { ...body.details, ...details } });
    return parsed.ok ? undefined : parsed.problem.path;
  };
  const labels = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `n${index}`, value: 'v' }));
  expect(refused({ labels: labels(20) })).toBeUndefined();
  expect(refused({ labels: labels(21) })).toBe('details.labels');
  expect(refused({ labels: [{ name: 'n', value: 'v'.repeat(2048) }] })).toBeUndefined();
  expect(refused({ labels: [{ name: 'n', value: 'v'.repeat(2049) }] })).toBe(
    'details.labels[0].value',
  );
  expect(refused({ commit: 'c'.repeat(257) })).toBe('details.commit');
  expect(refused({ tickets: ['T-1', 'bell\u0007'] })).toBe('details.tickets[1]');
  expect(
    refused({ changes: [{ type: 'commit', id: 'a', title: 't'.repeat(501), url: null }] }),
  ).toBe('details.changes[0].title');
});
