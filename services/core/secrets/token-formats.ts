import type { Alphabet } from './text-reader.ts';
import {
  isBase64,
  isDigit,
  isEscaped,
  isLowerHex,
  isTildeWord,
  isTokenWord,
  isUpperWord,
  isWord,
} from './text-reader.ts';

// What the vendors document about how their tokens look. A format is its beginnings and what follows, part by part;
// it is read from left to right and never goes back. Formats without a beginning of their own (32 hex digits, say) are
// not here: digests and commits look the same. What names them is looked at in assigned-secrets.ts.

export type Part =
  | string
  | { readonly alphabet: Alphabet; readonly min: number; readonly max: number };

export type TokenFormat = {
  readonly kind: string;
  readonly starts: readonly string[];
  readonly parts: readonly Part[];
  /** What of it stands before its beginning. Without this no letter or digit may stand there. */
  readonly lead?: Exclude<Part, string>;
};

const run = (alphabet: Alphabet, min: number, max: number = min): Exclude<Part, string> => ({
  alphabet,
  min,
  max,
});
const longMax = 8192;
const words = (min: number, max: number = min): Exclude<Part, string> => run(isWord, min, max);
const tokens = (min: number, max: number = longMax): Part => run(isTokenWord, min, max);
const hex = (min: number, max: number = min): Part => run(isLowerHex, min, max);

const format = (
  kind: string,
  starts: readonly string[],
  ...parts: readonly Part[]
): TokenFormat => ({ kind, starts, parts });

/** The first bytes of `-----BEGIN … PRIVATE KEY-----` in base64. */
const encodedPems = [
  'LS0tLS1CRUdJTiBQUklWQVRF',
  'LS0tLS1CRUdJTiBSU0EgUFJJVkFURS',
  'LS0tLS1CRUdJTiBFQyBQUklWQVRF',
  'LS0tLS1CRUdJTiBPUEVOU1NI',
  'LS0tLS1CRUdJTiBFTkNSWVBURUQ',
];

export const tokenFormats: readonly TokenFormat[] = [
  format('plimsoll-token', ['plt_'], tokens(43, 64)),
  format('aws-access-key-id', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], run(isUpperWord, 16)),
  format('github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], words(36, 255)),
  format('github-token', ['github_pat_'], words(22), '_', words(59)),
  format(
    'gitlab-token',
    [
      ...['glpat-', 'gldt-', 'glrt-', 'glrtr-', 'glcbt-', 'glptt-', 'glft-', 'glsoat-', 'glimt-'],
      ...['gloas-', 'glagent-', 'glffct-'],
    ],
    tokens(20, 300),
  ),
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
  format('stripe-key', ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'], words(16, 247)),
  format('webhook-secret', ['whsec_'], run(isBase64, 24, 200)),
  format('google-api-key', ['AIza'], run(isTokenWord, 35)),
  format('google-oauth', ['GOCSPX-'], run(isTokenWord, 28)),
  format('google-oauth', ['ya29.'], tokens(20)),
  format('npm-token', ['npm_'], words(36)),
  format('pypi-token', ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'], tokens(50)),
  format('rubygems-token', ['rubygems_'], hex(48)),
  format('crates-token', ['cio'], words(32)),
  format('docker-token', ['dckr_pat_', 'dckr_oat_'], tokens(27, 40)),
  format('sendgrid-key', ['SG.'], run(isTokenWord, 22), '.', run(isTokenWord, 43)),
  format('openai-key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-'], tokens(40, 300)),
  format('openai-key', ['sk-'], words(48)),
  format(
    'anthropic-key',
    ['sk-ant-api', 'sk-ant-admin', 'sk-ant-oat'],
    run(isDigit, 2),
    '-',
    tokens(60, 200),
  ),
  format('huggingface-token', ['hf_', 'api_org_'], words(34)),
  format('databricks-token', ['dapi'], hex(32)),
  format('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], hex(64)),
  format(
    'doppler-token',
    ['dp.pt.', 'dp.st.', 'dp.sa.', 'dp.ct.', 'dp.scim.', 'dp.audit.'],
    words(40, 44),
  ),
  format('doppler-token', ['dp.st.'], run(isTokenWord, 2, 40), '.', words(40, 44)),
  format('vault-token', ['hvs.', 'hvb.', 'hvr.'], tokens(24, 300)),
  format('pulumi-token', ['pul-'], hex(40)),
  format('grafana-token', ['glc_'], run(isBase64, 32, 400)),
  format('grafana-token', ['glsa_'], words(32), '_', run(isWord, 8)),
  format('newrelic-key', ['NRAK-', 'NRII-', 'NRRA-'], run(isTokenWord, 27, 42)),
  format('sentry-token', ['sntryu_'], hex(64)),
  format('sentry-token', ['sntrys_'], run(isBase64, 60, 500)),
  format('shopify-token', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], run(isWord, 32)),
  format('square-token', ['sq0atp-'], run(isTokenWord, 22)),
  format('square-token', ['sq0csp-'], run(isTokenWord, 43)),
  format('linear-key', ['lin_api_', 'lin_oauth_'], words(32, 64)),
  format('notion-token', ['ntn_', 'secret_'], words(43, 50)),
  format('figma-token', ['figd_'], run(isTokenWord, 40)),
  format('postman-key', ['PMAK-'], hex(24), '-', hex(34)),
  format('airtable-token', ['pat'], words(14), '.', hex(64)),
  format('atlassian-token', ['ATATT3xFfGF0', 'ATCTT3xFfGN0'], run(isBase64, 60, 250)),
  format('bitbucket-password', ['ATBB'], words(32)),
  format('circleci-token', ['CCIPAT_', 'CCIPRJ_'], words(22), '_', hex(40)),
  format('buildkite-token', ['bkua_', 'bkaj_', 'bkct_'], words(40, 60)),
  format('flyio-token', ['fo1_'], run(isTokenWord, 43)),
  format('flyio-token', ['fm1_', 'fm2_'], run(isBase64, 40, longMax)),
  format('heroku-key', ['HRKU-AA'], run(isTokenWord, 58)),
  format('netlify-token', ['nfp_'], words(36)),
  format('supabase-key', ['sbp_'], hex(40)),
  format('supabase-key', ['sb_secret_'], tokens(30, 60)),
  format('planetscale-token', ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'], tokens(32, 64)),
  format('clojars-token', ['CLOJARS_'], run(isLowerHex, 60)),
  format('age-secret-key', ['AGE-SECRET-KEY-1'], run(isUpperWord, 58)),
  format('onepassword-token', ['ops_eyJ'], run(isBase64, 100, longMax)),
  format('artifactory-token', ['AKCp'], words(60, 80)),
  format('artifactory-token', ['cmVmdGtu'], words(56)),
  { ...format('telegram-token', [':AA'], run(isTokenWord, 33)), lead: run(isDigit, 8, 10) },
  format('jwt', ['eyJ'], tokens(8), '.eyJ', tokens(4)),
  format('jwt', ['eyJ'], tokens(8), '.', tokens(8), '.', tokens(8)),
  { ...format('terraform-token', ['.atlasv1.'], tokens(60, 80)), lead: words(14) },
  format('azure-key', ['AccountKey=', 'SharedAccessKey='], run(isBase64, 40, 100)),
  { ...format('azure-client-secret', ['8Q~', '7Q~'], run(isTildeWord, 31, 34)), lead: words(3) },
  format('signed-address', ['X-Amz-Signature=', 'X-Goog-Signature='], hex(64, 512)),
  format('signed-address', ['?sig=', '&sig='], run(isEscaped, 40, 120)),
  format('private-key', encodedPems, run(isBase64, 10, longMax)),
];
