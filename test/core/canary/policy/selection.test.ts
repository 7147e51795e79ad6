import { describe, expect, test } from 'vitest';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { selectionOf } from '../../../../services/core/canary/policy/selection.ts';
import { policyOf } from '../../../support/canary/policies.ts';

const ofRequests = [
  'plimsoll.client-error',
  'plimsoll.overflow',
  'plimsoll.probe',
  'plimsoll.status',
];
const usualTargets = ['cloud.region', 'k8s.cluster.name'];

describe('what is copied from telemetry', () => {
  test('is what the preset judges, of errors what the status says, and of requests whether they have attributes', () => {
    const { metrics, levels, targetAttributes, usualTargetAttributes } = selectionOf([
      presets.standard,
    ]);
    expect([...metrics]).toEqual([
      ['http.server.duration', ofRequests],
      ['http.server.request.duration', ofRequests],
      ['process.cpu.utilization', []],
      ['process.memory.usage', []],
      ['rpc.server.call.duration', ofRequests],
      ['rpc.server.duration', ofRequests],
    ]);
    expect([...levels].toSorted()).toEqual(['process.cpu.utilization', 'process.memory.usage']);
    // Nobody is told apart by it: it is told where several are judged as one.
    expect(targetAttributes).toEqual([]);
    expect(usualTargetAttributes).toEqual(usualTargets);
  });

  test('is all that any policy looks at: metrics, attributes of filters and strata, targets', () => {
    const ours = policyOf({
      target: 'cloud.region',
      metrics: [
        {
          name: 'errors',
          of: 'http.server.request.duration',
          where: { 'server.address': { is: 'present' } },
          errors: { 'http.response.status_code': [500, 503] },
          per: { attribute: 'http.route', values: ['/pay', '/cart'] },
        },
        { name: 'cpu', weight: 0 },
      ],
    });
    const theirs = policyOf({
      target: 'availability.zone',
      metrics: [
        {
          name: 'pay',
          kind: 'latency',
          of: 'http.server.request.duration',
          where: { method: 'POST' },
        },
      ],
    });
    const { metrics, targetAttributes, usualTargetAttributes } = selectionOf([
      ours.policy,
      theirs.policy,
    ]);
    expect(metrics.get('http.server.request.duration')).toEqual([
      'http.response.status_code',
      'http.route',
      'method',
      'plimsoll.client-error',
      'plimsoll.overflow',
      'plimsoll.probe',
      'plimsoll.status',
      'server.address',
    ]);
    expect(metrics.get('rpc.server.duration')).toEqual(ofRequests);
    expect(metrics.has('process.cpu.utilization')).toBe(true);
    expect(selectionOf([ours.policy]).metrics.has('process.cpu.utilization')).toBe(false);
    expect(targetAttributes).toEqual(['availability.zone', 'cloud.region']);
    expect(usualTargetAttributes).toEqual([]);
    // Where all say by themselves which routes they are of, nobody asks for probes.
    const routed = policyOf({
      metrics: ['errors', 'latency', 'traffic'].map((name) => ({
        name,
        where: { 'http.route': { 'starts-with': '/' } },
      })),
    });
    expect(selectionOf([routed.policy]).metrics.get('http.server.request.duration')).toEqual([
      'http.route',
      'plimsoll.client-error',
      'plimsoll.overflow',
      'plimsoll.status',
    ]);
    // Beside one that names none.
    const mixed = selectionOf([ours.policy, presets.standard]);
    expect(mixed.targetAttributes).toEqual(['cloud.region']);
    expect(mixed.usualTargetAttributes).toEqual(usualTargets);
  });
});
