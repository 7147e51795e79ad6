import { describe, expect, test } from 'vitest';
import type { Shape } from '../../../services/core/markers/codec.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import type { NewRecord } from '../../../services/core/log/record.ts';
import { checkRecord } from '../../../services/core/check/check-record.ts';
import type {
  AnalysisOpened,
  Copy,
  Origin,
  PackedDurations,
  Points,
  Sample,
  SamplePoint,
  Tick,
} from '../../../services/core/samples/sample.ts';
import { parseSample } from '../../../services/core/samples/parse-sample.ts';
import { checkSample, signSample } from '../../../services/core/samples/wire.ts';
import { preAuthenticationEncoding } from '../../../services/core/markers/wire.ts';
import type { KeyState } from '../../../services/core/trust/trust.ts';
import { opening, tick } from '../../support/canary/sample-streams.ts';
import { keyOf, signed, tools } from '../../support/given.ts';
import { keyState } from '../../support/key-state.ts';
import { audience, started } from '../../support/markers.ts';
import { value } from '../../support/records.ts';

const analyser = keyOf('analyser');
const own: Tick = tick(5_000);
const copy: Copy = {
  kind: 'copy',
  audience,
  environment: 'production',
  component: 'checkout',
  analysis: opening().analysis,
  logPosition: 12,
  logDigest: 'c'.repeat(64),
  appendedAt: 7,
  marker: opening().deployment,
  fact: 'failed',
  canaryShare: null,
};
const points: Points = {
  kind: 'points',
  audience,
  environment: 'production',
  component: 'checkout',
  origins: [
    {
      namespace: 'default',
      version: null,
      deployment: null,
      instance: null,
      metric: 'http.server.request.duration',
      temporality: 'delta',
      unit: 'ms',
      target: 'eu-1',
      attributes: [{ name: 'http.route', value: '/pay' }],
    },
    {
      namespace: 'default',
      version: null,
      deployment: null,
      instance: 'pod-1',
      metric: 'process.cpu.utilization',
      temporality: 'cumulative',
      unit: '1',
      target: null,
      attributes: [],
    },
  ],
  points: [
    {
      ...{ origin: 0, series: 'b'.repeat(64), receivedAt: 4, start: 1, time: 3 },
      ...{ count: 2, errors: 1, level: null, refused: null },
      durations: { bounds: 0, scale: 0, zeroCount: 0, offset: 1, counts: Uint8Array.of(2) },
    },
    {
      ...{ origin: 0, series: 'b'.repeat(64), receivedAt: 4, start: 1, time: 3 },
      ...{ count: 7, errors: 0, level: null, refused: null },
      durations: {
        ...{ bounds: null, scale: 3, zeroCount: 4, offset: -9 },
        counts: Uint8Array.of(1, 0, 5, 2),
      },
    },
    {
      ...{ origin: 1, series: 'd'.repeat(64), receivedAt: 4, start: 3, time: 3 },
      ...{ count: 0, errors: 0, level: 0.25, durations: null, refused: null },
    },
  ],
  bounds: [{ seconds: [0.1, 0.5] }],
};

const recordOf = (sample: Sample, by = analyser): Promise<NewRecord> =>
  signSample(tools.codec, tools.text, sample, by);
const keysOf = (change: Partial<KeyState> = {}): ReadonlyMap<string, KeyState> =>
  new Map([[analyser.keyId, keyState(analyser, change)]]);
const codeOf = (
  record: NewRecord,
  keys: ReadonlyMap<string, KeyState> = keysOf(),
  of: string = audience,
): string => {
  const checked = checkSample(tools, of, keys, record);
  return checked.ok ? 'accepted' : checked.problem.code;
};

test.each<Sample>([points, opening(), own, copy])(
  'a signed $kind is read as it was said',
  async (sample) => {
    const read = value(checkSample(tools, audience, keysOf(), await recordOf(sample)));
    expect(JSON.parse(JSON.stringify(read))).toStrictEqual(JSON.parse(JSON.stringify(sample)));
  },
);

describe('a sample is refused', () => {
  test('by every byte of its value that was changed', async () => {
    const record = await recordOf(own);
    for (let at = 0; at < record.value.length; at++) {
      const changed = Uint8Array.from(record.value);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(codeOf({ ...record, value: changed })).toBe('signature-bad');
    }
  });

  test('of another audience, whoever signed it', async () => {
    expect(codeOf(await recordOf(own), keysOf(), 'staging')).toBe('signature-bad');
    const elsewhere = { ...own, audience: 'staging' };
    // Signed for us, but it says that it is for others.
    const { schema, bytes } = tools.codec.encode('tick', elsewhere);
    const type = `application/vnd.plimsoll.sample.v1+avro;schema=${schema.digest};audience=${audience}`;
    const signature = await analyser.sign(preAuthenticationEncoding(tools.text, type, bytes));
    const [contentType, schemaHeader] = (await recordOf(own)).headers;
    if (contentType === undefined || schemaHeader === undefined) throw new Error('no headers');
    const header = `${analyser.keyId}:${tools.text.encodeBase64(signature)}`;
    const record: NewRecord = {
      key: (await recordOf(own)).key,
      headers: [
        contentType,
        schemaHeader,
        { name: 'plimsoll-signature', value: tools.text.encodeUtf8(header) },
      ],
      value: bytes,
    };
    expect(codeOf(record)).toBe('audience-wrong');
  });

  test('of a key that is not known, has ended, or is no analyser', async () => {
    const record = await recordOf(own);
    expect(codeOf(record, new Map())).toBe('key-unknown');
    expect(codeOf(record, keysOf({ retiredAt: 3 }))).toBe('key-retired');
    expect(codeOf(record, keysOf({ compromised: { at: 3, since: 1 } }))).toBe('key-compromised');
    expect(codeOf(record, keysOf({ roles: ['emitter', 'operator'] }))).toBe('role-missing');
  });

  test('about a place where its key may not act', async () => {
    const record = await recordOf(own);
    expect(codeOf(record, keysOf({ environments: ['staging'] }))).toBe('out-of-scope');
    expect(codeOf(record, keysOf({ components: ['basket'] }))).toBe('out-of-scope');
    expect(codeOf(record, keysOf({ environments: ['prod*'] }))).toBe('accepted');
  });

  test('when its signature is built on a point of low order', async () => {
    const record = await recordOf(own);
    const weak = `${analyser.keyId}:${tools.text.encodeBase64(new Uint8Array(64))}`;
    const headers = record.headers.map((header) =>
      header.name === 'plimsoll-signature'
        ? { name: header.name, value: tools.text.encodeUtf8(weak) }
        : header,
    );
    expect(codeOf({ ...record, headers })).toBe('signature-weak');
  });

  test('under the key of another component', async () => {
    const record = await recordOf(own);
    expect(codeOf({ ...record, key: tools.text.encodeUtf8('production/basket') })).toBe(
      'header-mismatch',
    );
  });

  test('when it is a marker, and a marker when it is a sample', async () => {
    const marker = await signed('analyser', started(), 'one');
    expect(codeOf(marker)).toBe('signature-bad');
    const trust = {
      logId: '',
      keys: keysOf({ roles: ['analyser', 'emitter'] }),
      markers: new Map(),
      sealed: null,
    };
    const sample = { ...(await recordOf(own)), position: 1, appendedAtMs: 1 };
    const checked = checkRecord(tools, audience, trust, sample);
    expect(checked).toMatchObject({ ok: false, problem: { code: 'signature-bad' } });
  });
});

describe('the door refuses', () => {
  const opened = (change: Partial<AnalysisOpened>): Sample => opening(change);
  const firstPoint = points.points[0];
  const firstOrigin = points.origins[0];
  if (firstPoint === undefined || firstOrigin === undefined) throw new Error('no point');
  const [, , levelPoint] = points.points;
  const withDurations = (change: Partial<PackedDurations>): Points => ({
    ...points,
    points: [
      {
        ...firstPoint,
        durations: {
          ...{ bounds: 0, scale: 0, zeroCount: 0, offset: 1, counts: Uint8Array.of(2) },
          ...change,
        },
      },
    ],
  });
  const withLevel = (change: Partial<SamplePoint>): Points => ({
    ...points,
    points: levelPoint === undefined ? [] : [{ ...levelPoint, ...change }],
  });
  const uncounted = { count: 0, errors: 0, durations: null };
  const withFirst = (change: Partial<SamplePoint>): Points => ({
    ...points,
    points: [{ ...firstPoint, ...change }],
  });
  const withOrigin = (change: Partial<Origin>): Points => ({
    ...points,
    origins: [{ ...firstOrigin, ...change }],
    points: [],
  });
  const refusedDurations: readonly (readonly [string, Partial<PackedDurations>])[] = [
    ['bounds that are not there', { bounds: 1 }],
    ['a scale beside bounds', { scale: 1 }],
    ['requests of length zero beside bounds', { zeroCount: 1, counts: Uint8Array.of(1) }],
    ['more buckets than bounds', { offset: 3 }],
    ['a bucket before the first', { offset: -1 }],
    ['an exponential scale that nobody has', { bounds: null, scale: 21 }],
    ['longer durations than there are', { bounds: null, scale: 3, offset: 9000 }],
    ['more in buckets than there were', { counts: Uint8Array.of(3) }],
    ['less in buckets than there were', { counts: Uint8Array.of(1) }],
    ['empty buckets at the end', { counts: Uint8Array.of(2, 0, 1) }],
  ];
  test('none of these as they are', () => {
    const refused = withFirst({ ...uncounted, refused: 'count-invalid' });
    const untimed = withFirst({ durations: null, refused: 'durations-negative' });
    for (const sample of [withDurations({}), withLevel({}), withOrigin({}), refused, untimed])
      expect(parseSample('points', sample as unknown as Body).ok).toBe(true);
  });
  test.each<[string, Shape, Sample]>([
    ['an audience that is none', 'tick', { ...own, audience: 'Local' }],
    ['an empty environment', 'tick', { ...own, environment: '' }],
    ['a component that is too long', 'tick', { ...own, component: 'x'.repeat(257) }],
    ['a time before 1970', 'tick', { ...own, at: -1 }],
    ['more errors than requests', 'points', { ...points, points: [{ ...firstPoint, errors: 3 }] }],
    ['an end before the start', 'points', { ...points, points: [{ ...firstPoint, start: 9 }] }],
    [
      'a negative count',
      'points',
      { ...points, points: [{ ...firstPoint, count: -1, errors: 0 }] },
    ],
    [
      'a sender that is not listed',
      'points',
      { ...points, points: [{ ...firstPoint, origin: 1 }] },
    ],
    [
      'a series that is no digest',
      'points',
      { ...points, points: [{ ...firstPoint, series: '__proto__' }] },
    ],
    [
      'another temporality',
      'points',
      { ...points, origins: [{ ...firstOrigin, temporality: 'sum' as 'delta' }] },
    ],
    ...refusedDurations.map(([what, change]): [string, Shape, Sample] => [
      what,
      'points',
      withDurations(change),
    ]),
    ['bounds that fall', 'points', { ...points, bounds: [{ seconds: [0.5, 0.1] }] }],
    ['bounds below zero', 'points', { ...points, bounds: [{ seconds: [-1, 0.1] }] }],
    ['infinite bounds', 'points', { ...points, bounds: [{ seconds: [0.1, Infinity] }] }],
    ['bounds that are no numbers', 'points', { ...points, bounds: [{ seconds: [NaN, 0.5] }] }],
    ['a level below zero', 'points', withLevel({ level: -1 })],
    ['a level that is no number', 'points', withLevel({ level: NaN })],
    ['an infinite level', 'points', withLevel({ level: Infinity })],
    ['a level of requests', 'points', withLevel({ count: 1 })],
    ['a refused level', 'points', withLevel({ refused: 'count-invalid' })],
    [
      'refused requests that are counted',
      'points',
      withFirst({ durations: null, refused: 'count-invalid' }),
    ],
    ['refused durations', 'points', withFirst({ refused: 'durations-negative' })],
    ['durations below zero of a level', 'points', withLevel({ refused: 'durations-negative' })],
    [
      'a refusal that nobody knows',
      'points',
      withFirst({ ...uncounted, refused: 'no-recorded-value' as 'count-invalid' }),
    ],
    ['a level with a start', 'points', withLevel({ start: 2 })],
    [
      'attributes that are not sorted',
      'points',
      withOrigin({ attributes: ['b', 'a'].map((name) => ({ name, value: '' })) }),
    ],
    [
      'an attribute twice',
      'points',
      withOrigin({ attributes: ['a', 'a'].map((name) => ({ name, value: '' })) }),
    ],
    [
      'an attribute too long',
      'points',
      withOrigin({ attributes: [{ name: 'a', value: 'x'.repeat(257) }] }),
    ],
    ['a target without a name', 'points', withOrigin({ target: '' })],
    ['requests in minutes', 'points', { ...points, origins: [{ ...firstOrigin, unit: 'min' }] }],
    ['an analysis that is no UUID', 'analysis', opened({ analysis: '__proto__' })],
    ['an analysis without a baseline', 'analysis', opened({ baseline: [] })],
    ['an attempt 0', 'analysis', opened({ attempt: 0 })],
    ['a share beyond the whole', 'analysis', opened({ canaryShare: 1.5 })],
    ['a policy beyond its limit', 'analysis', opened({ policy: ' '.repeat(17_000) })],
    ['noise beyond its limit', 'analysis', opened({ noise: ' '.repeat(9_000) })],
    ['evidence beyond its limit', 'analysis', opened({ carried: ' '.repeat(25_000) })],
    ['evidence of no analysis', 'analysis', opened({ carriedFrom: 'somebody' })],
    ['an attempt that is none', 'analysis', opened({ independentAttempts: 0 })],
    ['a comparison without a name', 'analysis', opened({ comparison: '' })],
    ['a copy of a fact that no analysis obeys', 'copy', { ...copy, fact: 'planned' as 'failed' }],
    ['a copy without a digest', 'copy', { ...copy, logDigest: '' }],
  ])('%s', (_name, shape, sample) => {
    expect(parseSample(shape, sample as unknown as Body)).toMatchObject({
      ok: false,
      problem: { code: 'field-invalid' },
    });
  });

  test('a kind of another shape, and a shape of the log', () => {
    for (const shape of ['points', 'plan'] as const)
      expect(parseSample(shape, own as unknown as Body)).toMatchObject({
        ok: false,
        problem: { code: 'kind-unknown' },
      });
  });
});
