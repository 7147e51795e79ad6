import { describe, expect, test } from 'vitest';
import { maskBody, secretsInBody } from '../../../services/core/secrets/screen-body.ts';
import { isSecretVersion } from '../../../services/core/secrets/secret-version.ts';

// What keepers of secrets call their versions, and what somebody may give in their place.

const name = 'db-password';

test.each([
  ['HashiCorp Vault, KV v2', ['1', '4', '173']],
  ['Google Secret Manager', ['1', 'latest', 'projects/shop-prod/secrets/db-password/versions/7']],
  [
    'AWS Secrets Manager',
    [
      'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111'.replace('EXAMPLE', '1234567'),
      '0F0B1E5C-9F43-4C3B-8F8B-3B8D1B1E8A11',
      ...['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'],
      'terraform-20260102030405067800000001',
    ],
  ],
  [
    'Azure Key Vault',
    [
      '4387e9f3d6e14c459867679a90fd0f79',
      'https://shop.vault.azure.net/secrets/db-password/4387e9f3d6e14c459867679a90fd0f79',
    ],
  ],
  ['Kubernetes resourceVersion', ['348912', '17']],
  ['Doppler, 1Password, Infisical', ['12', '01JD3Q9V7Z6M4K2H8P5R1T0W3X']],
  ['a commit of a repository of sealed secrets', ['9c1f', '9c1f0de', 'a'.repeat(40)]],
  ['a digest', [`sha256:${'0f'.repeat(32)}`]],
  ['semantic versions', ['1.2.3', 'v1.2.3-rc.1+build.5', 'v12', '2.0.0-beta.2', 'rev-42', 'r7']],
  [
    'dates',
    ['2026-11', '2026-11-22', '20261122', '2026-11-22T10:00:00Z', '20261122T100000Z', '2026-Q4'],
  ],
  ['dates in words', ['nov-2026', '2026-november']],
  ['its own name before it', ['db-password/4', 'db-password-v4', 'db-password-2026-11']],
  ['words for a stage', ['current', 'previous', 'initial', 'prod-3']],
])('%s: what it calls a version is one', (_keeper, versions) => {
  expect(versions.filter((version) => !isSecretVersion(version, name))).toEqual([]);
});

/** Of those that are guessed first, and of those that a keeper draws. */
const values = [
  ...['hunter2', 'swordfish', 'letmein', 'qwerty', 'iloveyou', 'monkey', 'dragon', 'admin'],
  ...[
    'password1',
    'test1234',
    'admin123',
    'welcome1',
    'Winter2026',
    'Summer2026!',
    'December2026!',
  ],
  ...['P@ssw0rd', 'S3cr3t!pass', 'Passw0rd!', 'changeme!', 'p4ssw0rd', 'root!'],
  ...['correct horse battery staple', 'correct-horse-battery-staple', 'tr0ub4dor&3'],
  ...['kJ8$mQ2pL', 'V1StGXR8_Z5jdHi6B-myT', 'x7Kd92mQpL', 'Qm9uam91cg==', 'aGVsbG8gd29ybGQ='],
  ...['JBSWY3DPEHPK3PXP', 'NB2W45DFOIZA====', 'GEZDGNBVGY3TQOJQGEZDGNBVGY', '%TGB6yhn', '$ecret99'],
  ...['0f'.repeat(32), 'postgres://shop:hunter2@db/shop', 'db-password-hunter2'],
  ...['shop-prod-hunter2', 'v1-hunter2', '2026-hunter2', 'latest!', '<hunter2>'],
];

test.each(values)('%s may be the secret itself', (value) => {
  expect(isSecretVersion(value, name)).toBe(false);
});

describe('a change of a secret', () => {
  const changed = { kind: 'secret-changed', name, fromVersion: '3', toVersion: 'hunter2' };

  test('whose version is no version holds a secret, which is not told', () => {
    expect(secretsInBody(changed)).toEqual([
      { path: 'toVersion', kind: 'unlike-a-version', masked: '… (7 characters)' },
    ]);
    expect(secretsInBody({ ...changed, fromVersion: 'hunter2', toVersion: '4' })).toMatchObject([
      { path: 'fromVersion' },
    ]);
  });

  test('is written over where that is asked for, and then holds none', () => {
    const masked = maskBody(changed, () => true);
    expect(masked).toEqual({ ...changed, toVersion: '***' });
    expect(secretsInBody(masked)).toEqual([]);
    expect(maskBody(changed, () => false)).toEqual(changed);
  });

  test('without versions holds none, and other changes are versioned as people like', () => {
    expect(secretsInBody({ ...changed, fromVersion: null, toVersion: null })).toEqual([]);
    expect(secretsInBody({ ...changed, kind: 'flag-changed', toVersion: 'on-for-all' })).toEqual(
      [],
    );
  });
});
