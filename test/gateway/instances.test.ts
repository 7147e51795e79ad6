import { describe, expect, test } from 'vitest';
import type { InstanceStarted } from '../../services/core/instances/instance.ts';
import { instancePartitions } from '../../services/core/instances/instance.ts';
import { partitionOfInstance } from '../../services/core/instances/wire.ts';
import { toHttp } from '../../services/core/markers/http-wire.ts';
import { fail } from '../../services/core/result.ts';
import { startsPerSecondMax } from '../../services/gateway/instances.ts';
import { faultsOf } from '../support/cli-schemas.ts';
import type { Answered, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { recordsOf, tools, trusts } from '../support/given.ts';
import { startRecord } from '../support/instances.ts';
import { value } from '../support/records.ts';

const send = async (
  house: GatewayHouse,
  name: string,
  over: Partial<InstanceStarted> = {},
): Promise<Answered> => {
  const { headers, body } = toHttp(tools.text, await startRecord(name, 'web-0', over));
  return house.send('POST', '/v1/instances', { headers, body });
};

const appended = async ({ instances }: GatewayHouse): Promise<number> => {
  const ranges = await Promise.all(
    Array.from({ length: instancePartitions }, (_, partition) => instances.range(partition)),
  );
  return ranges.reduce((sum, range) => sum + value(range).end, 0);
};

test('a signed start lies in the partition of its slot, byte for byte', async () => {
  const house = await openGatewayHouse([trusts('node')]);
  const record = await startRecord('node', 'web-0');
  const answer = await send(house, 'node');
  const partition = partitionOfInstance(tools.text, record);
  expect(answer).toMatchObject({
    status: 201,
    json: { instance: 'web-0', delivery: 'stored', partition, position: 0 },
  });
  expect(faultsOf('instance-receipt', answer.json)).toEqual([]);
  expect(value(await house.instances.read(partition, 0, 10))).toMatchObject([record]);
});

test('it comes to no log', async () => {
  const house = await openGatewayHouse([trusts('node')]);
  const before = (await house.records()).length;
  await send(house, 'node');
  expect(await house.records()).toHaveLength(before);
});

describe('refused at the door, and nothing is written', () => {
  test.each<[string, string, Partial<InstanceStarted>, number, string]>([
    ['a stranger', 'stranger', {}, 403, 'key-unknown'],
    ['a key of another place', 'stage', {}, 403, 'out-of-scope'],
    ['a digest that is a tag', 'node', { digest: 'latest' }, 422, 'field-invalid'],
  ])('%s', async (_what, name, over, status, code) => {
    const house = await openGatewayHouse([
      trusts('node'),
      trusts('stage', { environments: ['staging'] }),
    ]);
    expect(await send(house, name, over)).toMatchObject({ status, json: { code } });
    expect(await appended(house)).toBe(0);
  });

  test('JSON without a signature', async () => {
    const house = await openGatewayHouse([trusts('node')]);
    const answer = await house.send('POST', '/v1/instances', {
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer).toMatchObject({ status: 415, json: { code: 'json-not-taken' } });
  });

  test('where the topic cannot be reached', async () => {
    const house = await openGatewayHouse([trusts('node')], () => ({
      instances: async () => fail({ message: 'no broker' }),
    }));
    expect(await send(house, 'node')).toMatchObject({
      status: 503,
      json: { code: 'log-unreachable' },
    });
  });

  test('what is more than a second takes', async () => {
    const house = await openGatewayHouse([trusts('node')]);
    const { headers, body } = toHttp(tools.text, await startRecord('node', 'web-0'));
    const answers = await Promise.all(
      Array.from({ length: startsPerSecondMax + 20 }, () =>
        house.send('POST', '/v1/instances', { headers, body }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(startsPerSecondMax);
    expect(answers.at(-1)).toMatchObject({ status: 503, json: { code: 'busy' } });
    await house.ports.clock.sleep(1000);
    expect(await send(house, 'node')).toMatchObject({ status: 201 });
  });
});

test('a key that was just added is waited for', async () => {
  const house = await openGatewayHouse([trusts('node')]);
  const records = await recordsOf(trusts('node'), trusts('newcomer'));
  value(await house.log.append(0, records.slice(2)));
  house.projectorRuns(true);
  expect(await send(house, 'newcomer')).toMatchObject({ status: 201 });
});
