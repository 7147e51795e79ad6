import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import type { HttpRequest, HttpResponse } from '../../services/ports/http.ts';
import type { Emitter, MarkerToTell } from '../../services/sdk/emitter.ts';
import { createEmitter } from '../../services/sdk/emitter.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, tools, trusts } from '../support/given.ts';
import { added, audience } from '../support/markers.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { serveGateway } from '../support/served-gateway.ts';

const folder = scratchFolder();
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A gateway that trusts the emitter's key. */
const housed = async (): Promise<{ house: GatewayHouse; url: string; key: string }> => {
  const key = join(folder, `key-${closing.length}-${Math.random()}.json`);
  const { signer } = value(await newKeyFile({ principal: 'service@checkout', path: key }));
  const house = await openGatewayHouse([trusts('ci'), by('admin', added(signer))], () => ({
    clock: createSystemClock(),
  }));
  const gateway = await serveGateway(house);
  closing.push(() => gateway.close());
  return { house, url: gateway.url, key };
};

const emitterOf = async (
  url: string,
  key: string,
  spool: string = join(folder, `spool-${Math.random()}`),
): Promise<Emitter> =>
  value(await createEmitter({ url, key, audience, spool, source: 'checkout', timeoutMs: 5000 }));

describe('an emitter in a program', () => {
  test('says that a version came to a place', async () => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key);
    const emitted = await emitter.emit({
      ...{ kind: 'logged', environment: 'production', component: 'checkout', version: '2.0.0' },
    });
    expect(emitted).toMatchObject({ delivery: 'stored', position: 3, deployment: emitted.marker });
    await house.project();
    const { json } = await house.get('/v1/current');
    expect(json.items).toMatchObject([{ component: 'checkout', version: '2.0.0' }]);
  });

  test('names a deployment by its run, in its plan and in what follows', async () => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key);
    const place = { environment: 'production', component: 'checkout', run: 'job 7' };
    const planned = await emitter.emit({ kind: 'planned', version: '2.0.0', ...place });
    await house.project();
    const started = await emitter.emit({ kind: 'started', run: 'job 7' });
    expect([planned.delivery, started.delivery]).toEqual(['stored', 'stored']);
    expect(started.deployment).toBe(planned.deployment);
  });

  test.each([
    [
      'a field that no schema knows',
      { kind: 'logged', component: 'a', version: '1', colour: 'red' },
    ],
    ['a kind that is not told', { kind: 'roll-back', component: 'a' }],
    [
      'a secret',
      {
        ...{ kind: 'logged', component: 'a', environment: 'b', version: '1' },
        details: { owner: 'AKIAQ3EGRQWZTB7XKPLM' },
      },
    ],
  ] satisfies [string, MarkerToTell][])('refuses %s, and sends nothing', async (_what, told) => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key);
    expect(await emitter.emit(told)).toMatchObject({ delivery: 'refused', position: null });
    expect(await house.records()).toHaveLength(3);
  });

  test('keeps what nobody takes, and sends it before the next', async () => {
    const { house, key } = await housed();
    let isDown = true;
    const api = async (request: HttpRequest): Promise<HttpResponse> =>
      isDown ? { status: 502, headers: {}, body: 'bad gateway' } : house.app.api(request);
    const gateway = await serveGateway({ app: { ...house.app, api } });
    closing.push(() => gateway.close());
    const emitter = await emitterOf(gateway.url, key);
    const place = { environment: 'production', component: 'checkout' };
    const kept = await emitter.emit({ kind: 'logged', version: '1', ...place });
    expect(kept).toMatchObject({ delivery: 'spooled', position: null });
    isDown = false;
    const next = await emitter.emit({ kind: 'logged', version: '2', ...place });
    expect(next).toMatchObject({ delivery: 'stored', position: 4 });
    const { json } = await house.get(`/v1/deployments/${kept.marker}`);
    expect(json.code).toBe('not-found');
    await house.project();
    expect((await house.get(`/v1/deployments/${kept.marker}`)).status).toBe(200);
  });

  test.each([
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', true],
    ['no trace', false],
    [undefined, false],
  ])('sends the trace context %s: %s', async (traceparent, isSent) => {
    const { house, url, key } = await housed();
    const spool = join(folder, `spool-${Math.random()}`);
    const options = { url, key, audience, spool, source: 'checkout', timeoutMs: 5000, traceparent };
    const emitter = value(await createEmitter(options));
    const place = { environment: 'production', component: 'checkout' };
    const emitted = await emitter.emit({ kind: 'logged', version: '1', ...place });
    expect(emitted.delivery).toBe('stored');
    const [record] = (await house.records()).slice(-1);
    const sent = record?.headers.find(({ name }) => name === 'traceparent');
    expect(sent === undefined ? undefined : tools.text.decodeUtf8(sent.value)).toBe(
      isSent ? traceparent : undefined,
    );
  });

  test('says what is wrong with its key', async () => {
    expect(
      await createEmitter({ url: 'http://127.0.0.1:1', key: join(folder, 'none') }),
    ).toMatchObject({
      ok: false,
      problem: { code: 'key-file-missing' },
    });
  });
});
