import {
  isBase64,
  isDigit,
  isEscaped,
  isHash,
  isTildeWord,
  isTokenWord,
  isUpperWord,
  isWord,
} from './text-reader.ts';
import type { TokenFormat } from './token-format.ts';
import { format, formatBehind, hex, longMax, run, tokens, words } from './token-format.ts';

/** Clouds and hosts. */
const clouds: readonly TokenFormat[] = [
  format('aws-access-key-id', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], run(isUpperWord, 16)),
  format('google-api-key', ['AIza'], run(isTokenWord, 35)),
  format('google-oauth', ['GOCSPX-'], run(isTokenWord, 28)),
  format('google-oauth', ['ya29.'], tokens(20)),
  // A refresh token.
  format('google-oauth', ['1//0'], tokens(40, 140)),
  format('azure-key', ['AccountKey=', 'SharedAccessKey='], run(isBase64, 40, 100)),
  // Any digit stands before the Q.
  formatBehind(words(4), 'azure-client-secret', ['Q~'], run(isTildeWord, 31, 34)),
  format('function-code', ['?code=', '&code='], run(isEscaped, 40, 120)),
  format('signed-address', ['X-Amz-Signature=', 'X-Goog-Signature='], hex(64, 512)),
  format('signed-address', ['?sig=', '&sig='], run(isEscaped, 40, 120)),
  format('tencent-key-id', ['AKID'], words(32)),
  format('alibaba-key-id', ['LTAI'], words(12, 20)),
  format('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], hex(64)),
  format('cloudflare-key', ['v1.0-'], hex(24), '-', hex(146)),
  format('flyio-token', ['fo1_'], run(isTokenWord, 43)),
  format('flyio-token', ['fm1_', 'fm2_'], run(isBase64, 40, longMax)),
  format('heroku-key', ['HRKU-AA'], run(isTokenWord, 58)),
  format('netlify-token', ['nfp_'], words(36)),
  format('tailscale-key', ['tskey-'], tokens(30, 100)),
  format('supabase-key', ['sbp_'], hex(40)),
  format('supabase-key', ['sb_secret_'], tokens(30, 60)),
  format('planetscale-token', ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'], tokens(32, 64)),
  format('databricks-token', ['dapi'], hex(32)),
];

/** Where people and machines talk. */
const talks: readonly TokenFormat[] = [
  format(
    'slack-token',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-'],
    run(isDigit, 8, 14),
    '-',
    tokens(18, 200),
  ),
  format('slack-token', ['xapp-1-'], words(8, 14), '-', run(isDigit, 8, 14), '-', words(32, 80)),
  format(
    'slack-webhook',
    ['hooks.slack.com/services/T'],
    words(8, 12),
    '/B',
    words(8, 12),
    '/',
    words(20, 30),
  ),
  format(
    'discord-webhook',
    ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    run(isDigit, 17, 20),
    '/',
    tokens(60, 80),
  ),
  // A bot's id in base64 begins so: its digits are ASCII.
  format(
    'discord-token',
    ['MT', 'MD', 'Mj', 'Mz', 'ND', 'NT', 'Nj', 'Nz', 'OD', 'OT'],
    tokens(21, 27),
    '.',
    tokens(6, 6),
    '.',
    tokens(27, 40),
  ),
  formatBehind(
    tokens(1, 63),
    'teams-webhook',
    ['.webhook.office.com/webhookb2/'],
    tokens(36, 36),
    '@',
    tokens(36, 36),
    '/IncomingWebhook/',
    words(32),
    '/',
    tokens(36, 120),
  ),
  formatBehind(run(isDigit, 8, 10), 'telegram-token', [':AA'], run(isTokenWord, 33)),
  format('twilio-key', ['SK'], hex(32)),
  format('sendgrid-key', ['SG.'], run(isTokenWord, 22), '.', run(isTokenWord, 43)),
  format('mailgun-key', ['key-'], hex(32)),
  formatBehind(hex(32), 'mailchimp-key', ['-us'], run(isDigit, 1, 2)),
  format('notion-token', ['ntn_', 'secret_'], words(43, 50)),
  format('figma-token', ['figd_'], run(isTokenWord, 40)),
  format('airtable-token', ['pat'], words(14), '.', hex(64)),
  format('contentful-token', ['CFPAT-'], tokens(43, 43)),
  format('facebook-token', ['EAAC', 'EAAM'], words(100, 400)),
  format('typeform-token', ['tfp_'], tokens(40, 70)),
];

/** Payment. */
const payments: readonly TokenFormat[] = [
  format('stripe-key', ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'], words(16, 247)),
  format('webhook-secret', ['whsec_'], run(isBase64, 24, 200)),
  format('shopify-token', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], run(isWord, 32)),
  format('square-token', ['sq0atp-'], run(isTokenWord, 22)),
  format('square-token', ['sq0csp-'], run(isTokenWord, 43)),
  format('square-token', ['EAAA'], tokens(60, 60)),
  format(
    'plaid-token',
    ['access-production-', 'access-sandbox-', 'access-development-'],
    tokens(36, 36),
  ),
  format('easypost-key', ['EZAK', 'EZTK'], words(54)),
  format('shippo-token', ['shippo_live_', 'shippo_test_'], hex(40)),
];

/** Monitoring and flags. */
const monitoring: readonly TokenFormat[] = [
  format('grafana-token', ['glc_'], run(isBase64, 32, 400)),
  format('grafana-token', ['glsa_'], words(32), '_', run(isWord, 8)),
  format('newrelic-key', ['NRAK-', 'NRII-', 'NRRA-'], run(isTokenWord, 27, 42)),
  formatBehind(words(36), 'newrelic-key', ['NRAL']),
  format(
    'dynatrace-token',
    ['dt0c01.', 'dt0s01.', 'dt0s02.'],
    run(isUpperWord, 24),
    '.',
    words(64),
  ),
  format('sentry-token', ['sntryu_'], hex(64)),
  format('sentry-token', ['sntrys_'], run(isBase64, 60, 500)),
  format('launchdarkly-key', ['sdk-'], hex(8), '-', hex(4), '-', hex(4), '-', hex(4), '-', hex(12)),
];

/** Models. */
const models: readonly TokenFormat[] = [
  format('openai-key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-'], tokens(40, 300)),
  format('openai-key', ['sk-'], words(48)),
  format('openrouter-key', ['sk-or-v1-'], hex(64)),
  format(
    'anthropic-key',
    ['sk-ant-api', 'sk-ant-admin', 'sk-ant-oat'],
    run(isDigit, 2),
    '-',
    tokens(60, 200),
  ),
  format('huggingface-token', ['hf_', 'api_org_'], words(34)),
  format('groq-key', ['gsk_'], words(52)),
  format('xai-key', ['xai-'], words(80)),
  format('perplexity-key', ['pplx-'], words(48)),
  format('replicate-token', ['r8_'], words(37)),
  format('langsmith-key', ['lsv2_pt_', 'lsv2_sk_'], hex(32), '_', hex(10)),
];

/** Passwords that were hashed: who has the hash can try all he likes at home. */
const hashes: readonly TokenFormat[] = [
  format('password-hash', ['$2a$', '$2b$', '$2y$'], run(isDigit, 2), '$', run(isHash, 53)),
  format('password-hash', ['$1$', '$apr1$'], run(isHash, 1, 8), '$', run(isHash, 22)),
  format('password-hash', ['$5$'], run(isHash, 1, 16), '$', run(isHash, 43)),
  format('password-hash', ['$6$'], run(isHash, 1, 16), '$', run(isHash, 86)),
  format(
    'password-hash',
    ['$5$rounds=', '$6$rounds='],
    run(isDigit, 4, 9),
    '$',
    run(isHash, 1, 16),
    '$',
    run(isHash, 43, 86),
  ),
  format(
    'password-hash',
    ['$y$'],
    run(isHash, 1, 10),
    '$',
    run(isHash, 1, 40),
    '$',
    run(isHash, 43),
  ),
  // The PHC string format: version and costs are told before the salt.
  ...['argon2id', 'argon2i', 'argon2d'].map((name) =>
    format(
      'password-hash',
      [`$${name}$v=19$m=`],
      run(isDigit, 1, 9),
      ',t=',
      run(isDigit, 1, 5),
      ',p=',
      run(isDigit, 1, 3),
      '$',
      run(isBase64, 11, 88),
      '$',
      run(isBase64, 20, 128),
    ),
  ),
];

export const formatsOfServices: readonly TokenFormat[] = [
  ...clouds,
  ...talks,
  ...payments,
  ...monitoring,
  ...models,
  ...hashes,
];
