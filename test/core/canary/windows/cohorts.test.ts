import { describe, expect, test } from 'vitest';
import { cohortOf } from '../../../../services/core/canary/windows/cohorts.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import type { AnalysisOpened, Origin } from '../../../../services/core/samples/sample.ts';
import { samplesOf } from '../../../support/canary/otlp-streams.ts';
import type { Sender } from '../../../support/canary/otlp-streams.ts';
import {
  errorsSeen,
  fastPolicy,
  kindsOf,
  opening,
  run,
} from '../../../support/canary/sample-streams.ts';

const labels = {
  attribute: 'canary.role',
  canary: 'canary',
  baseline: 'baseline',
  freshBaseline: true,
};
const byRole: Policy = { ...fastPolicy, cohorts: labels, warmUpMs: 0 };

const sender = (
  name: string,
  resource: Sender['resource'],
  errorShare = 0,
  requests = 500,
): Sender => ({
  name,
  resource,
  exports: 30,
  routes: () => ({ '/pay': [requests, Math.round(requests * errorShare)] }),
});

const judged = (
  policy: Policy,
  senders: readonly Sender[],
  change: Partial<AnalysisOpened> = {},
): ReturnType<typeof run> => run([opening(change, policy), ...samplesOf(policy, senders)]);

const excludedIn = ({ state }: ReturnType<typeof run>): Readonly<Record<string, number>> =>
  Object.values(state.analyses)[0]?.excluded ?? {};

describe('cohorts by an attribute of the sender', () => {
  const origin = (role: string | null, version: string | null = '1.9.4'): Origin => ({
    namespace: 'default',
    version,
    deployment: null,
    instance: 'a',
    metric: 'http.server.request.duration',
    temporality: 'delta',
    unit: 's',
    target: null,
    attributes: role === null ? [] : [{ name: 'canary.role', value: role }],
  });

  test.each([
    ['canary', '2.0.0', 'canary'],
    ['canary', null, 'canary'],
    ['canary', 'build 771', 'canary'],
    ['baseline', '1.9.4', 'baseline'],
    ['baseline', 'build 770', 'baseline'],
    ['canary', '1.9.4', 'either-cohort'],
    ['baseline', '2.0.0', 'either-cohort'],
    ['primary', '1.9.4', 'other-cohort'],
    [null, '2.0.0', 'other-cohort'],
  ] as const)('role %s of version %s is %s', (role, version, cohort) => {
    expect(cohortOf(opening(), byRole, origin(role, version))).toBe(cohort);
  });

  test('where both sides run one version the attribute alone tells them apart', () => {
    const same = opening({ canary: { ...opening().canary, version: '1.9.4' } });
    expect(cohortOf(same, byRole, origin('canary'))).toBe('canary');
    expect(cohortOf(same, byRole, origin('baseline'))).toBe('baseline');
  });

  test('one version with another configuration is judged, from OTLP to the roll-back', () => {
    const { decisions } = judged(
      byRole,
      [
        sender('new', { 'service.version': '1.9.4', 'canary.role': 'canary' }, 0.2),
        sender('fresh', { 'service.version': '1.9.4', 'canary.role': 'baseline' }),
      ],
      { canary: { ...opening().canary, version: '1.9.4' } },
    );
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
  });

  test('the fleet beside a fresh baseline is in no cohort: it is warm, and the canary is not', () => {
    const cold = (name: string, role: string, version: string): Sender => ({
      ...sender(name, { 'service.version': version, 'canary.role': role }),
      routes: (index) => ({ '/pay': [500, index < 20 ? 100 : 0] }),
    });
    const fleet = sender('fleet', { 'service.version': '1.9.4' }, 0, 5_000);
    const told = judged(byRole, [
      cold('new', 'canary', '2.0.0'),
      cold('fresh', 'baseline', '1.9.4'),
      fleet,
    ]);
    expect(kindsOf(told.decisions)).not.toContain('roll-back');
    expect(excludedIn(told)['other-cohort']).toBe(30);
    // Held against the fleet, the same start looks like a regression.
    const byVersion: Policy = { ...fastPolicy, warmUpMs: 0 };
    const other = judged(byVersion, [cold('new', 'canary', '2.0.0'), fleet]);
    expect(kindsOf(other.decisions)).toContain('roll-back');
  });
});

describe('cohorts of one region', () => {
  const regional: Policy = { ...fastPolicy, targetAttribute: 'cloud.region' };
  const version = (name: string): string => (name.startsWith('new') ? '2.0.0' : '1.9.4');
  const inRegion = (name: string, region: string, errorShare = 0): Sender =>
    sender(name, { 'service.version': version(name), 'cloud.region': region }, errorShare);
  const senders = [
    inRegion('new eu', 'eu-1', 0.2),
    inRegion('old eu', 'eu-1'),
    // It fails everywhere else, too, and there the old version does as well.
    inRegion('new us', 'us-1', 0.2),
    inRegion('old us', 'us-1', 0.2),
  ];

  test('the canary of one region is judged by the senders of that region alone', () => {
    const europe = judged(regional, senders, { target: 'eu-1' });
    expect(kindsOf(europe.decisions)).toStrictEqual(['roll-back']);
    const america = judged(regional, senders, { target: 'us-1' });
    expect(kindsOf(america.decisions)).not.toContain('roll-back');
  });

  test('what the other regions send is counted as of another target', () => {
    const { windows, state } = judged(regional, senders, { target: 'us-1' });
    const seen = errorsSeen(windows, 'baseline');
    expect(seen.errors / seen.requests).toBeCloseTo(0.2, 5);
    expect(Object.values(state.analyses)[0]?.excluded['other-target']).toBe(60 + 30);
  });

  test('a slot without a target is judged by all', () => {
    expect(excludedIn(judged(regional, senders))['other-target']).toBe(0);
  });
});
