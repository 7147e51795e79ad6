import { describe, expect, test } from 'vitest';
import { findSecrets, maskSecrets } from '../../../services/core/secrets/find-secrets.ts';
import { drawn, hex, upper } from '../../support/secrets/drawn.ts';
import { positives } from '../../support/secrets/positives.ts';

const draw = drawn(7);
const keyId = `AKIA${draw.text(16, `${upper}234567`)}`;
const token = `ghp_${draw.text(36)}`;

describe('what is found', () => {
  test('has its kind, its place and a sample that gives nothing away', () => {
    expect(findSecrets(`before ${keyId} after`)).toEqual([
      { kind: 'aws-access-key-id', start: 7, end: 27, masked: 'AKIA… (20 characters)' },
    ]);
  });

  test('stands in the order of the text, each once', () => {
    const text = `token=${token}; ${keyId}; password=hunter2`;
    expect(findSecrets(text).map(({ kind }) => kind)).toEqual([
      'github-token',
      'aws-access-key-id',
      'password',
    ]);
  });

  test.each(positives(drawn(3), 1))('$kind: nothing of it is left', ({ text, hidden }) => {
    const masked = maskSecrets(text);
    expect(hidden.filter((part) => masked.includes(part))).toEqual([]);
    expect(masked.length).toBeLessThanOrEqual(text.length);
  });
});

describe('written over', () => {
  test.each([
    [`push with ${token}`, 'push with [masked github-token]'],
    ['login with password=hunter2 failed', 'login with password=*** failed'],
    ['https://ci:hunter2@git.example.com/a.git', 'https://ci:***@git.example.com/a.git'],
    ['Password=correct9horse;Server=db', 'Password=***;Server=db'],
    [`{"password": "two words 9", "a": 1}`, `{"password": "***", "a": 1}`],
    [
      `deploy --api-token ${draw.text(24, hex)} --now`,
      'deploy --api-token [masked assigned-secret] --now',
    ],
    [`Authorization: Bearer ${draw.text(40)}`, 'Authorization: Bearer [masked authorization]'],
    ['docker login -p hunter2hunter2 -u ci ghcr.io', 'docker login -p *** -u ci ghcr.io'],
    ['mysql -uroot -phunter2 shop', 'mysql -uroot -p*** shop'],
    [
      'echo hunter2 | docker login -u ci --password-stdin',
      'echo *** | docker login -u ci --password-stdin',
    ],
    ["curl -u ci:'hunter2' https://x.example.com", "curl -u ci:'***' https://x.example.com"],
    ['passwd S3cr3t!pass', 'passwd ***'],
    [
      'machine git.example.com login ci password hunter',
      'machine git.example.com login ci password ***',
    ],
    ["ALTER USER 'a'@'%'\n  IDENTIFIED BY 'hunter'", "ALTER USER 'a'@'%'\n  IDENTIFIED BY '***'"],
    ['jdbc:oracle:thin:shop/hunter2@//db:1521/XE', 'jdbc:oracle:thin:shop/***@//db:1521/XE'],
    [
      'kind: Secret\ndata:\n  any: aHVudGVyMg==\ntype: Opaque',
      'kind: Secret\ndata:\n  any: ***\ntype: Opaque',
    ],
    ['Cookie: theme=dark; sid=a8F3kd93JfkD83hf9Dk3', 'Cookie: theme=dark; sid=[masked cookie]'],
  ])('%s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  test.each([
    'password=${DB_PASSWORD}',
    'DB_PASSWORD=${DB_PASSWORD:?not set}',
    'DB_PASSWORD=DB_PASSWORD',
    'password = random_password.db.result',
    'docker run -p 8080:80 shop',
    'echo $TOKEN | docker login -u ci --password-stdin',
    'mysql -u root -p shop',
    'Fix login form password validation',
    'snyk auth failed',
    "regression identified by 'git bisect'",
    'codecov upload -t timeout',
    'echo done | docker login -u ci --password-stdin',
    '10.0.0.1:8080:GET:/health:status500',
    'checksum/secret: 4760f653b533738e08902f54987fb3039a8bb9a91c543f60ddb1b0dc4af59e2a',
    'https://4f41c5f0f2ab4d20a5d7d2b9a2bd1a11@o1.ingest.sentry.io/2',
    'password: must be longer',
    'token=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'https://ci:***@git.example.com/a.git',
    'commit 3f786850e387550fdab836ed7e6dc881de23001b',
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-Q7ZoSx',
  ])('%s stays', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });
});
