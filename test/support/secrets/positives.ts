import type { Draw } from './drawn.ts';
import { base64, base64url, digits, hex, lower, upper, words } from './drawn.ts';

// Secrets as their vendors' documentation describes them, drawn by chance and put together from parts: none was ever
// given out, and none stands in the repository. Written beside the scanner's table, not from it.

type Maker = (draw: Draw) => string;

const encoded = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
const pem = (label: string, draw: Draw, cut = false): string => {
  const lines = Array.from({ length: 6 }, () => draw.text(64, base64));
  const dashes = '-'.repeat(5);
  const begin = `${dashes}BEGIN ${label}${dashes}`;
  return [begin, ...lines, ...(cut ? [] : [`${dashes}END ${label}${dashes}`])].join('\n');
};
const password = (draw: Draw): string =>
  `${draw.text(4, lower)}${draw.one(['!', '#', '%', '_', '.'])}${draw.text(4)}${draw.text(2, digits)}`;
const uuid = (draw: Draw): string =>
  [8, 4, 4, 4, 12].map((length) => draw.text(length, hex)).join('-');

/** What is found by how it looks alone, wherever it stands. */
const bare: { readonly [kind: string]: readonly Maker[] } = {
  'AWS access key id': ['AKIA', 'ASIA'].map(
    (begin) => (draw) => begin + draw.text(16, `${upper}234567`),
  ),
  'Plimsoll token': [(draw) => `plt_${draw.text(42, base64url)}x`],
  'GitHub token': [
    ...['p', 'o', 'u', 's', 'r'].map(
      (letter): Maker =>
        (draw) =>
          `gh${letter}_${draw.text(36)}`,
    ),
    (draw) => `github_pat_${draw.text(22)}_${draw.text(59)}`,
  ],
  'GitLab token': ['pat', 'dt', 'rt', 'ptt', 'soat'].map(
    (word) => (draw) => `gl${word}-${draw.text(20, base64url).replace(/[-_]$/, 'x')}`,
  ),
  'Slack token': [
    (draw) => `xoxb-${draw.text(12, digits)}-${draw.text(13, digits)}-${draw.text(24)}`,
    (draw) =>
      `xoxp-${draw.text(12, digits)}-${draw.text(12, digits)}-${draw.text(12, digits)}-${draw.text(32, hex)}`,
    (draw) => `xapp-1-A${draw.text(10, upper)}-${draw.text(13, digits)}-${draw.text(64, hex)}`,
  ],
  'Slack webhook': [
    (draw) =>
      `https://hooks.slack.com/services/T${draw.text(10, upper + digits)}/B${draw.text(10, upper + digits)}/${draw.text(24)}`,
  ],
  'Discord webhook': [
    (draw) => `https://discord.com/api/webhooks/${draw.text(18, digits)}/${draw.text(67, words)}x`,
  ],
  'Stripe key': ['sk_live_', 'rk_live_', 'sk_test_'].flatMap((begin) =>
    [24, 99].map(
      (length): Maker =>
        (draw) =>
          begin + draw.text(length),
    ),
  ),
  'Google API key': [(draw) => `AIza${draw.text(34, base64url)}x`],
  'Google OAuth': [
    (draw) => `GOCSPX-${draw.text(27, base64url)}x`,
    (draw) => `ya29.a0${draw.text(120, words)}`,
  ],
  'npm token': [(draw) => `npm_${draw.text(36)}`],
  'PyPI token': [(draw) => `pypi-AgEIcHlwaS5vcmc${draw.text(120)}`],
  'RubyGems token': [(draw) => `rubygems_${draw.text(48, hex)}`],
  'Docker token': [(draw) => `dckr_pat_${draw.text(26, base64url)}x`],
  'SendGrid key': [(draw) => `SG.${draw.text(22, base64url)}.${draw.text(42, base64url)}x`],
  'OpenAI key': [
    (draw) => `sk-proj-${draw.text(74)}T3BlbkFJ${draw.text(74)}`,
    (draw) => `sk-${draw.text(20)}T3BlbkFJ${draw.text(20)}`,
  ],
  'Anthropic key': [(draw) => `sk-ant-api03-${draw.text(93, words)}AA`],
  'Hugging Face token': [(draw) => `hf_${draw.text(34, upper + lower)}`],
  'Databricks token': [(draw) => `dapi${draw.text(32, hex)}`],
  'DigitalOcean token': ['p', 'o', 'r'].map(
    (letter) => (draw) => `do${letter}_v1_${draw.text(64, hex)}`,
  ),
  'Doppler token': [(draw) => `dp.pt.${draw.text(43)}`, (draw) => `dp.st.prd.${draw.text(43)}`],
  'Vault token': [
    (draw) => `hvs.CAESI${draw.text(90, words)}`,
    (draw) => `hvb.AAAAAQ${draw.text(120, words)}`,
  ],
  'Terraform token': [(draw) => `${draw.text(14)}.atlasv1.${draw.text(67, words)}`],
  'Pulumi token': [(draw) => `pul-${draw.text(40, hex)}`],
  'Grafana token': [
    (draw) => `glsa_${draw.text(32)}_${draw.text(8, hex)}`,
    (draw) => `glc_${encoded({ o: '12345', n: 'stack', k: draw.text(24), m: { r: 'eu' } })}`,
  ],
  'New Relic key': [(draw) => `NRAK-${draw.text(27, upper + digits)}`],
  'Sentry token': [(draw) => `sntryu_${draw.text(64, hex)}`],
  'Shopify token': ['at', 'ca', 'pa', 'ss'].map(
    (word) => (draw) => `shp${word}_${draw.text(32, hex)}`,
  ),
  'Square token': [(draw) => `sq0atp-${draw.text(21, base64url)}x`],
  'Linear key': [(draw) => `lin_api_${draw.text(40)}`],
  'Notion token': [(draw) => `ntn_${draw.text(46)}`],
  'Figma token': [(draw) => `figd_${draw.text(39, base64url)}x`],
  'Postman key': [(draw) => `PMAK-${draw.text(24, hex)}-${draw.text(34, hex)}`],
  'Airtable token': [(draw) => `pat${draw.text(14)}.${draw.text(64, hex)}`],
  'Atlassian token': [
    (draw) => `ATATT3xFfGF0${draw.text(170, words)}=${draw.text(8, upper + digits)}`,
  ],
  'CircleCI token': [(draw) => `CCIPAT_${draw.text(22)}_${draw.text(40, hex)}`],
  'Buildkite token': [(draw) => `bkua_${draw.text(40, hex)}`],
  'Supabase key': [(draw) => `sbp_${draw.text(40, hex)}`],
  'PlanetScale token': [(draw) => `pscale_tkn_${draw.text(43, words)}`],
  'age key': [(draw) => `AGE-SECRET-KEY-1${draw.text(58, '023456789ACDEFGHJKLMNPQRSTUVWXYZ')}`],
  'Telegram token': [(draw) => `${draw.text(9, '123456789')}:AA${draw.text(32, base64url)}x`],
  'JSON web token': [
    (draw) =>
      `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ sub: draw.text(10, digits), iat: 1 })}.${draw.text(43, base64url)}`,
    (draw) => `${encoded({ alg: 'none' })}.${encoded({ sub: draw.text(6), exp: 4_000_000_000 })}.`,
  ],
  'private key': [
    ...[
      'RSA PRIVATE KEY',
      'PRIVATE KEY',
      'EC PRIVATE KEY',
      'OPENSSH PRIVATE KEY',
      'ENCRYPTED PRIVATE KEY',
      'PGP PRIVATE KEY BLOCK',
    ].map(
      (label): Maker =>
        (draw) =>
          pem(label, draw),
    ),
    (draw) => pem('RSA PRIVATE KEY', draw, true),
    (draw) => Buffer.from(pem('EC PRIVATE KEY', draw)).toString('base64'),
  ],
  'password in an address': [
    (draw) => `postgres://app:${draw.text(12)}@db.internal:5432/shop`,
    (draw) => `https://ci:${draw.text(20)}@git.example.com/shop/checkout.git`,
    (draw) => `redis://:${draw.text(16)}@cache:6379`,
    (draw) => `https://${draw.text(30, lower)}7${draw.text(9, hex)}@github.com/shop/checkout.git`,
  ],
  'Azure storage key': [
    (draw) =>
      `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${draw.text(86, base64)}==;EndpointSuffix=core.windows.net`,
  ],
  'signed address': [
    (draw) =>
      `https://shop.s3.amazonaws.com/build.tgz?X-Amz-Expires=3600&X-Amz-Signature=${draw.text(64, hex)}`,
    (draw) =>
      `https://shop.blob.core.windows.net/a/b?sv=2024-05-04&se=2026-12-01&sig=${draw.text(43)}%3D`,
  ],
};

/** What only its name gives away. */
const named: { readonly [kind: string]: readonly Maker[] } = {
  'AWS secret access key': [
    (draw) => `aws_secret_access_key = ${draw.text(40, base64)}`,
    (draw) => `AWS_SECRET_ACCESS_KEY=${draw.text(40, base64)}`,
    (draw) => `"SecretAccessKey": "${draw.text(40, base64)}"`,
  ],
  'API key by name': [
    (draw) => `DD_API_KEY=${draw.text(32, hex)}`,
    (draw) => `api-key: ${draw.text(32)}`,
    (draw) => `{"apiKey":"${draw.text(24)}"}`,
    (draw) => `client_secret=${draw.text(32)}`,
    (draw) => `auth_token=${draw.text(32, hex)}`,
    (draw) => `HEROKU_API_KEY=${uuid(draw)}`,
    (draw) => `vercel deploy --token ${draw.text(24)}`,
    (draw) => `curl -H "X-Auth-Token: ${draw.text(32)}"`,
  ],
  password: [
    (draw) => `password=${password(draw)}`,
    (draw) => `password="${password(draw)}"`,
    (draw) => `DB_PASSWORD='${password(draw)}'`,
    (draw) => `{"password": "${password(draw)}"}`,
    (draw) => `Server=db;User Id=sa;Password=${draw.text(12)};Encrypt=true`,
    (draw) => `mysql --user root --password ${draw.text(12)}`,
    (draw) => `passphrase: ${draw.text(8)}${draw.text(2, digits)}`,
    (draw) => `curl -fsS -u ci:${draw.text(16)} https://nexus.example.com/a.jar`,
    (draw) => `PW=${password(draw)}`,
    (draw) => `{"user":"ci","pass":"${draw.text(12)}"}`,
    (draw) => `--set db.pwd=${draw.text(10)}`,
  ],
  'authorization header': [
    (draw) => `Authorization: Bearer ${draw.text(40)}`,
    (draw) => `authorization: Basic ${Buffer.from(`ci:${draw.text(16)}`).toString('base64')}`,
  ],
};

const surroundings: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => `the step failed: ${secret}`,
  (secret) => `error 401 with "${secret}", see the log`,
  (secret) => `line one\n  token ${secret}\nline three`,
  (secret) => `NAME=${secret}`,
  (secret) => `(${secret})`,
];

export type Positive = {
  readonly kind: string;
  readonly text: string;
  /** What of it was drawn by chance and stands in the text: nobody may see it. */
  readonly hidden: readonly string[];
};

const drawnTextMin = 8;

const positive = (
  draw: Draw,
  kind: string,
  make: Maker,
  around: readonly ((secret: string) => string)[],
): Positive => {
  const hidden: string[] = [];
  const secret = make({
    ...draw,
    text: (length, alphabet) => {
      const text = draw.text(length, alphabet);
      if (length >= drawnTextMin) hidden.push(text);
      return text;
    },
  });
  return { kind, text: draw.one(around)(secret), hidden };
};

export const positives = (draw: Draw, roundsEach = 6): readonly Positive[] =>
  Array.from({ length: roundsEach }).flatMap(() => [
    ...Object.entries(bare).flatMap(([kind, makers]) =>
      makers.map((make) => positive(draw, kind, make, surroundings)),
    ),
    ...Object.entries(named).flatMap(([kind, makers]) =>
      makers.map((make) => positive(draw, kind, make, surroundings.slice(0, 2))),
    ),
  ]);
