import { expect, test } from 'vitest';
import { contentTypes, writeExposition } from '../../services/adapters/telemetry/exposition.ts';
import { gatewayMetrics } from '../../services/gateway/measurements.ts';
import { readExposition } from '../support/exposition.ts';
import { openGatewayHouse } from '../support/gateway.ts';

test('a collector reads what the gateway answered and refused, and puts into the query what it likes', async () => {
  const house = await openGatewayHouse([], () => ({
    writeMetrics: async (accept) => ({
      contentType: contentTypes.prometheus,
      body:
        accept === 'text/plain'
          ? writeExposition(gatewayMetrics(house.app.status)(), 'prometheus')
          : '',
    }),
  }));
  await house.get('/healthz');
  await house.get('/nowhere');
  await house.get('/nowhere');
  const answer = await house.get('/metrics?name[]=up', { headers: { accept: 'text/plain' } });
  expect([answer.status, answer.headers['content-type']]).toEqual([200, contentTypes.prometheus]);
  const read = readExposition(answer.text, 'prometheus');
  expect(
    Object.fromEntries(
      read.map(({ name, samples }) => [name, samples.map((each) => [each.labels, each.value])]),
    ),
  ).toEqual({
    plimsoll_http_answers_total: [[{ status: '200' }, 1]],
    plimsoll_refusals_total: [[{ service: 'gateway', code: 'not-found' }, 2]],
    plimsoll_telemetry_left_out_points_total: [],
    plimsoll_queued_records: [
      [{ of: 'markers' }, 0],
      [{ of: 'telemetry' }, 0],
    ],
  });
});

test('a gateway that was given no numbers has nothing there', async () => {
  const house = await openGatewayHouse();
  expect((await house.get('/metrics')).status).toBe(404);
});
