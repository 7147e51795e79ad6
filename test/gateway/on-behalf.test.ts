import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openBodyFiller } from '../../services/adapters/avro/fill-body.ts';
import { loadSchemas } from '../../services/adapters/avro/schema-files.ts';
import { createMemoryIds } from '../../services/adapters/memory/ids.ts';
import { valueBytesMax } from '../../services/core/markers/limits.ts';
import { fail, ok } from '../../services/core/result.ts';
import type { CallerToken } from '../../services/core/trust/caller-tokens.ts';
import type { GatewayPorts, OnBehalf } from '../../services/gateway/ports.ts';
import { markersPerSecondMax } from '../../services/gateway/token-rates.ts';
import type { Answered, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import type { Step } from '../support/given.ts';
import {
  by,
  findsCompromised,
  keyOf,
  openedAtMs,
  recordsOf,
  retires,
  trusts,
} from '../support/given.ts';
import { value } from '../support/records.ts';
import { logged, planned, run } from '../support/markers.ts';

// JSON from callers who have a token and no key: what the gateway signs for them, and what it refuses.

const tokenOf = (name: string): string => `plt_${name.repeat(43).slice(0, 43)}`;

const caller = (name: string, over: Partial<CallerToken> = {}): CallerToken => ({
  name,
  digest: '',
  environments: ['*'],
  components: ['*'],
  kinds: ['*'],
  expiresAtMs: null,
  ...over,
});

const callers: readonly CallerToken[] = [
  caller('shop'),
  caller('till'),
  caller('stage', { environments: ['staging', 'pr-*'], components: ['checkout'] }),
  caller('starter', { kinds: ['planned', 'started'] }),
  caller('gone', { expiresAtMs: openedAtMs }),
];

const onBehalf: OnBehalf = {
  tokens: {
    lookUp: async (written) => callers.find(({ name }) => tokenOf(name) === written),
  },
  signer: keyOf('gateway'),
  fill: openBodyFiller(loadSchemas()),
  ids: createMemoryIds('on behalf', () => openedAtMs),
};

const trusted = trusts('gateway', { roles: ['gateway'] });

const open = (
  steps: readonly Step[] = [trusted],
  change: (whole: GatewayPorts) => Partial<GatewayPorts> = () => ({}),
): Promise<GatewayHouse> => openGatewayHouse(steps, (whole) => ({ onBehalf, ...change(whole) }));

type Headers = { readonly [name: string]: string | undefined };

const tell = (
  house: GatewayHouse,
  body: object | string,
  { token = 'shop', ...headers }: Headers & { readonly token?: string } = {},
): Promise<Answered> =>
  house.send('POST', '/v1/markers', {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${tokenOf(token)}`,
      ...headers,
    },
  });

const place = { environment: 'production', component: 'checkout' };
const release = { kind: 'logged', ...place, version: '2.0.0' };

const said = ({ status, json }: Answered): unknown => [status, json.code ?? json.delivery];

const timeline = async (house: GatewayHouse): Promise<readonly unknown[]> => {
  await house.project();
  const { json } = await house.get('/v1/timeline');
  return json.items;
};

describe('what is told', () => {
  test('is on the log, signed by the gateway, with the token’s name in every list', async () => {
    const house = await open();
    const answer = await tell(house, release);
    expect(said(answer)).toEqual([201, 'stored']);
    expect(answer.json).toMatchObject({ kind: 'logged', position: 2, attempt: 1, warning: null });
    expect(answer.json.deployment).toBe(answer.json.marker);
    expect(await timeline(house)).toMatchObject([
      { status: 'logged', version: '2.0.0', signer: 'gateway', onBehalf: 'shop', unplanned: false },
    ]);
    const { json } = await house.get(`/v1/deployments/${answer.json.deployment}`);
    expect(json.item.attempts[0].history).toMatchObject([{ source: 'plimsoll/token/shop' }]);
  });

  test('may be a whole deployment, whose parts the name of a run holds together', async () => {
    const house = await open();
    for (const told of [
      { kind: 'planned', version: '2.0.0', canaryShare: 0.1, details: { commit: 'a'.repeat(40) } },
      { kind: 'started' },
      { kind: 'traffic-shifted', canaryShare: 0.5 },
      { kind: 'failed', reason: 'the smoke test' },
    ]) {
      expect(said(await tell(house, { ...told, ...place, run: 'acme/shop 42' }))).toEqual([
        201,
        'stored',
      ]);
      await house.project();
    }
    expect(await timeline(house)).toMatchObject([
      { status: 'failed', failureReason: 'the smoke test', version: '2.0.0', onBehalf: 'shop' },
    ]);
  });

  test('of the same run, said with another token, is another deployment', async () => {
    const house = await open();
    const first = await tell(house, { kind: 'planned', ...place, version: '1', run: '42' });
    await house.project();
    const other = await tell(house, { kind: 'started', ...place, run: '42' }, { token: 'till' });
    expect(other.json.deployment).not.toBe(first.json.deployment);
    expect(other.json).toMatchObject({ code: 'unplanned' });
  });

  test('may name the deployment that the answer to its plan named', async () => {
    const house = await open();
    const { json } = await tell(house, { kind: 'planned', ...place, version: '1' });
    await house.project();
    const started = { kind: 'started', ...place, deployment: json.deployment };
    expect((await tell(house, started)).json).toMatchObject({ attempt: 1, code: null });
  });

  test('may tell its time, its slot as records have it, and fields that are null', async () => {
    const house = await open();
    const { environment, component } = place;
    const told = {
      kind: 'logged',
      slot: { environment, component, target: 'eu' },
      version: '2.0.0',
      digest: null,
      occurredAt: '2026-11-21T09:59:00Z',
      audience: 'local',
    };
    expect(said(await tell(house, told))).toEqual([201, 'stored']);
    await house.project();
    const { json } = await house.get('/v1/timeline');
    expect(json.items).toMatchObject([{ target: 'eu', namespace: 'default' }]);
  });

  test.each([
    [{ kind: 'recorded', version: '2.0.0' }, null],
    [{ kind: 'released', version: '2.0.0' }, null],
    [{ kind: 'undeployed' }, { kind: 'recorded', version: '2.0.0' }],
    [
      { kind: 'support-ended', version: '1' },
      { kind: 'released', version: '1' },
    ],
    [
      { kind: 'phase-advanced', phase: 'soak', run: '7' },
      { kind: 'planned', version: '1', run: '7' },
    ],
    [{ kind: 'label', details: { labels: [{ name: 'team', value: 'shop' }] } }, null],
    [{ kind: 'flag-changed', name: 'new-cart', toVersion: '7' }, null],
    [{ kind: 'config-changed', name: 'limits', fromVersion: '1', toVersion: '2' }, null],
    [
      { kind: 'migration-finished', name: '0042', outcome: 'succeeded' },
      { kind: 'migration-started', name: '0042' },
    ],
    [{ kind: 'incident-opened', name: 'INC-7', url: 'https://pager.example/7' }, null],
  ])('may be %o', async (told, before) => {
    const house = await open();
    if (before !== null) await tell(house, { ...before, ...place });
    await house.project();
    const answer = await tell(house, { ...told, ...place });
    expect([answer.status, answer.json]).toMatchObject([
      201,
      { delivery: 'stored', kind: told.kind, code: null },
    ]);
    await house.project();
    expect((await house.get('/v1/dead-letters')).json.items).toEqual([]);
  });

  test('holds no whole address of a person', async () => {
    const house = await open();
    const actor = 'ada.lovelace@example.org';
    const { json } = await tell(house, { ...release, details: { actor } });
    await house.project();
    const { text } = await house.get(`/v1/deployments/${json.deployment}`);
    expect(text).not.toContain(actor);
    expect(text).toContain('a…@example.org');
  });

  test('carries the trace that the request is of', async () => {
    const house = await open();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await tell(house, release, { traceparent });
    const headers = (await house.records()).at(-1)?.headers ?? [];
    const texts = headers.map((header) => Buffer.from(header.value).toString());
    expect(texts).toContain(traceparent);
  });
});

describe('an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'run-42-logged' };

  test('makes the same request the same marker, before and after it is projected', async () => {
    const house = await open();
    const first = await tell(house, release, key);
    const atOnce = await tell(house, release, key);
    await house.project();
    const later = await tell(house, release, key);
    expect([first, atOnce, later].map(said)).toEqual([
      [201, 'stored'],
      [200, 'duplicate'],
      [200, 'duplicate'],
    ]);
    expect(new Set([first, atOnce, later].map(({ json }) => json.marker)).size).toBe(1);
    expect(later.json.position).toBe(2);
    expect(await house.records()).toHaveLength(3);
  });

  test('is known to a gateway that was started since', async () => {
    const house = await open();
    const first = await tell(house, release, key);
    await house.project();
    // A second later, by a clock that the first one never saw.
    const clock = { ...house.ports.clock, nowMs: () => openedAtMs + 60_000 };
    const other = await openGatewayHouse([], () => ({
      onBehalf,
      clock,
      log: house.log,
      store: house.store,
    }));
    const again = await tell(other, release, key);
    expect(said(again)).toEqual([200, 'duplicate']);
    expect(again.json).toMatchObject({ marker: first.json.marker, position: 2 });
  });

  test('of many requests at once is of one marker', async () => {
    const house = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => tell(house, release, key)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(await house.records()).toHaveLength(3);
  });

  test.each([true, false])(
    'with another body is a conflict (projected: %s)',
    async (isProjected) => {
      const house = await open();
      await tell(house, release, key);
      if (isProjected) await house.project();
      const other = await tell(house, { ...release, version: '6.6.6' }, key);
      expect(said(other)).toEqual([409, 'conflict']);
      expect(await house.records()).toHaveLength(3);
    },
  );

  test('of another token is another marker', async () => {
    const house = await open();
    house.projectorRuns(true);
    const first = await tell(house, release, key);
    const other = await tell(house, { ...release, version: '3' }, { ...key, token: 'till' });
    expect(said(other)).toEqual([201, 'stored']);
    expect(other.json.marker).not.toBe(first.json.marker);
  });

  test('at two gateways at once, each with its own clock, is one marker with the first time', async () => {
    const house = await open();
    const ahead = { ...house.ports.clock, nowMs: () => openedAtMs + 90_000 };
    const other = await openGatewayHouse([], () => ({
      onBehalf,
      clock: ahead,
      log: house.log,
      store: house.store,
    }));
    const answers = await Promise.all([tell(house, release, key), tell(other, release, key)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    const [first, second] = answers.map(({ json }) => [json.marker, json.deployment]);
    expect(second).toEqual(first);
    expect(await house.records()).toHaveLength(4);
    await house.project();
    const shown = await house.get(`/v1/deployments/${String(answers[0]?.json.deployment)}`);
    expect(shown.json.item.conflicts).toEqual([]);
    expect(shown.json.item.attempts).toHaveLength(1);
    expect(shown.json.item.attempts[0].history).toHaveLength(1);
    expect((await house.get('/v1/dead-letters')).json.items).toEqual([]);
    // Asked again, anywhere, it is the first.
    for (const gateway of [house, other])
      expect((await tell(gateway, release, key)).json).toMatchObject({
        delivery: 'duplicate',
        position: 2,
      });
    const different = await tell(other, { ...release, version: '6.6.6' }, key);
    expect(said(different)).toEqual([409, 'conflict']);
  });

  test('is taken while the read models are behind, and with another time it is the same', async () => {
    const house = await open();
    await tell(house, release);
    expect(said(await tell(house, release, key))).toEqual([201, 'stored']);
    const timed = { ...release, occurredAt: openedAtMs - 5000 };
    expect(said(await tell(house, timed, key))).toEqual([200, 'duplicate']);
    expect(await house.records()).toHaveLength(4);
  });

  test('must be visible ASCII', async () => {
    const house = await open();
    for (const bad of ['', 'a b', 'ä', 'x'.repeat(256)])
      expect(said(await tell(house, release, { 'idempotency-key': bad }))).toEqual([
        400,
        'header-malformed',
      ]);
  });

  test('that is left out makes each request one of its own', async () => {
    const house = await open();
    const first = await tell(house, release);
    const other = await tell(house, { ...release, version: '3' });
    expect(other.json.marker).not.toBe(first.json.marker);
  });
});

describe('a caller', () => {
  const twoThousand = 'x'.repeat(2000);
  const refusals: readonly (readonly [string, Headers & { readonly token?: string }, unknown])[] = [
    ['without a token', { authorization: undefined }, [401, 'token-missing']],
    ['with another scheme', { authorization: 'Basic YTpi' }, [401, 'token-missing']],
    ['with a token of nobody', { token: 'nobody' }, [401, 'token-unknown']],
    ['with a token that is too short', { authorization: 'Bearer x' }, [401, 'token-unknown']],
    [
      'with a token that is too long',
      { authorization: `Bearer ${twoThousand}` },
      [401, 'token-unknown'],
    ],
    ['whose token has expired', { token: 'gone' }, [401, 'token-expired']],
    ['whose token is for another place', { token: 'stage' }, [403, 'out-of-scope']],
    ['whose token may not say that', { token: 'starter' }, [403, 'kind-not-allowed']],
    ['who packs the body', { 'content-encoding': 'gzip' }, [415, 'content-encoding-unsupported']],
  ];
  test.each(refusals)('%s is refused', async (_who, headers, expected) => {
    const house = await open();
    const answer = await tell(house, release, headers);
    expect(said(answer)).toEqual(expected);
    expect(answer.headers['www-authenticate']).toBe(answer.status === 401 ? 'Bearer' : undefined);
    expect(await house.records()).toHaveLength(2);
  });

  test('is held to its places by prefix, too', async () => {
    const house = await open();
    const inPlace = (environment: string) =>
      tell(house, { ...release, environment }, { token: 'stage' });
    expect(said(await inPlace('pr-17'))).toEqual([201, 'stored']);
    expect(said(await inPlace('pre'))).toEqual([403, 'out-of-scope']);
  });

  test('for some places must name the place, also of an update', async () => {
    const house = await open();
    const update = { kind: 'succeeded', deployment: run('7') };
    expect(said(await tell(house, update, { token: 'stage' }))).toEqual([403, 'out-of-scope']);
    const misplaced = { ...update, ...place, environment: 'staging' };
    await tell(house, { kind: 'planned', ...place, version: '1', deployment: run('7') });
    await house.project();
    expect(said(await tell(house, misplaced, { token: 'stage' }))).toEqual([201, 'unplanned']);
    await house.project();
    expect(await house.get('/v1/current').then(({ json }) => json.items)).toEqual([]);
  });

  test('for some places changes nothing elsewhere by naming the deployment of another token', async () => {
    const house = await open();
    const inStaging = { environment: 'staging', component: 'checkout' };
    const own = { deployment: run('7'), attempt: 'zz' };
    const told: readonly (readonly [string, object])[] = [
      ['stage', { kind: 'planned', ...inStaging, version: '6', deployment: run('7') }],
      ['shop', { kind: 'planned', ...place, version: '2', deployment: run('7') }],
      ['shop', { kind: 'started', ...place, deployment: run('7') }],
      ['stage', { kind: 'planned', ...inStaging, version: '6', ...own }],
      ['shop', { kind: 'succeeded', deployment: run('7') }],
    ];
    for (const [token, body] of told) {
      expect(said(await tell(house, body, { token }))).toEqual([201, 'stored']);
      await house.project();
    }
    const labelled = {
      ...{ kind: 'label', ...inStaging, deployment: run('7') },
      details: { labels: [{ name: 'tier', value: 'junk' }] },
    };
    expect(said(await tell(house, labelled, { token: 'till' }))).toEqual([403, 'out-of-scope']);
    const { json } = await house.get('/v1/current');
    expect(json.items).toMatchObject([
      { environment: 'production', version: '2', onBehalf: 'shop' },
    ]);
    expect(json.items).toHaveLength(1);
  });

  test('says nothing of what a key has planned', async () => {
    const house = await open([trusted, by('ci', planned()), by('ci', logged('1.0.0'))]);
    const told = { kind: 'canceled', ...place, deployment: run('7') };
    expect(said(await tell(house, told))).toEqual([409, 'planned-by-key']);
  });

  test('who sends in a loop is told to wait; another token is not', async () => {
    const house = await open();
    const answers = await Promise.all(
      Array.from({ length: markersPerSecondMax + 5 }, (_, at) =>
        tell(house, { ...release, version: `${at}` }),
      ),
    );
    const late = answers.filter(({ status }) => status === 429);
    expect(late).toHaveLength(5);
    expect(late[0]?.headers['retry-after']).toBe('1');
    expect(said(await tell(house, release, { token: 'till' }))).toEqual([201, 'stored']);
  });
});

describe('a body', () => {
  const bad: readonly (readonly [string, object | string, unknown])[] = [
    ['no JSON', '{', [400, 'body-malformed']],
    ['no UTF-8', 'ÿþ', [400, 'body-malformed']],
    ['a list', [release], [422, 'field-invalid']],
    ['nothing', '', [400, 'body-malformed']],
    ['one byte too large', ' '.repeat(valueBytesMax + 1), [413, 'body-too-large']],
    ['nested without end', '['.repeat(30_000), [400, 'body-malformed']],
    [
      'deep in a field',
      { ...release, details: JSON.parse('{"x":'.repeat(500) + '1' + '}'.repeat(500)) },
      [422, 'field-invalid'],
    ],
    ['no kind', place, [422, 'kind-unknown']],
    ['a kind of nobody', { ...release, kind: 'deployed' }, [422, 'kind-unknown']],
    ['a decision', { ...release, kind: 'promote' }, [422, 'kind-unknown']],
    ['a change of trust', { ...release, kind: 'key-added' }, [422, 'kind-unknown']],
    ['an operation', { ...release, kind: 'decisions-stopped' }, [422, 'kind-unknown']],
    ['another audience', { ...release, audience: 'prod' }, [403, 'audience-wrong']],
    ['a marker id of its own', { ...release, marker: run('7') }, [422, 'field-invalid']],
    ['a source of its own', { ...release, source: '/me' }, [422, 'field-invalid']],
    ['a number of a producer', { ...release, producer: 'x', sequence: 1 }, [422, 'field-invalid']],
    ['a field that there is not', { ...release, vesrion: '1' }, [422, 'field-invalid']],
    ['a field of another type', { ...release, version: 2 }, [422, 'field-invalid']],
    ['no version', { kind: 'logged', ...place }, [422, 'field-invalid']],
    ['no component', { kind: 'logged', environment: 'x', version: '1' }, [422, 'field-invalid']],
    ['the place twice', { ...release, slot: place }, [422, 'field-invalid']],
    [
      'a time that never was',
      { ...release, occurredAt: '2026-02-30T00:00:00Z' },
      [422, 'field-invalid'],
    ],
    [
      'a time without a zone',
      { ...release, occurredAt: '2026-02-20T00:00:00' },
      [422, 'field-invalid'],
    ],
    ['a run that is no text', { kind: 'started', ...place, run: 7 }, [422, 'field-invalid']],
    [
      'a run and a deployment',
      { kind: 'started', ...place, run: '7', deployment: run('7') },
      [422, 'field-invalid'],
    ],
    ['an update of nothing', { kind: 'started', ...place }, [422, 'field-invalid']],
    [
      'a deployment that is no id',
      { kind: 'started', ...place, deployment: 'x' },
      [422, 'field-invalid'],
    ],
    ['the id of another marker', { ...release, deployment: run('7') }, [422, 'field-invalid']],
    ['a control character', { ...release, version: '1\u0000' }, [422, 'field-invalid']],
    ['half a character', { ...release, version: '\ud800' }, [422, 'field-invalid']],
    [
      'a prototype',
      `{"kind":"logged","environment":"e","component":"c","version":"1","__proto__":{}}`,
      [422, 'field-invalid'],
    ],
    [
      'a secret',
      { ...release, details: { intent: 'AKIAIOSFODNN7EXAMPLQ' } },
      [422, 'secret-found'],
    ],
    [
      'a freeze, which is for people',
      { kind: 'freeze', ...place, reason: 'x' },
      [422, 'kind-unknown'],
    ],
    ['a run of what is one of its own', { ...release, run: '7' }, [422, 'field-invalid']],
    [
      'a share above one',
      { kind: 'planned', ...place, version: '1', canaryShare: 2 },
      [422, 'field-invalid'],
    ],
  ];
  test.each(bad)('with %s is refused, and the log does not grow', async (_what, body, expected) => {
    const house = await open();
    const bytes = body === 'ÿþ' ? Buffer.from([0xff, 0xfe]) : undefined;
    const answer =
      bytes === undefined
        ? await tell(house, body)
        : await house.send('POST', '/v1/markers', {
            body: bytes,
            headers: {
              'content-type': 'application/json',
              authorization: `Bearer ${tokenOf('shop')}`,
            },
          });
    expect(said(answer)).toEqual(expected);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(await house.records()).toHaveLength(2);
  });

  test('that is refused tells nothing of the token', async () => {
    const house = await open();
    const { text } = await tell(house, '{', { token: 'nobody' });
    expect(text).not.toContain(tokenOf('nobody'));
  });
});

describe('the gateway’s own key', () => {
  test.each([
    ['is not trusted', []],
    ['has the role of an analyser', [trusts('gateway', { roles: ['analyser'] })]],
    ['is one that speaks for itself', [trusts('gateway', { roles: ['emitter'] })]],
    ['was retired', [trusted, retires('gateway')]],
    ['was found compromised', [trusted, findsCompromised('gateway', 0)]],
  ] as const)(
    '%s: nothing is signed for anybody, and it is not the caller’s fault',
    async (_how, steps) => {
      const house = await open(steps);
      expect(said(await tell(house, release))).toEqual([503, 'signer-untrusted']);
    },
  );

  test('is looked at anew where the read models are behind the log', async () => {
    const house = await open([]);
    const late = await recordsOf(trusts('gateway', { roles: ['emitter'] }));
    value(await house.log.append(0, late.slice(1)));
    house.projectorRuns(true);
    expect(said(await tell(house, release))).toEqual([503, 'signer-untrusted']);
    expect(await house.records()).toHaveLength(2);
  });

  test('is held to its scope', async () => {
    const house = await open([
      trusts('gateway', { roles: ['gateway'], environments: ['staging'] }),
    ]);
    expect(said(await tell(house, release))).toEqual([403, 'out-of-scope']);
  });

  test('is not there: no JSON is taken', async () => {
    const house = await openGatewayHouse([trusted]);
    expect(said(await tell(house, release))).toEqual([415, 'json-not-taken']);
  });
});

test('a log that does not answer is told, and the same again is stored once', async () => {
  let fails = true;
  const house = await open([trusted], ({ log }) => ({
    log: {
      ...log,
      append: async (partition, records) =>
        fails
          ? fail({ code: 'unreachable', message: 'no broker' })
          : log.append(partition, records),
    },
  }));
  const key = { 'idempotency-key': 'a' };
  expect(said(await tell(house, release, key))).toEqual([503, 'log-unreachable']);
  fails = false;
  expect(said(await tell(house, release, key))).toEqual([201, 'stored']);
});

test('tokens are looked up by what was written, not by its name', async () => {
  const asked: string[] = [];
  const house = await open([trusted], () => ({
    onBehalf: {
      ...onBehalf,
      tokens: {
        lookUp: async (written) => {
          asked.push(createHash('sha256').update(written).digest('hex'));
          return ok(undefined).value;
        },
      },
    },
  }));
  await tell(house, release);
  expect(asked).toHaveLength(1);
});
