import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import type { EmitterOptions } from '../../services/sdk/emitter-options.ts';
import { createEmitter } from '../../services/sdk/emitter.ts';
import type { MarkerToTell } from '../../services/sdk/marker-to-tell.ts';
import { startPlimsoll } from '../support/plimsoll.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, trusts } from '../support/given.ts';
import { added } from '../support/markers.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { serveGateway } from '../support/served-gateway.ts';

const scratch = scratchFolder();
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const job = {
  CIRCLECI: 'true',
  CIRCLE_WORKFLOW_ID: '0b5e2f0f-4c5a-4a55-9f0c-0d3c1a2b3c4d',
  CIRCLE_WORKFLOW_WORKSPACE_ID: '0b5e2f0f-4c5a-4a55-9f0c-0d3c1a2b3c4d',
  CIRCLE_SHA1: '5c3d1b7e9a0f4c2d8e6b1a3f5d7c9e0b2a4f6d81',
  CIRCLE_BRANCH: 'main',
  CIRCLE_REPOSITORY_URL: 'https://github.com/example/checkout',
  CIRCLE_USERNAME: 'ann',
};

type Line = { readonly [name: string]: unknown };

type Here = {
  readonly house: GatewayHouse;
  readonly env: { readonly [name: string]: string };
  readonly emit: (told: MarkerToTell, more?: EmitterOptions) => Promise<Line>;
  readonly command: (...args: readonly string[]) => Promise<Line>;
  readonly timeline: () => Promise<readonly Line[]>;
};

const inJob = async (): Promise<Here> => {
  const folder = join(scratch, String(Math.random()));
  mkdirSync(folder);
  const key = join(folder, 'ci.json');
  const { signer } = value(await newKeyFile({ principal: 'ci@checkout', path: key }));
  const house = await openGatewayHouse([trusts('ci'), by('admin', added(signer))], () => ({
    clock: createSystemClock(),
  }));
  const gateway = await serveGateway(house);
  closing.push(() => gateway.close());
  const env = { ...job, PLIMSOLL_URL: gateway.url, PLIMSOLL_KEY: key };
  return {
    house,
    env,
    emit: async (told, more = {}) => {
      const spool = join(folder, 'spool');
      const emitter = value(await createEmitter({ env, spool, timeoutMs: 30_000, ...more }));
      const emitted = await emitter.emit(told);
      await house.project();
      return emitted;
    },
    command: async (...args) => {
      const ran = await startPlimsoll(folder, [...args, '--json'], env).ended;
      await house.project();
      if (ran.exit !== 0) throw new Error(ran.err);
      return JSON.parse(ran.out) as Line;
    },
    timeline: async () => (await house.get('/v1/timeline')).json.items as readonly Line[],
  };
};

/** Texts stand in Avro as they are. */
const lastBody = async (house: GatewayHouse): Promise<string> =>
  Buffer.from((await house.records()).at(-1)?.value ?? []).toString('latin1');

describe('an emitter that is given the environment of a CI job', () => {
  test('says of a plan what the command says', async () => {
    const { emit, command, house } = await inJob();
    const emitted = await emit({ kind: 'planned', version: '2.0.0', environment: 'production' });
    const planned = await command(
      ...['release', 'plan', '--target-version=2.0.0', '--environment-name=production'],
    );
    // The same deployment, the same words: what the command says is a repeat.
    expect(planned).toMatchObject({ delivery: 'duplicate', deployment: emitted['deployment'] });
    const { json } = await house.get(`/v1/deployments/${String(emitted['deployment'])}`);
    expect(JSON.stringify(json)).toContain(job.CIRCLE_SHA1);
  });

  test('continues what the command began, and the command what it began', async () => {
    const { emit, command, timeline } = await inJob();
    await command('release', 'plan', 'api', '--target-version=1', '--environment-name=a');
    await emit({ kind: 'started', run: 'api' });
    await command('release', 'update', 'api', '--status=SUCCESS');
    await emit({ kind: 'planned', name: 'web', version: '2', environment: 'a', component: 'web' });
    await command('release', 'update', 'web', '--status=running');
    await emit({ kind: 'failed', run: 'web', reason: 'no disk' });
    expect(await timeline()).toMatchObject([
      { component: 'checkout', version: '1', status: 'succeeded', name: 'api' },
      { component: 'web', version: '2', status: 'failed', name: 'web', failureReason: 'no disk' },
    ]);
  });

  test('what it is told counts before what the job says', async () => {
    const { emit, house } = await inJob();
    const emitted = await emit({
      kind: 'logged',
      ...{ version: '1', environment: 'production', component: 'other', attempt: 'mine' },
      details: { commit: 'abc', actor: null, labels: [{ name: 'branch', value: 'topic' }] },
    });
    expect(emitted).toMatchObject({ delivery: 'stored' });
    const text = await lastBody(house);
    for (const said of ['other', 'mine', 'abc', 'topic']) expect(text).toContain(said);
    for (const unsaid of [job.CIRCLE_SHA1, 'ann', 'main']) expect(text).not.toContain(unsaid);
  });

  test('a secret in what the job says of itself is written over, and keeps no marker back', async () => {
    const { emit, house, env } = await inJob();
    const secret = 'AKIAQ3EGRQWZTB7XKPLM';
    const told = { kind: 'logged', version: '1', environment: 'production' } as const;
    const emitted = await emit(told, { env: { ...env, CIRCLE_USERNAME: secret } });
    expect(emitted).toMatchObject({ delivery: 'stored' });
    expect(await lastBody(house)).not.toContain(secret);
  });

  test('without the environment it reads none of it', async () => {
    const { emit, env, timeline } = await inJob();
    const options = { env: {}, url: env['PLIMSOLL_URL'] ?? '', key: env['PLIMSOLL_KEY'] ?? '' };
    const told = { kind: 'logged', version: '1', environment: 'production' } as const;
    expect(await emit(told, options)).toMatchObject({
      delivery: 'refused',
      message: 'slot.component is missing',
    });
    expect(await timeline()).toEqual([]);
  });
});
