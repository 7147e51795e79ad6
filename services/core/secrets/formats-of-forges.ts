import { isBase64, isLowerHex, isLowerWord, isTokenWord, isUpperWord } from './text-reader.ts';
import type { TokenFormat } from './token-format.ts';
import { format, formatBehind, hex, longMax, run, tokens, words } from './token-format.ts';

const gitlab = [
  ...['glpat-', 'gldt-', 'glrt-', 'glrtr-', 'glcbt-', 'glptt-', 'glft-', 'glsoat-', 'glimt-'],
  ...['gloas-', 'glagent-', 'glffct-'],
];

/** Forges, registries of packages, build services, and who keeps their secrets. */
export const formatsOfForges: readonly TokenFormat[] = [
  format('github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], words(36, 255)),
  format('github-token', ['github_pat_'], words(22), '_', words(59)),
  format('gitlab-token', gitlab, tokens(20, 300)),
  // Routable tokens end with the version and the length and check sum of what they name.
  format(
    'gitlab-token',
    gitlab,
    tokens(27, 300),
    '.',
    run(isLowerWord, 2),
    '.',
    run(isLowerWord, 9),
  ),
  // Runners of before 2023.
  format('gitlab-token', ['GR1348941'], tokens(20, 20)),
  format('bitbucket-password', ['ATBB'], words(32)),
  format('atlassian-token', ['ATATT3xFfGF0', 'ATCTT3xFfGN0'], run(isBase64, 60, 250)),
  format('sourcegraph-token', ['sgp_'], words(16), '_', hex(40)),
  format('sourcegraph-token', ['sgp_'], hex(40)),
  // 84 characters, of which four say whose they are.
  formatBehind(words(76), 'azure-devops-token', ['AZDO'], words(4)),
  format('linear-key', ['lin_api_', 'lin_oauth_'], words(32, 64)),
  format('npm-token', ['npm_'], words(36)),
  format('pypi-token', ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'], tokens(50)),
  format('rubygems-token', ['rubygems_'], hex(48)),
  format('crates-token', ['cio'], words(32)),
  format('nuget-key', ['oy2'], run(isLowerWord, 43)),
  format('clojars-token', ['CLOJARS_'], run(isLowerHex, 60)),
  format('docker-token', ['dckr_pat_', 'dckr_oat_'], tokens(27, 40)),
  format('artifactory-token', ['AKCp'], words(60, 80)),
  format('artifactory-token', ['cmVmdGtu'], words(56)),
  format('circleci-token', ['CCIPAT_', 'CCIPRJ_'], words(22), '_', hex(40)),
  format('buildkite-token', ['bkua_', 'bkaj_', 'bkct_'], words(40, 60)),
  format('octopus-key', ['API-'], run(isUpperWord, 26)),
  format('harness-token', ['pat.', 'sat.'], tokens(22), '.', hex(24), '.', words(20)),
  format('sonar-token', ['squ_', 'sqp_', 'sqa_'], hex(40)),
  format('pulumi-token', ['pul-'], hex(40)),
  format('prefect-key', ['pnu_', 'pnb_'], words(36)),
  format('infracost-key', ['ico-'], words(32)),
  formatBehind(words(14), 'terraform-token', ['.atlasv1.'], tokens(60, 80)),
  format('vault-token', ['hvs.', 'hvb.', 'hvr.'], tokens(24, 300)),
  // Before Vault 1.10.
  { ...format('vault-token', ['s.'], words(24)), hasDigit: true },
  format(
    'doppler-token',
    ['dp.pt.', 'dp.st.', 'dp.sa.', 'dp.ct.', 'dp.scim.', 'dp.audit.'],
    words(40, 44),
  ),
  format('doppler-token', ['dp.st.'], run(isTokenWord, 2, 40), '.', words(40, 44)),
  format('onepassword-token', ['ops_eyJ'], run(isBase64, 100, longMax)),
  format('age-secret-key', ['AGE-SECRET-KEY-1'], run(isUpperWord, 58)),
  format('postman-key', ['PMAK-'], hex(24), '-', hex(34)),
];
