import { describe, expect, test } from 'vitest';
import { knownSources } from '../../services/adapters/sources/known-sources.ts';
import type { DecisionRow } from '../../services/core/read-models.ts';
import { ok } from '../../services/core/result.ts';
import { parseSources } from '../../services/core/telemetry/sources.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { buildAnalyserHouse, startCanary } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import type { Asked } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { openedAtMs, tools } from '../support/given.ts';
import { attributes, histogram, protobufOf, requestOf } from '../support/otlp/requests.ts';
import { value } from '../support/records.ts';

// All telemetry comes over the gateway. The servers have a token; somebody else wants another verdict.

const [ownToken, cartToken] = ['the-token-of-the-collector', 'the-token-of-the-cart-team'];
const sources = knownSources(
  value(parseSources(`collector ${ownToken}\ncart ${cartToken} cart`, tools.crypto)),
);

type Headers = NonNullable<Asked['headers']>;
type Poison = {
  readonly token: string | null;
  readonly version: string;
  readonly errors: number;
  /** Its failed requests cannot be counted. */
  readonly isSpoilt?: boolean;
};

/** What was decided in a minute of a canary with so many errors a second, of 500 requests. */
const decided = async (
  canaryErrors: number,
  poison: Poison | null,
  isAsked: boolean,
): Promise<readonly DecisionRow[]> => {
  let throughDoor = async (_headers: Headers, _body: Uint8Array): Promise<number> => {
    throw new Error('there is no door yet');
  };
  const behindDoor = (log: RecordLog): RecordLog => {
    if (log.name !== 'otlp_metrics') return log;
    const gateway = openGatewayHouse([], ({ telemetry }) => ({
      telemetry: { ...telemetry, metrics: log },
      ...(isAsked ? { sources } : {}),
    }));
    throughDoor = async (headers, body) => {
      const { sendTelemetry } = await gateway;
      return (await sendTelemetry('/v1/metrics', { headers, body })).status;
    };
    return {
      ...log,
      append: async (_partition, records) => {
        for (const { headers, value: body } of records) {
          const contentType = Buffer.from(headers[0]?.value ?? []).toString();
          const own = { 'content-type': contentType, authorization: `Bearer ${ownToken}` };
          expect(await throughDoor(own, body)).toBe(200);
        }
        return ok([]);
      },
    };
  };
  const house = await buildAnalyserHouse(fastPolicy, behindDoor);
  const canary = await startCanary(house, canaryErrors);
  for (let second = 0; second < 60; second++) {
    await house.pass(1000);
    if (poison === null) continue;
    const headers = {
      'content-type': 'application/x-protobuf',
      ...(poison.token === null ? {} : { authorization: `Bearer ${poison.token}` }),
    };
    await throughDoor(headers, exportOf(poison, canary.fromMs, house.sinceOpeningMs()));
  }
  return house.decisions();
};

/** One more server, as it says: 500 requests a second since the canary began. */
const exportOf = (
  { version, errors, isSpoilt = false }: Poison,
  fromMs: number,
  nowMs: number,
): Uint8Array => {
  const seconds = Math.floor((nowMs - fromMs) / 1000);
  const point = (status: number, count: number): object => ({
    startTimeUnixNano: `${openedAtMs + fromMs}000000`,
    timeUnixNano: `${openedAtMs + nowMs}000000`,
    count: String(count * seconds),
    sum: 1.5,
    bucketCounts: [String(count * seconds + (isSpoilt && status === 500 ? 1 : 0))],
    explicitBounds: [],
    attributes: attributes({ 'http.response.status_code': status }),
  });
  return protobufOf(
    requestOf([histogram([point(200, 500 - errors), point(500, errors)])], {
      'service.name': 'checkout',
      'service.version': version,
      'service.instance.id': 'another',
      'deployment.environment.name': 'production',
    }),
  );
};

const kinds = (decisions: readonly DecisionRow[]): readonly string[] =>
  decisions.map(({ kind }) => kind);

const bad: Omit<Poison, 'token'> = { version: '2.0.0', errors: 300 };
const asBad: Omit<Poison, 'token'> = { version: '1.9.4', errors: 300 };

test('where nobody is asked for a token, whoever reaches the gateway moves the verdict', async () => {
  expect(kinds(await decided(0, { ...bad, token: null }, false))).toEqual(['roll-back']);
  expect(kinds(await decided(60, { ...asBad, token: null }, false))).toEqual(['promote']);
});

describe('where the failed requests of one server cannot be counted', () => {
  const spoilt = { token: null, isSpoilt: true };

  test.each([
    ['a good canary', 0, { version: '2.0.0', errors: 1 }],
    ['a bad canary', 60, { version: '2.0.0', errors: 300 }],
    ['the baseline of a good canary', 0, { version: '1.9.4', errors: 1 }],
    ['the baseline of a bad canary', 60, { version: '1.9.4', errors: 300 }],
  ])('of %s, it is neither promoted nor rolled back', async (_case, errors, poison) => {
    const decisions = await decided(errors, { ...spoilt, ...poison }, false);
    expect([...new Set(kinds(decisions))]).toEqual(['hold']);
    expect(decisions.at(-1)?.explanation).toMatch(
      /buckets-mismatch \d+ \(the buckets of a histogram add up to its count\)/,
    );
  });
});

describe('where sources are named', () => {
  const strangers: readonly (readonly [string, string | null])[] = [
    ['without a token', null],
    ['with a token of nobody', 'the-token-of-the-collectoR'],
    ['with the token of another service', cartToken],
  ];

  test('a sender that is none of them leaves a good canary as it is', async () => {
    const alone = await decided(0, null, true);
    for (const [, token] of strangers)
      expect(await decided(0, { ...bad, token }, true)).toEqual(alone);
    expect(kinds(alone)).toEqual(['promote']);
  });

  test('and saves no bad one: the same decision of the same evidence', async () => {
    const alone = await decided(60, null, true);
    expect(kinds(alone)).toEqual(['roll-back']);
    for (const [, token] of strangers)
      expect(await decided(60, { ...asBad, token }, true)).toEqual(alone);
  });
});
