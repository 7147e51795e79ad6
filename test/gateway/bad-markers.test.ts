import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NewRecord } from '../../services/core/log/record.ts';
import { keyBytesMax, valueBytesMax } from '../../services/core/markers/limits.ts';
import { headerNames } from '../../services/core/markers/wire.ts';
import type { Asked, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { signedBody, signedUnder } from '../support/forge.ts';
import { delivered, keyOf, markerOf, signed, tools, trusts } from '../support/given.ts';
import { opened, planned, started } from '../support/markers.ts';
import {
  flipped,
  headerText,
  withHeader,
  withKey,
  withoutHeader,
  withValue,
} from '../support/spoil.ts';

// Whatever is wrong with a marker: a status, a code, and a log that did not grow.

type Fault = readonly [
  name: string,
  status: number,
  code: string,
  sent: () => Promise<Sent> | Sent,
];
type Sent = NewRecord | { readonly record: NewRecord; readonly asked: Asked };

const plan = await signed('ci', planned(), 'plan');
const planBody = { ...markerOf('ci', planned(), 'plan') };
const schemaOf = (shape: 'plan' | 'update'): string => tools.codec.writer(shape).digest;
const signature = headerText(plan, headerNames.signature);

const asHttp: readonly Fault[] = [
  ['no body', 403, 'signature-bad', () => withValue(() => new Uint8Array())(plan)],
  [
    'a body one byte too large',
    413,
    'value-too-large',
    () => withValue(() => new Uint8Array(valueBytesMax + 1))(plan),
  ],
  [
    'a body that breaks off',
    400,
    'body-cut-off',
    () => ({ record: plan, asked: { cutOff: true } }),
  ],
  [
    'a packed body',
    415,
    'content-encoding-unsupported',
    () => ({
      record: plan,
      asked: { body: gzipSync(plan.value), headers: { 'content-encoding': 'gzip' } },
    }),
  ],
  [
    'a packing that does nothing',
    415,
    'content-encoding-unsupported',
    () => ({ record: plan, asked: { headers: { 'content-encoding': 'identity' } } }),
  ],
  ...['application/json', 'application/cloudevents+json; charset=UTF-8', 'text/json'].map(
    (type): Fault => [
      `content type ${type}`,
      415,
      type.startsWith('text') ? 'content-type-unsupported' : 'json-not-taken',
      () => ({ record: plan, asked: { headers: { 'content-type': type }, body: '{}' } }),
    ],
  ),
  [
    'no content type',
    415,
    'content-type-unsupported',
    () => withoutHeader(headerNames.contentType)(plan),
  ],
  [
    'a query',
    400,
    'query-unknown',
    () => ({ record: plan, asked: { headers: { target: '/v1/markers?__proto__=1' } } }),
  ],
];

const inHeaders: readonly Fault[] = [
  [
    'no key',
    400,
    'header-missing',
    () => ({ record: plan, asked: { headers: { 'plimsoll-key': undefined } } }),
  ],
  ['another key', 400, 'header-mismatch', () => withKey('elsewhere')(plan)],
  ['a key beyond its size', 431, 'key-too-large', () => withKey('k'.repeat(keyBytesMax + 1))(plan)],
  [
    'a key that is not UTF-8',
    400,
    'header-malformed',
    () => ({ record: plan, asked: { headers: { 'plimsoll-key': '%ff' } } }),
  ],
  ['no schema', 400, 'header-missing', () => withoutHeader(headerNames.schema)(plan)],
  ['no signature', 400, 'header-missing', () => withoutHeader(headerNames.signature)(plan)],
  ['no id', 400, 'header-mismatch', () => withoutHeader(headerNames.id)(plan)],
  [
    'a signature of two',
    400,
    'header-malformed',
    () => withHeader(headerNames.signature, `${signature}, ${signature}`)(plan),
  ],
  ['another source', 400, 'header-mismatch', () => withHeader(headerNames.source, '/else')(plan)],
  [
    'a type that is another kind',
    400,
    'header-mismatch',
    () => withHeader(headerNames.type, 'plimsoll.succeeded.v1')(plan),
  ],
  [
    'a source beyond its size',
    431,
    'header-too-large',
    () => withHeader(headerNames.source, 's'.repeat(2000))(plan),
  ],
];

const inSignature: readonly Fault[] = [
  ['a tampered byte', 403, 'signature-bad', () => withValue((bytes) => flipped(bytes, 77))(plan)],
  [
    'a swapped schema',
    403,
    'signature-bad',
    () => withHeader(headerNames.schema, schemaOf('update'))(plan),
  ],
  [
    'another audience in what is signed',
    403,
    'signature-bad',
    () => signedUnder(plan, schemaOf('plan'), plan.value, 'ci', 'staging'),
  ],
  [
    'another audience in the body',
    403,
    'audience-wrong',
    () => signedBody(plan, 'plan', { ...planBody, audience: 'staging' }),
  ],
  ['a key of nobody', 403, 'key-unknown', () => signed('stranger', planned(), 'plan')],
  [
    'the key id of another',
    403,
    'signature-bad',
    () => withHeader(headerNames.signature, `${keyOf('admin').keyId}:${signature.slice(17)}`)(plan),
  ],
  [
    'a signature of low order',
    403,
    'signature-weak',
    () =>
      withHeader(
        headerNames.signature,
        `${keyOf('ci').keyId}:${Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]).toString('base64')}`,
      )(plan),
  ],
  ['a role that it has not', 403, 'role-missing', () => signed('admin', planned(), 'plan')],
  [
    'a kind that it may not sign',
    403,
    'kind-not-allowed',
    () => signed('starter', planned(), 'plan'),
  ],
  [
    'a waiting time that a stranger signed',
    403,
    'waited-bad',
    () => delivered(plan, 5000, 'stranger'),
  ],
];

const inBody: readonly Fault[] = [
  [
    'a schema that nobody knows',
    422,
    'schema-unknown',
    () => signedUnder(plan, 'a'.repeat(64), plan.value),
  ],
  [
    'broken Avro',
    400,
    'body-malformed',
    () => signedUnder(plan, schemaOf('plan'), new Uint8Array([2, 1, 7])),
  ],
  [
    'a byte left over',
    400,
    'body-malformed',
    () => signedUnder(plan, schemaOf('plan'), Uint8Array.of(...plan.value, 0)),
  ],
  [
    'a field beyond its size',
    422,
    'field-invalid',
    () => signedBody(plan, 'plan', { ...planBody, version: 'v'.repeat(300) }),
  ],
  [
    'a kind of another shape',
    422,
    'kind-wrong-shape',
    () => signedBody(plan, 'plan', { ...planBody, kind: 'succeeded' }),
  ],
  [
    'a kind that nobody knows',
    422,
    'kind-unknown',
    () => signedBody(plan, 'plan', { ...planBody, kind: '__proto__' }),
  ],
  [
    'a second opening of the log',
    409,
    'log-already-open',
    () => signed('admin', opened(keyOf('admin')), 'another opening'),
  ],
];

const faults: readonly Fault[] = [...asHttp, ...inHeaders, ...inSignature, ...inBody];

describe('is refused', () => {
  let house: GatewayHouse;
  beforeAll(async () => {
    house = await openGatewayHouse([trusts('ci'), trusts('starter', { kinds: ['started'] })]);
  });

  test.each(faults)('%s: %i %s', async (_name, status, code, sent) => {
    const before = await house.records();
    const answer = await send(house, await sent());
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers['plimsoll-code']).toBe(code);
    expect(answer.json).toMatchObject({ type: 'about:blank', status });
    expect(answer.json.title).toMatch(/^[A-Z][a-zA-Z -]+$/);
    expect(answer.json.detail).toMatch(/\S/);
    expect(await house.records()).toEqual(before);
  });

  test('and what is right is still taken', async () => {
    expect((await house.post(plan)).status).toBe(201);
    expect((await house.post(await signed('starter', started(), 'start'))).status).toBe(201);
  });
});

const send = (house: GatewayHouse, sent: Sent): ReturnType<GatewayHouse['post']> => {
  if (!('record' in sent)) return house.post(sent);
  const { record, asked } = sent;
  const target = asked.headers?.['target'];
  return target === undefined ? house.post(record, asked) : house.send('POST', target, asked);
};
