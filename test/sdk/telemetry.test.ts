import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from 'vitest';
import { writeResourceAttributes } from '../../services/core/telemetry/resource-attributes.ts';
import { openBaggage } from '../../services/sdk/baggage.ts';
import type { DeploymentTold } from '../../services/sdk/telemetry.ts';
import {
  deploymentAttributes,
  logFields,
  nameDeployment,
  runningDeployment,
} from '../../services/sdk/telemetry.ts';

const id = '0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d';
const told: DeploymentTold = {
  deployment: id,
  name: 'eu',
  environment: 'production',
  component: 'checkout',
  version: '2.0.0',
};

describe('the attributes of a deployment', () => {
  test('go with every metric that an SDK exports', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter });
    const resource = resourceFromAttributes(deploymentAttributes(told));
    const meters = new MeterProvider({ resource, readers: [reader] });
    meters.getMeter('shop').createCounter('orders').add(1);
    await meters.forceFlush();
    expect(exporter.getMetrics()[0]?.resource.attributes).toEqual({
      'deployment.id': id,
      'deployment.name': 'eu',
      'deployment.environment.name': 'production',
      'service.name': 'checkout',
      'service.version': '2.0.0',
    });
    await meters.shutdown();
  });

  test('are only those that say something', () => {
    expect(
      deploymentAttributes({ deployment: 'no id', version: '', component: null, name: 'eu' }),
    ).toEqual({ 'deployment.name': 'eu' });
  });

  test('are found again in the environment of the process', () => {
    const text = writeResourceAttributes(deploymentAttributes(told));
    expect(runningDeployment({ OTEL_RESOURCE_ATTRIBUTES: text })).toEqual(told);
    expect(
      runningDeployment({ OTEL_RESOURCE_ATTRIBUTES: text, OTEL_SERVICE_NAME: 'cart' }).component,
    ).toBe('cart');
    expect(runningDeployment({})).toEqual({ deployment: null });
  });

  test('of lines of a log are those that tell deployments apart', () => {
    expect(logFields(told)).toEqual({ 'deployment.id': id, 'service.version': '2.0.0' });
    expect(logFields({})).toEqual({});
  });
});

describe('baggage', () => {
  test('carries the deployment beside what it carries already', async () => {
    const { withDeployment, deploymentIn } = await openBaggage();
    const before = propagation.setBaggage(
      ROOT_CONTEXT,
      propagation.createBaggage({ tenant: { value: 'a' } }),
    );
    const carried = withDeployment(before, id);
    expect(deploymentIn(carried)).toBe(id);
    expect(propagation.getBaggage(carried)?.getAllEntries()).toEqual([
      ['tenant', { value: 'a' }],
      ['deployment.id', { value: id }],
    ]);
    expect(deploymentIn(before)).toBeNull();
  });

  test.each([null, undefined, '', 'no id', `${id}\r\nset-cookie: a=b`])(
    'takes no id that is none: %j',
    async (other) => {
      const { withDeployment, deploymentIn } = await openBaggage();
      expect(withDeployment(ROOT_CONTEXT, other)).toBe(ROOT_CONTEXT);
      const forged = propagation.createBaggage({ 'deployment.id': { value: other ?? '' } });
      expect(deploymentIn(propagation.setBaggage(ROOT_CONTEXT, forged))).toBeNull();
    },
  );
});

describe('the response header', () => {
  const answered = async (deployment: DeploymentTold, isSent = false): Promise<Response> => {
    const name = nameDeployment(deployment);
    const server = createServer((request, response) => {
      if (isSent) response.flushHeaders();
      name(request, response, () => response.end('went on'));
    });
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
    try {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(await answer.text()).toBe('went on');
      return answer;
    } finally {
      server.close();
    }
  };

  test('names the deployment, and the request goes on', async () => {
    expect((await answered(told)).headers.get('plimsoll-deployment')).toBe(id);
  });

  test.each([
    ['it is not known', { deployment: null }, false],
    ['what is said is no id', { deployment: 'a\r\nset-cookie: a=b' }, false],
    ['headers were sent already', told, true],
  ])('is left out where %s, and the request goes on', async (_when, deployment, isSent) => {
    const { headers } = await answered(deployment, isSent);
    expect(headers.has('plimsoll-deployment')).toBe(false);
    expect(headers.has('set-cookie')).toBe(false);
  });
});
