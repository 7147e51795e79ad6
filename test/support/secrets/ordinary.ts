import type { Draw } from './drawn.ts';
import { base64url, digits, hex, lower, upper, words } from './drawn.ts';

// What markers really say: nothing of it is a secret.

const uuid = (draw: Draw): string =>
  [8, 4, 4, 4, 12].map((length) => draw.text(length, hex)).join('-');
const semver = (draw: Draw): string =>
  `${draw.one(['', 'v'])}${draw.below(20)}.${draw.below(40)}.${draw.below(99)}${draw.one(['', '-rc.1', `-beta.${draw.below(9)}`, `+build.${draw.below(999)}`, `+${draw.text(7, hex)}`])}`;
const component = (draw: Draw): string =>
  draw.one([
    'checkout',
    'search-api',
    'payment-token-service',
    'auth',
    'secret-rotator',
    'password-reset',
    'web',
    'credential-store',
    'token-issuer',
    'edge_proxy',
    'AccountKeyService',
  ]);
const environment = (draw: Draw): string =>
  draw.one(['production', 'staging', 'prod-eu-west-1', 'preview/pr-71', 'qa2', 'canary']);
const team = (draw: Draw): string => draw.one(['payments', 'sre', 'identity-platform', 'shop@web']);
const name = (draw: Draw): string =>
  draw.one(['alice', 'b.okafor', 'dependabot[bot]', 'Jürgen Groß', 'svc_deployer', 'renovate']);
const ticket = (draw: Draw): string =>
  `${draw.one(['CHG', 'OPS', 'SEC', 'SHOP', 'AUTH'])}-${draw.below(99_999)}`;
const sentence = (draw: Draw): string =>
  draw.one([
    'health check red after 3 attempts',
    'password: must be at least 12 characters',
    'the secret was rotated, the token: expired',
    'fix: token refresh when the session has ended (#412)',
    'feat(auth): API key scopes, second pass',
    'Bump bcrypt from 5.0.1 to 5.1.1',
    'invalid credentials: user not found',
    'Bearer authentication is required for this endpoint',
    'basic auth disabled on the admin page',
    'secret=none, password=***, token=$TOKEN',
    'Set-Cookie dropped; session token: missing',
    'helm upgrade --set image.tag=2.0.1 --set auth.existingSecret=db-credentials',
    'kubectl create secret generic db-credentials --from-file=./password.txt',
    'docker login --username ci --password-stdin registry.example.com',
    'max_tokens=4096 temperature=0.2',
    'timed out waiting for the condition on deployments/checkout',
    'Error: ENOENT: no such file or directory, open /run/secrets/db_password',
    'token_count=1200 secret_version=7 password_policy=strict',
    'export DB_PASSWORD="${DB_PASSWORD}"',
    'password: ${{ secrets.DB_PASSWORD }}',
    'api_key: {{ .Values.apiKey }}',
    'private key not found in the keychain; public key: ed25519',
    'secret: payments-db-v2',
    'access token lifetime: 15m, refresh token lifetime: 30d',
    'Verschlüsselung: Passwort geändert',
    'Merge branch token=fixes2024 into main',
    'pass=12 fail=3 skip=0, 92% of the suite',
    'first pass: 2.5x faster; second pass: none',
    'docker run -u 1000:1000 curlimages/curl:8.9.1',
    'npm run compass=on',
    'パスワードを変更しました',
  ]);

const makers: readonly ((draw: Draw) => string)[] = [
  (draw) => draw.text(40, hex),
  (draw) => draw.text(7 + draw.below(6), hex),
  (draw) => `sha256:${draw.text(64, hex)}`,
  (draw) => draw.text(64, hex),
  (draw) => draw.text(32, hex),
  (draw) => `sha512-${draw.text(86)}==`,
  uuid,
  (draw) => uuid(draw).toUpperCase(),
  (draw) => `{${uuid(draw)}}`,
  semver,
  (draw) => `${component(draw)}@${semver(draw)}`,
  (draw) =>
    `${draw.one(['2026', '2025'])}.${1 + draw.below(12)}.${1 + draw.below(28)}-${draw.text(8, hex)}`,
  (draw) => `https://app.circleci.com/pipelines/workflows/${uuid(draw)}`,
  (draw) =>
    `https://github.com/shop/${component(draw)}/actions/runs/${draw.text(10, digits)}/attempts/${1 + draw.below(4)}`,
  (draw) =>
    `https://gitlab.example.com/shop/${component(draw)}/-/jobs/${draw.text(8, digits)}?ref=${draw.text(40, hex)}`,
  (draw) =>
    `https://grafana.example.com/d/${draw.text(9)}/${component(draw)}?from=now-1h&var-token=all`,
  (draw) =>
    `https://wiki.example.com/display/${draw.text(4, upper)}/How+to+rotate+a+secret#step-${draw.below(9)}`,
  (draw) => `git@github.com:shop/${component(draw)}.git`,
  (draw) => `ssh://git@git.example.com:2222/shop/${component(draw)}.git`,
  (draw) => `https://ci@git.example.com/shop/${component(draw)}.git`,
  ticket,
  (draw) => `${ticket(draw)}: ${sentence(draw)}`,
  sentence,
  (draw) => `${sentence(draw)} (${draw.text(7, hex)})`,
  (draw) =>
    `feature/${ticket(draw)}-${draw.text(6, lower)}-${draw.one(['token', 'login', 'secret-store'])}`,
  (draw) => `dependabot/npm_and_yarn/${draw.text(7, lower)}-${semver(draw)}`,
  (draw) => `refs/pull/${draw.below(9999)}/merge`,
  (draw) =>
    `${component(draw).toLowerCase()}-${draw.text(10, `${lower}${digits}`)}-${draw.text(5, `${lower}${digits}`)}`,
  (draw) =>
    `registry.example.com/shop/${component(draw)}:${semver(draw)}@sha256:${draw.text(64, hex)}`,
  (draw) =>
    `${draw.text(12, digits)}.dkr.ecr.eu-west-1.amazonaws.com/${component(draw)}:${draw.text(40, hex)}`,
  (draw) => `ghcr.io/shop/${component(draw)}:sha-${draw.text(7, hex)}`,
  (draw) =>
    `arn:aws:ecs:eu-west-1:${draw.text(12, digits)}:task-definition/${component(draw)}:${draw.below(400)}`,
  (draw) =>
    `arn:aws:secretsmanager:eu-west-1:${draw.text(12, digits)}:secret:shop/db-${draw.text(6)}`,
  (draw) => `projects/shop-${draw.below(99)}/secrets/db-password/versions/${draw.below(40)}`,
  (draw) => `jenkins-${component(draw)}-${environment(draw)}-${draw.below(9000)}`,
  (draw) => `build-${draw.text(32, hex)}`,
  (draw) => `${draw.text(11, digits)}/${1 + draw.below(5)}`,
  (draw) => Buffer.from(`{"id":${draw.below(99_999)},"page":${draw.below(9)}}`).toString('base64'),
  (draw) => Buffer.from(sentence(draw)).toString('base64'),
  (draw) => draw.text(24, base64url),
  (draw) => `W/"${draw.text(32, hex)}"`,
  (draw) => `00-${draw.text(32, hex)}-${draw.text(16, hex)}-01`,
  (draw) => `commit=${draw.text(40, hex)} digest=sha256:${draw.text(64, hex)}`,
  (draw) => `cache-key=${draw.text(64, hex)} etag=${draw.text(32, hex)} build=${draw.below(9999)}`,
  (draw) => `key_id=${uuid(draw)} request_id=${uuid(draw)}`,
  (draw) => `cpu=${draw.below(9)}00m memory=${1 + draw.below(8)}Gi replicas=${draw.below(40)}`,
  (draw) => `tier:${draw.below(4)} region:${environment(draw)} team:${team(draw)}`,
  name,
  team,
  environment,
  component,
  (draw) => `arn:aws:lambda:eu-west-1:${draw.text(12, digits)}:function:${component(draw)}:live`,
  (draw) => `i-0${draw.text(16, hex)} vpc-${draw.text(8, hex)} AIDA-less role/${component(draw)}`,
  (draw) => `2026-11-${10 + draw.below(19)}T10:${10 + draw.below(49)}:00.${draw.text(3, digits)}Z`,
  (draw) => `SHA256:${draw.text(43, words)}`,
  (draw) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${draw.text(43)} ${name(draw)}`,
  () => '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----',
  () => '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----',
  (draw) => `wf_${draw.text(20, lower)} run_${draw.text(14)} job-${draw.text(26, upper + digits)}`,
  (draw) => draw.text(26, '0123456789ABCDEFGHJKMNPQRSTVWXYZ'),
];

/** One of each, round after round. */
export const ordinary = (draw: Draw, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => makers[index % makers.length]?.(draw) ?? '');
