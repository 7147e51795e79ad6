import { createPublicKey, verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import avsc from 'avsc';
import type { Schema } from 'avsc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { kcat } from '../support/kcat.ts';
import type { SeenRecord } from '../support/kcat.ts';
import { readAvro } from '../support/plain-avro-reader.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import type { Ran } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// What pipelines really put on Kafka, read by programs that know the published contract alone: kcat for the record,
// a reader written from the Avro specification for the value, node:crypto for the signature.

const { kafkaBrokers, redisUrl } = sharedStack();
const folder = scratchFolder();
const audience = freshAudience();
const env = {
  PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
  PLIMSOLL_STORE: redisUrl,
  PLIMSOLL_AUDIENCE: audience,
  PLIMSOLL_PORT: '0',
  PLIMSOLL_OTLP_PORT: '0',
};
const traceParent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const setupMs = 120_000;

type Json = Readonly<Record<string, unknown>>;
const lineOf = ({ out, err, exit }: Ran): Json => {
  if (exit !== 0) throw new Error(`exit code ${exit}: ${err}`);
  return JSON.parse(out) as Json;
};

let records: readonly SeenRecord[];
let receipts: readonly Json[];
let gateway: ReturnType<typeof startPlimsoll>;
let url: string;

beforeAll(async () => {
  const say = async (...args: readonly string[]): Promise<Json> =>
    lineOf(
      await plimsoll(folder, ['release', ...args, '--json', '--timeout=60s'], {
        ...env,
        TRACEPARENT: traceParent,
      }),
    );
  const place = ['--component-name=kasse & café', '--environment-name=production'];
  receipts = [
    await say('log', ...place, '--target-version=1.9.4', '--target=eu/1'),
    await say('plan', 'eu', ...place, '--target-version=2.0.0', '--canary-share=0.1', '--owner=ä'),
    await say('update', 'eu', '--status=IN_PROGRESS'),
    await say('update', 'eu', '--canary-share=0.5'),
    await say('update', 'eu', '--status=FAILED', '--failure-reason=two\nlines'),
  ];
  records = await kcat(kafkaBrokers, `plimsoll.${audience}.log`);
  gateway = startPlimsoll(folder, ['gateway'], env);
  await eventually('the gateway is ready', () => gateway.out().includes('ready'), setupMs);
  url = /gateway: (http:\S+)\n/.exec(gateway.out())?.[1] ?? '';
}, setupMs);
afterAll(async () => {
  gateway.signal('SIGTERM');
  await gateway.ended;
});

const markers = (): readonly SeenRecord[] => records.slice(-receipts.length);
const header = (record: SeenRecord, wanted: string): string =>
  record.headers.find(([name]) => name === wanted)?.[1] ?? '';
const schemaOf = async (record: SeenRecord): Promise<string> => {
  const answer = await fetch(`${url}/v1/schemas/${header(record, 'plimsoll-schema')}`);
  expect(answer.status).toBe(200);
  return answer.text();
};
const bodyOf = async (record: SeenRecord): Promise<Json> =>
  readAvro(await schemaOf(record), record.value) as Json;

test('positions have no gap, and a receipt names that of its marker', () => {
  expect(records.map(({ position }) => position)).toEqual(records.map((_, index) => index));
  expect(markers().map(({ position }) => position)).toEqual(
    receipts.map(({ position }) => position),
  );
});

test('the headers are CloudEvents 1.0 in binary mode, schema, signature and trace', () => {
  const types = ['logged.v2', 'planned.v1', 'started.v3', 'traffic-shifted.v3', 'failed.v3'];
  for (const [index, record] of markers().entries())
    expect(record.headers).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', receipts[index]?.['marker']],
      ['ce_type', `plimsoll.${types[index]}`],
      ['ce_source', expect.stringMatching(/^plimsoll\/./)],
      ['content-type', 'application/avro'],
      ['plimsoll-schema', expect.stringMatching(/^[0-9a-f]{64}$/)],
      ['plimsoll-signature', expect.stringMatching(/^[0-9a-f]{16}:[A-Za-z0-9+/]{86}==$/)],
      ['traceparent', traceParent],
    ]);
  // Nobody traces the opening of a log.
  expect(records.slice(0, -receipts.length).map(({ headers }) => headers.at(2)?.[1])).toEqual([
    'plimsoll.log-opened.v1',
    ...Array<string>(3).fill('plimsoll.key-added.v1'),
  ]);
});

test('the key is the deployment, or the slot for what is a deployment of its own', () => {
  const [, plan] = receipts;
  expect(markers().map(({ key }) => key)).toEqual([
    'default/production/kasse%20%26%20caf%C3%A9/eu%2F1',
    ...Array<unknown>(4).fill(plan?.['deployment']),
  ]);
});

describe('the value', () => {
  test('is the bare body of the schema that the gateway serves under its digest', async () => {
    const bodies = await Promise.all(markers().map(bodyOf));
    const [logged, planned, started, shifted, failed] = bodies;
    for (const [index, body] of bodies.entries())
      expect(body).toMatchObject({
        marker: receipts[index]?.['marker'],
        deployment: receipts[index]?.['deployment'],
        kind: receipts[index]?.['kind'],
        audience,
        source: header(markers()[index] as SeenRecord, 'ce_source'),
      });
    const slot = { namespace: 'default', environment: 'production', component: 'kasse & café' };
    expect(logged).toMatchObject({ version: '1.9.4', slot: { ...slot, target: 'eu/1' } });
    expect(planned).toMatchObject({
      name: 'eu',
      version: '2.0.0',
      canaryShare: 0.1,
      slot: { ...slot, target: null },
      details: { owner: 'ä' },
    });
    expect(started).toMatchObject({ statusReported: 'IN_PROGRESS', slot: null, reason: null });
    expect(shifted).toMatchObject({ canaryShare: 0.5, statusReported: null });
    expect(failed).toMatchObject({ statusReported: 'FAILED', reason: 'two\nlines' });
  });

  test('of every record is read by a file of schemas/, the opening of the log too', async () => {
    const schemas = resolve(import.meta.dirname, '../../schemas');
    const files = readdirSync(schemas)
      .filter((file) => file.endsWith('.avsc'))
      .map((file) => readFileSync(join(schemas, file), 'utf8'));
    for (const record of records) {
      const text = await schemaOf(record);
      expect(files).toContain(text);
      expect(readAvro(text, record.value)).toMatchObject({ marker: header(record, 'ce_id') });
    }
  });
});

test('the signature is Ed25519 over the DSSE encoding of format, schema, audience and these bytes', () => {
  const read = (name: string): { readonly keyId: string; readonly publicKey: string } =>
    JSON.parse(
      readFileSync(join(folder, 'plimsoll-data', 'keys', `${name}.pub.json`), 'utf8'),
    ) as ReturnType<typeof read>;
  const [admin, local] = [read('admin'), read('local')];
  for (const record of records) {
    const [keyId, signature = ''] = header(record, 'plimsoll-signature').split(':');
    const key = keyId === admin.keyId ? admin : local;
    expect(keyId).toBe(key.keyId);
    const type = `application/vnd.plimsoll.marker.v1+avro;schema=${header(record, 'plimsoll-schema')};audience=${audience}`;
    const head = `DSSEv1 ${type.length} ${type} ${record.value.length} `;
    const x = Buffer.from(key.publicKey, 'base64').toString('base64url');
    const publicKey = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x },
      format: 'jwk',
    });
    const message = Buffer.concat([Buffer.from(head), record.value]);
    expect(verify(null, message, publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  }
});

test('the digest by which a record names its schema is the one that any Avro library computes', async () => {
  for (const record of records) {
    const type = avsc.Type.forSchema(JSON.parse(await schemaOf(record)) as Schema);
    expect(type.fingerprint('sha256').toString('hex')).toBe(header(record, 'plimsoll-schema'));
  }
});
