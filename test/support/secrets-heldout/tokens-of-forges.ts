import { crc32 } from 'node:zlib';
import type { Draw } from './draw.ts';
import { base32, base62, base64url, bytesIn64, digits, hex, lower, upper } from './draw.ts';

/** How one kind of token looks, by its maker's documentation; recognisable without any words around it. */
export type TokenKinds = Readonly<Record<string, (draw: Draw) => string>>;

/** GitHub's last six characters are the CRC-32 of the thirty before them, in base 62 ("Behind GitHub's new authentication token formats"). */
function githubClassic(draw: Draw): string {
  const random = draw.chars(base62, 30);
  let sum = crc32(random);
  let check = '';
  for (let place = 0; place < 6; place += 1) {
    check = base62.charAt(sum % 62) + check;
    sum = Math.floor(sum / 62);
  }
  return `${draw.pick(['ghp', 'gho', 'ghu', 'ghs', 'ghr'])}_${random}${check}`;
}

/** Forges, build services and package registries. */
export const tokensOfForges: TokenKinds = {
  'github-classic': githubClassic,
  'github-fine-grained': (draw) =>
    `github_pat_11${draw.chars(base32, 20)}_${draw.chars(base62, 59)}`,
  'gitlab-personal': (draw) => `glpat-${draw.chars(base64url, 20)}`,
  'gitlab-routable': (draw) =>
    `glpat-${draw.chars(base64url, 27)}.0${draw.pick(['1', '2'])}.${draw.chars(lower + digits, 9)}`,
  'gitlab-others': (draw) =>
    `${draw.pick(['gldt', 'glrt', 'glsoat', 'glft', 'glimt'])}-${draw.chars(base62, 20)}`,
  'gitlab-job': (draw) => `glcbt-${draw.chars(hex, 2)}_${draw.chars(base62, 20)}`,
  'gitlab-trigger': (draw) => `glptt-${draw.chars(hex, 40)}`,
  'bitbucket-app-password': (draw) =>
    `ATBB${draw.chars(base62, 24)}${draw.chars(hex, 8).toUpperCase()}`,
  atlassian: (draw) =>
    `ATATT3xFfGF0${draw.chars(base64url, 171)}=${draw.chars(hex, 8).toUpperCase()}`,
  linear: (draw) => `lin_api_${draw.chars(base62, 40)}`,
  npm: (draw) => `npm_${draw.chars(base62, 36)}`,
  pypi: (draw) => `pypi-AgEIcHlwaS5vcmc${draw.chars(base64url, draw.whole(140, 160))}`,
  rubygems: (draw) => `rubygems_${draw.chars(hex, 48)}`,
  nuget: (draw) => `oy2${draw.chars(lower + digits, 43)}`,
  'docker-hub': (draw) => `dckr_pat_${draw.chars(base64url, 27)}`,
  artifactory: (draw) => `AKCp${draw.chars(base62, 69)}`,
  buildkite: (draw) => `bkua_${draw.chars(hex, 40)}`,
  circleci: (draw) => `CCIPAT_${draw.chars(base62, 22)}_${draw.chars(hex, 40)}`,
  octopus: (draw) => `API-${draw.chars(upper + digits, 26)}`,
  harness: (draw) =>
    `pat.${draw.chars(base64url, 22)}.${draw.chars(hex, 24)}.${draw.chars(base62, 20)}`,
  sonarqube: (draw) => `${draw.pick(['squ', 'sqp', 'sqa'])}_${draw.chars(hex, 40)}`,
  sourcegraph: (draw) => `sgp_${draw.chars(hex, 16)}_${draw.chars(hex, 40)}`,
  pulumi: (draw) => `pul-${draw.chars(hex, 40)}`,
  'terraform-cloud': (draw) => `${draw.chars(base62, 14)}.atlasv1.${draw.chars(base62, 67)}`,
  vault: (draw) => `hvs.CAES${draw.chars(base64url, 90)}`,
  'vault-batch': (draw) => `hvb.AAAAAQ${draw.chars(base64url, 140)}`,
  doppler: (draw) =>
    `dp.${draw.pick(['pt', 'ct', 'st.prd', 'sa', 'scim'])}.${draw.chars(base62, 43)}`,
  'one-password-service': (draw) => `ops_eyJ${draw.chars(base62, 300)}`,
  'azure-devops': (draw) =>
    `${draw.chars(base62, 52)}JQQJ99${draw.chars(base62, 18)}AZDO${draw.chars(base62, 4)}`,
  postman: (draw) => `PMAK-${draw.chars(hex, 24)}-${draw.chars(hex, 34)}`,
  age: (draw) => `AGE-SECRET-KEY-1${draw.chars('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`,
  'fly-io': (draw) => `fm2_lJPECAAAAAA${bytesIn64(draw, 120)}`,
};
