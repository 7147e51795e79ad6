import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../../services/adapters/yaml/read-yaml.ts';
import {
  parsePolicyDocument,
  readDocumentText,
} from '../../../../services/core/canary/policy/parse-policy.ts';
import { canonicalJson } from '../../../../services/core/canonical.ts';
import { readPolicyFile } from '../../../../services/core/canary/policy/policy-file.ts';
import { policyDocumentBytesMax } from '../../../../services/core/markers/limits.ts';
import { presetNames, presets } from '../../../../services/core/canary/policy/presets.ts';
import {
  expectedFaults,
  goldenPolicies,
  plainOf,
  policyOf,
} from '../../../support/canary/policies.ts';

const faults = expectedFaults();

describe('a document that is wrong', () => {
  test.each(goldenPolicies('invalid'))(
    '%s: each fault has its line, and says what is allowed',
    (name, text) => {
      const read = readPolicyFile(readYaml, text);
      if (read.ok) throw new Error('it was taken');
      expect(
        read.problem.map(
          ({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`,
        ),
      ).toEqual(faults[name]);
    },
  );

  test('is read all the same where it was set when what has no effect was taken yet', () => {
    const policy = {
      component: 'search',
      environment: 'prod',
      metrics: [{ name: 'cpu', weight: 0, critical: true }],
    };
    const given = { version: 2, closed: { environments: ['production'] }, policies: [policy] };
    expect(parsePolicyDocument(given)).toMatchObject({
      problem: [{ code: 'contradiction' }, { code: 'contradiction' }],
    });
    expect(readDocumentText(canonicalJson(given)).ok).toBe(true);
  });

  test('has a golden file for each kind of fault', () => {
    expect(Object.keys(faults)).toEqual(goldenPolicies('invalid').map(([name]) => name));
    const codes = new Set(
      Object.values(faults)
        .flat()
        .map((fault) => fault.split(/[ :]/)[2]),
    );
    expect([...codes]).toHaveLength(8);
    expect([...codes]).toEqual(
      expect.arrayContaining([
        'contradiction',
        'missing',
        'out-of-range',
        'unknown-key',
        'unknown-word',
        'wrong-type',
        'yaml-aliases',
        'yaml-malformed',
      ]),
    );
  });

  test('is told of in full up to a hundred faults', () => {
    const policies = Array.from({ length: 150 }, () => ({
      component: 'a',
      environment: 'b',
      sok: 1,
    }));
    const parsed = parsePolicyDocument({ version: 2, policies });
    expect(parsed.ok ? 0 : parsed.problem.length).toBe(100);
  });

  test('shows of what was written a short beginning only', () => {
    const parsed = parsePolicyDocument({
      version: 2,
      ['x'.repeat(5_000)]: 1,
      policies: [{ act: 'y'.repeat(5_000) }],
    });
    const longest = parsed.ok
      ? 0
      : Math.max(...parsed.problem.map(({ message }) => message.length));
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(300);
  });

  test.each(['a\u202eb', 'a\u0007', 'a\nb', ' ', '\ud800'])(
    'has no name such as %j',
    (component) => {
      const policies = [{ component, environment: 'e' }];
      expect(parsePolicyDocument({ version: 2, policies })).toMatchObject({
        problem: [{ code: 'out-of-range', path: ['policies', 0, 'component'] }],
      });
    },
  );

  test('may not stand for more than a record holds', () => {
    const where = { route: Array.from({ length: 50 }, (_, at) => `${'r'.repeat(250)}${at}`) };
    const large = {
      component: 'c',
      environment: 'e',
      metrics: [
        { name: 'errors', where },
        { name: 'latency', where },
      ],
    };
    const parsed = parsePolicyDocument({ version: 2, policies: [large] });
    expect(parsed).toMatchObject({
      ok: false,
      problem: [{ code: 'too-large', path: ['policies', 0] }],
    });
    const fair = { ...large, metrics: [{ name: 'errors', where }] };
    const many = Array.from({ length: 6 }, (_, at) => ({ ...fair, component: `c${at}` }));
    expect(parsePolicyDocument({ version: 2, policies: many.slice(0, 3) }).ok).toBe(true);
    expect(parsePolicyDocument({ version: 2, policies: many })).toMatchObject({
      ok: false,
      problem: [{ code: 'too-large', path: [] }],
    });
    expect(readDocumentText(' '.repeat(policyDocumentBytesMax + 1))).toMatchObject({
      problem: [{ code: 'too-large' }],
    });
  });
});

describe('a policy', () => {
  test.each(presetNames)('without settings is the preset %s', (preset) => {
    expect(policyOf({ preset }).policy).toEqual(presets[preset]);
  });

  test('keeps every number of the preset that it does not name', () => {
    const metrics = [{ name: 'errors', tolerance: { plus: '0.1%' } }];
    const { policy } = policyOf({ deadline: '2h', metrics });
    const [errors, ...others] = presets.standard.metrics;
    expect(policy).toEqual({
      ...presets.standard,
      deadlineMs: 7_200_000,
      metrics: [{ ...errors, tolerance: { relative: 1.1, absolute: 0.001 } }, ...others],
    });
  });

  test('says times, shares and slowness in words or as numbers', () => {
    const words = policyOf({
      soak: '7m',
      steps: ['12.5%'],
      metrics: [{ name: 'latency', slower: '9%' }],
    });
    const numbers = policyOf({
      soak: 420_000,
      steps: [0.125],
      metrics: [{ name: 'latency', slower: 0.09 }],
    });
    expect(words).toEqual(numbers);
    expect(words.policy.metrics[1]).toMatchObject({ slower: 1.09 });
  });

  test('does not judge a metric of weight 0', () => {
    const { policy } = policyOf({
      metrics: [
        { name: 'cpu', weight: 0 },
        { name: 'memory', weight: 0 },
      ],
    });
    expect(policy.metrics.map(({ id }) => id)).toEqual(['errors', 'latency', 'traffic']);
  });

  test('gives a metric of its own the numbers of its kind', () => {
    const { policy } = policyOf({
      preset: 'sensitive',
      metrics: [{ name: 'heap', kind: 'level', of: 'jvm.memory.used', weight: 0.2 }],
    });
    expect(policy.metrics.at(-1)).toEqual({
      id: 'heap',
      judged: 'level',
      weight: 0.2,
      critical: false,
      source: { names: ['jvm.memory.used'], where: [] },
      worse: 'higher',
      margin: 0.1,
      promoteMargin: 0.15,
    });
  });

  test('judges each route by itself with a part of the weight', () => {
    const { policy } = policyOf({
      metrics: [{ name: 'errors', per: { attribute: 'http.route', values: ['/pay', '/cart'] } }],
    });
    expect(policy.metrics.filter(({ judged }) => judged === 'errors')).toMatchObject([
      {
        id: 'errors{http.route=/pay}',
        weight: 0.25,
        critical: true,
        source: { where: [{ attribute: 'http.route', test: { kind: 'in', values: ['/pay'] } }] },
      },
      { id: 'errors{http.route=/cart}', weight: 0.25 },
    ]);
  });

  test('reads filters, whose values are texts', () => {
    const where = {
      a: 500,
      b: [true, 'x'],
      c: { not: 'y' },
      d: { 'starts-with': '/api' },
      e: { is: 'absent' },
    };
    const { policy } = policyOf({ metrics: [{ name: 'errors', where }] });
    expect(policy.metrics[0]?.source.where).toEqual([
      { attribute: 'a', test: { kind: 'in', values: ['500'] } },
      { attribute: 'b', test: { kind: 'in', values: ['true', 'x'] } },
      { attribute: 'c', test: { kind: 'not-in', values: ['y'] } },
      { attribute: 'd', test: { kind: 'starts-with', text: '/api' } },
      { attribute: 'e', test: { kind: 'absent' } },
    ]);
  });

  test.each(goldenPolicies('valid'))('of the golden document %s is taken', (_name, text) => {
    expect(readPolicyFile(readYaml, text)).toMatchObject({ ok: true });
    expect(readDocumentText(JSON.stringify(plainOf(text)))).toMatchObject({ ok: true });
  });
});

describe('the presets', () => {
  test('weigh errors, latency, levels and traffic as they were simulated', () => {
    for (const name of presetNames)
      expect(presets[name].metrics.map(({ id, weight }) => [id, weight])).toEqual([
        ['errors', 0.5],
        ['latency', 0.35],
        ['cpu', 0.05],
        ['memory', 0.05],
        ['traffic', 0.05],
      ]);
  });

  test('tolerate less from standard to strict', () => {
    const errors = presetNames.map((name) => presets[name].metrics[0]);
    expect(errors).toMatchObject([
      {
        tolerance: { relative: 1.1, absolute: 0.0005 },
        promoteTolerance: { relative: 1.5, absolute: 0.002 },
      },
      {
        tolerance: { relative: 1, absolute: 0 },
        promoteTolerance: { relative: 1.25, absolute: 0.001 },
      },
      {
        tolerance: { relative: 1, absolute: 0 },
        promoteTolerance: { relative: 1.1, absolute: 0.0005 },
      },
    ]);
    expect(presetNames.map((name) => presets[name].alpha)).toEqual([0.01, 0.01, 0.001]);
  });
});
