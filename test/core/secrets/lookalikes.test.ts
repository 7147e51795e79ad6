import { describe, expect, test } from 'vitest';
import { findSecrets, maskSecrets } from '../../../services/core/secrets/find-secrets.ts';
import { drawn, upper } from '../../support/secrets/drawn.ts';

// What a corpus by another author asked for: each format beside what looks like it and is none.

const draw = drawn(11);
const inBase64 = (text: string): string => Buffer.from(text).toString('base64');
const auths = `"auths":{"ghcr.io":{"auth":"${inBase64('ci:hunter2hunter2')}"}}}`;

test.each([
  ['<password>Falcon4796!</password>', '<password>***</password>'],
  ['<proxyPassword>two words 9</proxyPassword>', '<proxyPassword>***</proxyPassword>'],
  ['<apiKey>x7Kd92mQpLx7Kd92</apiKey>', '<apiKey>***</apiKey>'],
  ['<clientSecret>x7Kd92mQpLx7Kd92</clientSecret>', '<clientSecret>***</clientSecret>'],
  ['<ns:token>x7Kd92mQpLx7Kd92</ns:token>', '<ns:token>***</ns:token>'],
  ['{user: app, pass: "QuarryBasil86", host: db-1}', '{user: app, pass: "***", host: db-1}'],
  ['Passwort: 9KAb9OZMIcJdvY8O', 'Passwort: ***'],
  ['Kennwort: hunter2', 'Kennwort: ***'],
  ["SECRET_KEY='%)v3r6%s83@is3&jjxz'", "SECRET_KEY='***'"],
  ["password='$^x7Kq2mPz9Lw'", "password='***'"],
  ['password=<k9#Pq2!xZ', 'password=***'],
  ['password=%TGB6yhn7', 'password=***'],
  ['password={k9#Pq2!xZ', 'password=***'],
  [
    'Authorization=Bearer%20p908ZmyxvfpnByS0KEGfHkne',
    'Authorization=Bearer%20[masked authorization]',
  ],
  ['the new password is "Rocket-35!"', 'the new password is "***"'],
  [`use AKID${draw.text(32)} now`, 'use [masked tencent-key-id] now'],
  [`.dockerconfigjson: ${inBase64(`{${auths}`)}`, '.dockerconfigjson: [masked docker-config]'],
  [`got ${inBase64(`{\n\t${auths.replace(':', ': ')}`)}`, 'got [masked docker-config]'],
])('%s is written over', (text, masked) => {
  expect(maskSecrets(text)).toBe(masked);
});

test.each([
  '<password>${env.DB_PASSWORD}</password>',
  '<password>{COQLCE6DU6GtcS5P=}</password>',
  '<password>required</password>',
  '<token>TOKEN</token>',
  '<label for=password>Falcon4796</label>',
  'Map<Token>Falcon4796</b>',
  'pass: "all of them"',
  'pass: "12/12"',
  'pass: 412',
  '--- PASS: TestLogin2Factor (0.00s)',
  'Passwort: ungültig',
  'Kennwort: muss 14 Zeichen haben',
  'password=$DB_PASSWORD1',
  'password=${DB_PASSWORD1}',
  'password=$(pass show db1)',
  'password=%DB_PASSWORD1%',
  'password=%(password1)s',
  'password=%s, retries=3',
  'password=<your-password-1>',
  'password={{ .Values.db1.password }}',
  'password={password1}',
  'token: $.access_token1',
  'Authorization=Bearer%20$TOKEN',
  'Authorization=Bearer%20undefined',
  `id AKID${draw.text(12, upper)}`,
  `.dockerconfigjson: ${inBase64('{"auths":{}}')}`,
  "assembly 'Acme.Core, Culture=neutral, PublicKeyToken=b77a5c561934e089'",
  'apiKey = BuildConfig.MAPS_API_KEY',
  'api_key: Rails.application.credentials.maps_key!',
  'password = credentials.maps_password!',
  'token: this.authService.accessToken',
  'let token = AppSecrets.shared.mapsToken!',
  'cancellationToken=CancellationToken.None',
  'token: CancellationToken.None',
])('%s stays', (text) => {
  expect(maskSecrets(text)).toBe(text);
});

describe('a private key', () => {
  const lines = Array.from({ length: 5 }, () => draw.text(64));
  const last = `${draw.text(38)}==`;
  const ending = '-----END RSA PRIVATE KEY-----';
  const tail = [...lines, last, ending];
  const masked = '[masked private-key]';

  test.each([
    ['lines', tail.join('\n'), masked],
    ['lines of another system', tail.join('\r\n'), masked],
    ['what is left of a line', `${tail.join('\n').slice(50)}\nexit 1`, `${masked}\nexit 1`],
    ['what is left of a line behind a mark', `…${tail.join('\n').slice(50)}`, `…${masked}`],
    ['lines behind a message', `no key\nError\n${tail.join('\n')}`, `no key\nError\n${masked}`],
    ['lines with blanks before them', `  ${tail.join('\n  ')}`, `  ${masked}`],
    ['lines with a time before each', `12:00 | ${tail.join('\n12:00 | ')}`, `12:00 | ${masked}`],
    ['JSON', `"${tail.join(String.raw`\n`)}\\n"`, `"${masked}\\n"`],
    ['JSON, cut in a line', tail.join(String.raw`\n`).slice(50), masked],
    ['one line of it', [last, ending].join('\n'), masked],
    ['one long line', `${lines.join('')}\n${ending}`, masked],
    [
      'armour with a check sum',
      [...lines, last, '=njUN', '-----END PGP PRIVATE KEY BLOCK-----'].join('\n'),
      masked,
    ],
    [
      'two, of which one is whole',
      `${tail.join('\n')}\n-----BEGIN PRIVATE KEY-----\n${tail.join('\n')}`,
      `${masked}\n${masked}`,
    ],
  ])('whose beginning was cut off is written over whole: %s', (_how, text, written) => {
    expect(maskSecrets(text)).toBe(written);
  });

  test.each([
    'Could not find "-----BEGIN RSA PRIVATE KEY-----" in /home/Jenkins/Build42/shop/keys/Key.pem',
    'Invalid PEM: expected header -----BEGIN PRIVATE KEY-----',
    'expected -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n[REDACTED]\n-----END PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----',
    'commit 3f786850e387550fdab836ed7e6dc881de23001b adds the missing\n-----END PRIVATE KEY-----',
    `-----BEGIN CERTIFICATE-----\n${last}\n-----END CERTIFICATE-----\n-----END PRIVATE KEY-----`,
    `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----`,
  ])('that is only talked about stays: %s', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  test('is found behind one that is only talked about', () => {
    const text = `wants -----BEGIN PRIVATE KEY-----, got\n-----BEGIN RSA PRIVATE KEY-----\n${tail.join('\n')}`;
    expect(findSecrets(text)).toMatchObject([{ start: 39, end: text.length }]);
  });

  test('that is encrypted has headers before its body', () => {
    const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,${'0F'.repeat(16)}\n\n`;
    expect(maskSecrets(`-----BEGIN RSA PRIVATE KEY-----\n${headers}${tail.join('\n')}`)).toBe(
      masked,
    );
  });
});
