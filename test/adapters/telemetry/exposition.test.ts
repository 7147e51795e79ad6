import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contentTypes,
  formatFor,
  writeExposition,
} from '../../../services/adapters/telemetry/exposition.ts';
import { counter, gauge } from '../../../services/core/own-metrics/family.ts';
import type { MetricFamily, MetricName } from '../../../services/core/own-metrics/family.ts';
import { openHistogram } from '../../../services/core/own-metrics/histogram.ts';
import { readExposition } from '../../support/exposition.ts';

const named = (name: string, help = 'what it is'): MetricName => ({
  name,
  otelName: name.replaceAll('_', '.'),
  unit: '1',
  help,
});

const durations = (): MetricFamily => {
  const histogram = openHistogram([0.01, 1]);
  histogram.record(0.005);
  histogram.record(0.01, { deployment: 'd-1', atMs: 1_700_000_000_123 });
  histogram.record(7);
  const state = histogram.read();
  return { ...named('apply_seconds'), kind: 'histogram', points: [{ labels: {}, state }] };
};

test('Prometheus: each family once, counters end in _total, buckets add up', () => {
  const families = [
    gauge(named('lag_records'), [{ labels: { service: 'projector' }, value: 3 }]),
    counter(named('applied'), [{ labels: {}, value: 4 }]),
    durations(),
  ];
  expect(writeExposition(families, 'prometheus')).toBe(
    [
      '# HELP lag_records what it is',
      '# TYPE lag_records gauge',
      'lag_records{service="projector"} 3',
      '# HELP applied_total what it is',
      '# TYPE applied_total counter',
      'applied_total 4',
      '# HELP apply_seconds what it is',
      '# TYPE apply_seconds histogram',
      'apply_seconds_bucket{le="0.01"} 2',
      'apply_seconds_bucket{le="1.0"} 2',
      'apply_seconds_bucket{le="+Inf"} 3',
      'apply_seconds_sum 7.015',
      'apply_seconds_count 3',
      '',
    ].join('\n'),
  );
});

test('OpenMetrics: the deployment is told as exemplar, and nowhere else', () => {
  const exemplar = { deployment: 'd-2', value: 1, atMs: 1_700_000_000_500 };
  const families = [counter(named('applied'), [{ labels: {}, value: 4, exemplar }]), durations()];
  const lines = writeExposition(families, 'openmetrics').split('\n');
  expect(lines).toContain('# TYPE applied counter');
  expect(lines).toContain('applied_total 4 # {deployment_id="d-2"} 1 1700000000.500');
  expect(lines).toContain(
    'apply_seconds_bucket{le="0.01"} 2 # {deployment_id="d-1"} 0.01 1700000000.123',
  );
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  expect(writeExposition(families, 'prometheus')).not.toContain('deployment');
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\n', '} 1\nforged 2', ' # ', '# EOF', '\\n', '"} 7', '{', 'a,b="c"'),
);

describe.each(['prometheus', 'openmetrics'] as const)('in %s', (format) => {
  test('whatever stands in a label or a help is read back as it is, and forges no line', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          anyText.filter((text) => text !== ''),
          { maxLength: 8 },
        ),
        anyText,
        fc.double(),
        (texts, help, number) => {
          const points = texts.map((component) => ({ labels: { component }, value: number }));
          const [read] = readExposition(
            writeExposition([gauge(named('lag', help), points)], format),
            format,
          );
          expect(read?.help).toBe(help);
          expect(read?.samples.map(({ labels }) => labels['component'])).toEqual(texts);
          for (const { value } of read?.samples ?? []) expect(value + 0).toBe(number + 0);
        },
      ),
    );
  });

  test('a strict reader takes all of it', () => {
    const exemplar = { deployment: '0'.repeat(36), value: 1, atMs: 1 };
    const families = [
      counter(named('none'), []),
      counter(named('some'), [{ labels: { code: 'gap', of: '' }, value: 0, exemplar }]),
      gauge(
        named('odd'),
        [NaN, Infinity, -Infinity, 1e-7, 1e21].map((value, at) => ({
          labels: { at: `${at}` },
          value,
        })),
      ),
      durations(),
    ];
    const read = readExposition(writeExposition(families, format), format);
    expect(read.map(({ samples }) => samples.length)).toEqual([0, 1, 5, 5]);
    expect(read[1]?.samples[0]?.labels).toEqual({ code: 'gap' });
  });

  test('a family with far too many points is cut', () => {
    const points = Array.from({ length: 5_000 }, (_, at) => ({
      labels: { at: `${at}` },
      value: 1,
    }));
    const [read] = readExposition(writeExposition([gauge(named('lag'), points)], format), format);
    expect(read?.samples.length).toBe(2_000);
  });
});

test.each([
  [undefined, 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain', 'prometheus'],
  ['application/openmetrics-text', 'openmetrics'],
  // What Prometheus 2.42 sends.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.5', 'prometheus'],
  ['application/openmetrics-text;version=2.0.0', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=x', 'prometheus'],
] as const)('who accepts %s gets %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
  expect(contentTypes[format]).toMatch(/charset=utf-8$/);
});
