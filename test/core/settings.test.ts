import { describe, expect, test } from 'vitest';
import type { Settings } from '../../services/core/settings.ts';
import { parseSettings, settingNames } from '../../services/core/settings.ts';
import { value } from '../support/records.ts';

test('nothing set: an embedded log in a folder beside', () => {
  expect(value(parseSettings({}))).toEqual({
    audience: 'local',
    log: { foundation: 'sqlite', folder: './plimsoll-data' },
    store: { foundation: 'sqlite', folder: './plimsoll-data' },
    dataFolder: './plimsoll-data',
    url: null,
    spool: {
      folder: './plimsoll-data/spool',
      bytesMax: 64_000_000,
      ageMaxMs: 30 * 86_400_000,
    },
    emitWithinMs: 2000,
    keyFile: null,
    analyserKeyFile: null,
    logId: null,
    archiveFolder: null,
    policyFile: null,
    noiseAtMsOfDay: 7_200_000,
    host: '127.0.0.1',
    port: 7464,
    otlpPort: 4318,
    otlpSourcesFile: null,
    gatewayKeyFile: null,
    tokensFile: null,
    metricsPort: null,
    unknown: [],
  } satisfies Settings);
});

test('what is set to nothing is not set', () => {
  const empty = Object.fromEntries(Object.keys(settingNames).map((name) => [name, '']));
  expect(parseSettings(empty)).toEqual(parseSettings({}));
});

test.each<readonly [name: string, content: string, settings: Partial<Settings>]>([
  ['PLIMSOLL_AUDIENCE', 'acme.prod-eu_1', { audience: 'acme.prod-eu_1' }],
  [
    'PLIMSOLL_LOG',
    'sqlite:/var/lib/plimsoll',
    {
      log: { foundation: 'sqlite', folder: '/var/lib/plimsoll' },
      store: { foundation: 'sqlite', folder: '/var/lib/plimsoll' },
      dataFolder: '/var/lib/plimsoll',
    },
  ],
  [
    'PLIMSOLL_SPOOL',
    '/var/spool/plimsoll',
    { spool: { folder: '/var/spool/plimsoll', bytesMax: 64_000_000, ageMaxMs: 2_592_000_000 } },
  ],
  ['PLIMSOLL_TIMEOUT', '500ms', { emitWithinMs: 500 }],
  [
    'PLIMSOLL_LOG',
    'kafka://a.example:9092,10.0.0.1:19092,[::1]:9092',
    {
      log: { foundation: 'kafka', brokers: ['a.example:9092', '10.0.0.1:19092', '[::1]:9092'] },
      store: { foundation: 'sqlite', folder: './plimsoll-data' },
    },
  ],
  ['PLIMSOLL_STORE', 'memory:', { store: { foundation: 'memory' } }],
  [
    'PLIMSOLL_STORE',
    'redis://r:6379/1',
    { store: { foundation: 'redis', url: 'redis://r:6379/1' } },
  ],
  [
    'PLIMSOLL_STORE',
    'rediss://u:p@r:6379',
    { store: { foundation: 'redis', url: 'rediss://u:p@r:6379' } },
  ],
  ['PLIMSOLL_STORE', 'sqlite:elsewhere', { store: { foundation: 'sqlite', folder: 'elsewhere' } }],
  ['PLIMSOLL_URL', 'https://plimsoll.example:7464//', { url: 'https://plimsoll.example:7464' }],
  ['PLIMSOLL_KEY', 'keys/ci.key.json', { keyFile: 'keys/ci.key.json' }],
  [
    'PLIMSOLL_LOG_ID',
    '0190a000-0000-7000-8000-000000000000',
    { logId: '0190a000-0000-7000-8000-000000000000' },
  ],
  ['PLIMSOLL_NOISE_AT', '00:00', { noiseAtMsOfDay: 0 }],
  ['PLIMSOLL_NOISE_AT', '23:59', { noiseAtMsOfDay: 86_340_000 }],
  ['PLIMSOLL_PORT', '0', { port: 0 }],
  ['PLIMSOLL_OTLP_PORT', '65535', { otlpPort: 65_535 }],
  ['PLIMSOLL_OTLP_SOURCES', 'otlp-sources.txt', { otlpSourcesFile: 'otlp-sources.txt' }],
  ['PLIMSOLL_METRICS_PORT', '0', { metricsPort: 0 }],
  ['PLIMSOLL_METRICS_PORT', '9464', { metricsPort: 9464 }],
])('%s=%s', (name, content, settings) => {
  expect(value(parseSettings({ [name]: content }))).toMatchObject(settings);
});

describe('is refused, with its name and without its value', () => {
  test.each([
    ['PLIMSOLL_AUDIENCE', 'Acme'],
    ['PLIMSOLL_AUDIENCE', '-acme'],
    ['PLIMSOLL_AUDIENCE', 'a'.repeat(64)],
    ['PLIMSOLL_AUDIENCE', 'a/b'],
    ['PLIMSOLL_LOG', 'sqlite:'],
    ['PLIMSOLL_LOG', 'plimsoll-data'],
    ['PLIMSOLL_LOG', 'kafka://'],
    ['PLIMSOLL_LOG', 'kafka://broker'],
    ['PLIMSOLL_LOG', 'kafka://a:9092,'],
    ['PLIMSOLL_LOG', 'kafka://a:99999'],
    ['PLIMSOLL_LOG', 'kafka://user:hunter2@a:9092'],
    ['PLIMSOLL_LOG', 'redis://r:6379'],
    ['PLIMSOLL_STORE', 'kafka://a:9092'],
    ['PLIMSOLL_STORE', 'memory'],
    ['PLIMSOLL_STORE', 'redis://'],
    ['PLIMSOLL_STORE', 'redis://r hunter2'],
    ['PLIMSOLL_URL', 'plimsoll.example'],
    ['PLIMSOLL_URL', 'ftp://plimsoll.example'],
    ['PLIMSOLL_URL', 'http://plimsoll.example/path'],
    ['PLIMSOLL_URL', 'http://'],
    ['PLIMSOLL_LOG_ID', 'latest'],
    ['PLIMSOLL_LOG_ID', '-'.repeat(36)],
    ['PLIMSOLL_LOG_ID', '0190A000-0000-7000-8000-000000000000'],
    ['PLIMSOLL_NOISE_AT', '24:00'],
    ['PLIMSOLL_NOISE_AT', '2:00'],
    ['PLIMSOLL_NOISE_AT', '02:60'],
    ['PLIMSOLL_PORT', '65536'],
    ['PLIMSOLL_PORT', '-1'],
    ['PLIMSOLL_PORT', '80.5'],
    ['PLIMSOLL_OTLP_PORT', 'http'],
    ['PLIMSOLL_METRICS_PORT', '65536'],
  ])('%s=%s', (name, content) => {
    const parsed = parseSettings({ [name]: content });
    expect(parsed).toMatchObject({
      ok: false,
      problem: { code: 'setting-invalid', setting: name },
    });
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

test('a name that looks like a setting is said, never obeyed', () => {
  const env = { PLIMSOLL_STROE: 'memory:', PLIMSOLL_TEST_KAFKA: 'x', HOME: '/', PLIMSOLL_KEY: 'k' };
  expect(value(parseSettings(env)).unknown).toEqual(['PLIMSOLL_STROE']);
});

test('every setting has its line of help', () => {
  for (const [name, meaning] of Object.entries(settingNames)) {
    expect(name).toMatch(/^PLIMSOLL_[A-Z_]+$/);
    expect(meaning).not.toBe('');
  }
});
