import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import type { HttpRequest, HttpResponse } from '../../services/ports/http.ts';
import type { EmitterOptions } from '../../services/sdk/emitter-options.ts';
import type { Emitter } from '../../services/sdk/emitter.ts';
import { createEmitter } from '../../services/sdk/emitter.ts';
import type { MarkerToTell } from '../../services/sdk/marker-to-tell.ts';
import { ciEnvironment } from '../support/ci-environments.ts';
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

const emitterOf = async (url: string, key: string, more: EmitterOptions = {}): Promise<Emitter> => {
  const spool = join(folder, `spool-${Math.random()}`);
  const usual = { url, key, audience, spool, source: 'checkout', timeoutMs: 5000 };
  return value(await createEmitter({ ...usual, ...more }));
};

/** A gateway that is away until it is told otherwise. */
const housedAway = async (): Promise<
  Awaited<ReturnType<typeof housed>> & { readonly comesBack: () => void }
> => {
  const { house, key } = await housed();
  let isDown = true;
  const api = async (request: HttpRequest): Promise<HttpResponse> =>
    isDown ? { status: 502, headers: {}, body: 'bad gateway' } : house.app.api(request);
  const gateway = await serveGateway({ app: { ...house.app, api } });
  closing.push(() => gateway.close());
  return { house, key, url: gateway.url, comesBack: () => void (isDown = false) };
};

/** A gateway that takes a while for its first request, and answers others meanwhile. */
const housedSlowAtFirst = async (): ReturnType<typeof housed> => {
  const { house, key } = await housed();
  let isFirst = true;
  const api = async (request: HttpRequest): Promise<HttpResponse> => {
    const isSlow = isFirst;
    isFirst = false;
    if (isSlow) await new Promise((done) => setTimeout(done, 300));
    return house.app.api(request);
  };
  const gateway = await serveGateway({ app: { ...house.app, api } });
  closing.push(() => gateway.close());
  return { house, key, url: gateway.url };
};

const production = { environment: 'production', component: 'checkout' };

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
  ])('refuses %s, and sends nothing', async (_what, told) => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key);
    // As a program says it that nobody has compiled.
    const emitted = await emitter.emit(told as unknown as MarkerToTell);
    expect(emitted).toMatchObject({ delivery: 'refused', position: null });
    expect(await house.records()).toHaveLength(3);
  });

  test('keeps what nobody takes, and sends it before the next', async () => {
    const { house, key, url, comesBack } = await housedAway();
    const emitter = await emitterOf(url, key);
    const kept = await emitter.emit({ kind: 'logged', version: '1', ...production });
    expect(kept).toMatchObject({ delivery: 'spooled', position: null });
    comesBack();
    const next = await emitter.emit({ kind: 'logged', version: '2', ...production });
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

  test('sends what lies in the spool when it is asked to', async () => {
    const { house, key, url, comesBack } = await housedAway();
    const emitter = await emitterOf(url, key);
    expect(await emitter.flush()).toMatchObject({ delivered: 0, waiting: 0, code: null });
    await emitter.emit({ kind: 'logged', version: '1', ...production });
    await emitter.emit({ kind: 'logged', version: '1', environment: 'staging', component: 'a' });
    expect(await emitter.flush()).toMatchObject({ delivered: 0, waiting: 2, code: 'http-502' });
    comesBack();
    expect(await emitter.flush()).toMatchObject({ delivered: 2, waiting: 0, code: null });
    expect(await house.records()).toHaveLength(5);
    expect(await emitter.flush()).toMatchObject({ delivered: 0 });
  });

  test('takes no more into its spool than it is told', async () => {
    const { key, url } = await housedAway();
    const lines: string[] = [];
    const onMarkerLine = (line: string): void => void lines.push(line);
    const emitter = await emitterOf(url, key, { spoolMegabytes: 1, onMarkerLine });
    const tickets = Array.from({ length: 150 }, (_, at) => `${at} ${'x'.repeat(240)}`);
    const details = { tickets };
    const emitted: string[] = [];
    for (let at = 0; at < 200 && !emitted.includes('lost'); at += 1) {
      const said = { kind: 'logged', version: String(at), ...production, details } as const;
      emitted.push((await emitter.emit(said)).delivery);
    }
    expect(emitted.at(-1)).toBe('lost');
    expect(emitted.length).toBeGreaterThan(15);
    // What no disk takes is handed over as a line.
    expect(lines).toEqual([expect.stringMatching(/^plimsoll-marker:v1:[A-Za-z0-9+/]+=*$/)]);
  });

  test('in a CI job hands over each that waits as a line, for the disk goes with the job', async () => {
    const { key, url, comesBack } = await housedAway();
    const lines: string[] = [];
    const onMarkerLine = (line: string): void => void lines.push(line);
    const emitter = await emitterOf(url, key, { env: { CI: 'true' }, onMarkerLine });
    await emitter.emit({ kind: 'logged', version: '1', ...production });
    expect(lines).toHaveLength(1);
    comesBack();
    await emitter.emit({ kind: 'logged', version: '2', ...production });
    expect(lines).toHaveLength(1);
  });

  test('a fault in what the caller does with a line does not call a kept marker lost', async () => {
    const { key, url } = await housedAway();
    const onMarkerLine = (): never => {
      throw new Error('a fault of the caller');
    };
    const emitter = await emitterOf(url, key, { env: { CI: 'true' }, onMarkerLine });
    expect(await emitter.emit({ kind: 'logged', version: '1', ...production })).toMatchObject({
      ...{ delivery: 'spooled', code: 'http-502' },
    });
  });

  test('sends what is told of one deployment in the order of the calls, though nobody awaits them', async () => {
    const { house, url, key } = await housedSlowAtFirst();
    const emitter = await emitterOf(url, key);
    const told = ['planned', 'started', 'succeeded'] as const;
    const emitting = told.map((kind) =>
      emitter.emit(
        kind === 'planned'
          ? { kind, run: '7', version: '2.0.0', ...production }
          : { kind, run: '7' },
      ),
    );
    await emitter.close();
    expect((await Promise.all(emitting)).map(({ position }) => position)).toEqual([3, 4, 5]);
    await house.project();
    const { json } = await house.get('/v1/timeline');
    expect(json.items).toMatchObject([{ version: '2.0.0', status: 'succeeded' }]);
  });

  test('once closed has delivered what it was told, takes nothing more, and says so', async () => {
    const { house, url, key } = await housedSlowAtFirst();
    const emitter = await emitterOf(url, key);
    void emitter.emit({ kind: 'logged', version: '0', ...production });
    await emitter.close();
    expect(await house.records()).toHaveLength(4);
    expect(await emitter.emit({ kind: 'logged', version: '1', ...production })).toMatchObject({
      ...{ delivery: 'refused', code: 'emitter-closed' },
    });
    expect(await house.records()).toHaveLength(4);
  });

  test('says the same once, however often it is told', async () => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key);
    const plan = { kind: 'planned', run: '7', version: '2.0.0', ...production } as const;
    const deliveries: string[] = [];
    for (const told of [plan, plan, { kind: 'started', run: '7' } as const]) {
      deliveries.push((await emitter.emit(told)).delivery);
      await house.project();
    }
    deliveries.push((await emitter.emit({ kind: 'started', run: '7' })).delivery);
    expect(deliveries).toEqual(['stored', 'duplicate', 'stored', 'duplicate']);
  });

  test('writes over what looks like a secret where that is asked for, and says so', async () => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key, { redact: true });
    const details = { owner: 'AKIAQ3EGRQWZTB7XKPLM' };
    const emitted = await emitter.emit({ kind: 'logged', version: '1', ...production, details });
    expect(emitted).toMatchObject({
      delivery: 'stored',
      message: expect.stringContaining('written over in details.owner'),
    });
    const [record] = (await house.records()).slice(-1);
    expect(Buffer.from(record?.value ?? []).toString('latin1')).not.toContain(details.owner);
  });

  test('never writes over a name: two would be one', async () => {
    const { house, url, key } = await housed();
    const emitter = await emitterOf(url, key, { redact: true });
    const before = (await house.records()).length;
    const environment = 'AKIAQ3EGRQWZTB7XKPLM';
    const emitted = await emitter.emit({
      kind: 'logged',
      version: '1',
      ...{ environment, component: 'shop' },
    });
    expect(emitted).toMatchObject({ delivery: 'refused', code: 'secret-found' });
    expect(await house.records()).toHaveLength(before);
  });

  test('in a CI job what is no list of records is refused by its field', async () => {
    const { url, key } = await housed();
    const emitter = await emitterOf(url, key, { env: ciEnvironment('circleci-push') });
    const details = { labels: [null] } as never;
    expect(
      await emitter.emit({ kind: 'logged', version: '1', ...production, details }),
    ).toMatchObject({ delivery: 'refused', message: expect.stringContaining('labels') });
  });

  test('names what a setting is told wrongly as', async () => {
    const { url, key } = await housed();
    const wrongly = async (options: EmitterOptions): Promise<unknown> => {
      const emitter = await createEmitter({ url, key, ...options });
      return emitter.ok ? 'made' : [emitter.problem.code, emitter.problem.hint];
    };
    expect(await wrongly({ url: 'localhost' })).toEqual(['setting-invalid', 'it was told as url']);
    expect(await wrongly({ spoolDays: 0.5 })).toEqual([
      ...['setting-invalid', 'it was told as spoolDays'],
    ]);
    expect(await wrongly({ env: { PLIMSOLL_TIMEOUT: '3' } })).toEqual([
      ...['setting-invalid', 'plimsoll help settings lists them'],
    ]);
    expect(await wrongly({ timeoutMs: 3, env: { PLIMSOLL_TIMEOUT: '3' } })).toBe('made');
    const unnamed = await createEmitter({ env: {} });
    expect(unnamed).toMatchObject({
      problem: { code: 'setting-missing', hint: 'name it: url, or env with PLIMSOLL_URL' },
    });
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
