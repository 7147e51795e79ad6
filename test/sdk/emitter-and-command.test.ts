import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import type { HttpRequest, HttpResponse } from '../../services/ports/http.ts';
import { createEmitter } from '../../services/sdk/emitter.ts';
import type { MarkerToTell } from '../../services/sdk/marker-to-tell.ts';
import { bareEnv } from '../support/bare-env.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, trusts } from '../support/given.ts';
import { added } from '../support/markers.ts';
import { plimsoll } from '../support/plimsoll.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { serveGateway } from '../support/served-gateway.ts';

// What a program leaves in the spool the command delivers, and the other way round: one folder, one form.

const scratch = scratchFolder();
const program = resolve(import.meta.dirname, '../support/processes/emit-program.ts');
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Here = {
  readonly folder: string;
  readonly house: GatewayHouse;
  readonly env: { readonly [name: string]: string };
  readonly comesBack: () => void;
};

const awayAtFirst = async (): Promise<Here> => {
  const folder = join(scratch, String(Math.random()));
  mkdirSync(folder);
  const key = join(folder, 'service.json');
  const { signer } = value(await newKeyFile({ principal: 'service@checkout', path: key }));
  const house = await openGatewayHouse([trusts('ci'), by('admin', added(signer))], () => ({
    clock: createSystemClock(),
  }));
  let isDown = true;
  const api = async (request: HttpRequest): Promise<HttpResponse> =>
    isDown ? { status: 503, headers: {}, body: 'away' } : house.app.api(request);
  const gateway = await serveGateway({ app: { ...house.app, api } });
  closing.push(() => gateway.close());
  const env = { PLIMSOLL_URL: gateway.url, PLIMSOLL_KEY: key, PLIMSOLL_SPOOL: `${folder}/spool` };
  return { folder, house, env, comesBack: () => void (isDown = false) };
};

const place = { environment: 'production', component: 'checkout' };
const versionsOn = async (house: GatewayHouse): Promise<readonly unknown[]> => {
  await house.project();
  const { json } = await house.get('/v1/timeline');
  return (json.items as readonly { readonly version: string }[]).map(({ version }) => version);
};

describe('one spool', () => {
  test('what a program was told is spooled, plimsoll flush delivers after it was killed', async () => {
    const { folder, house, env, comesBack } = await awayAtFirst();
    const told: readonly MarkerToTell[] = ['1', '2', '3'].map((version) => ({
      ...{ kind: 'logged', version, ...place },
    }));
    const options = { env: { ...env, PLIMSOLL_TIMEOUT: '20s' } };
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        program,
        JSON.stringify(options),
        JSON.stringify(told),
      ],
      { cwd: folder, env: bareEnv(), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise((done) => child.on('close', done));
    let spooled = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      expect(JSON.parse(line)).toMatchObject({ delivery: 'spooled' });
      spooled += 1;
      if (spooled === told.length) child.kill('SIGKILL');
    }
    await ended;
    comesBack();
    const flushed = await plimsoll(folder, ['flush'], env);
    expect(`${flushed.exit} ${flushed.out}`).toMatch(/^0 [\s\S]*3 delivered, 0 still waiting\n$/);
    expect(await versionsOn(house)).toEqual(['1', '2', '3']);
  });

  test('what a command left there a program sends before its own', async () => {
    const { folder, house, env, comesBack } = await awayAtFirst();
    const logged = await plimsoll(
      folder,
      [
        ...['release', 'log', '--target-version=1', '--component-name=checkout'],
        '--environment-name=production',
      ],
      env,
    );
    expect(logged.exit).toBe(0);
    comesBack();
    const emitter = value(await createEmitter({ env, timeoutMs: 20_000 }));
    const emitted = await emitter.emit({ kind: 'logged', version: '2', ...place });
    expect(emitted.delivery).toBe('stored');
    expect(await versionsOn(house)).toEqual(['1', '2']);
  });

  test('and by flush without telling anything', async () => {
    const { folder, house, env, comesBack } = await awayAtFirst();
    await plimsoll(folder, ['release', 'log', '--target-version=1', '--component-name=a'], env);
    comesBack();
    const emitter = value(await createEmitter({ env }));
    expect(await emitter.flush(20_000)).toMatchObject({ delivered: 1, waiting: 0 });
    expect(await versionsOn(house)).toEqual(['1']);
  });
});
