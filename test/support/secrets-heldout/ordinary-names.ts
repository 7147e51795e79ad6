import type { Draw } from './draw.ts';
import {
  base32,
  base62,
  base64url,
  bytesIn64,
  digits,
  hex,
  jsonIn64Url,
  lower,
  upper,
  uuid,
} from './draw.ts';

export type OrdinaryKinds = Readonly<Record<string, (draw: Draw) => string>>;

const services = [
  'checkout',
  'shop-web',
  'payments-api',
  'token-service',
  'secret-rotator',
  'search',
  'key-registry',
  'auth',
];
const name = (draw: Draw): string => draw.pick(services);
const ulid = (draw: Draw): string => `01${draw.chars('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24)}`;
const semver = (draw: Draw): string =>
  `${draw.whole(0, 40)}.${draw.whole(0, 60)}.${draw.whole(0, 99)}`;
const sha256 = (draw: Draw): string => draw.chars(hex, 64);
const commit = (draw: Draw): string => draw.chars(hex, 40);

/** Identifiers of builds, artifacts, clusters and clouds: long, random, and no secret. */
export const ordinaryNames: OrdinaryKinds = {
  commit,
  'short commit': (d) => draw7(d),
  digest: (d) => `sha256:${sha256(d)}`,
  'image by digest': (d) => `registry.example.com/acme/${name(d)}@sha256:${sha256(d)}`,
  'image by tag and digest': (d) =>
    `${d.whole(1e11, 9e11)}.dkr.ecr.eu-west-1.amazonaws.com/${name(d)}:${semver(d)}@sha256:${sha256(d)}`,
  'image tag': (d) =>
    `ghcr.io/acme/${name(d)}:main-${draw7(d)}-${d.whole(1_700_000_000, 1_790_000_000)}`,
  uuid,
  'upper uuid': (d) => uuid(d).toUpperCase(),
  'uuid without dashes': (d) => uuid(d).replaceAll('-', ''),
  ulid,
  ksuid: (d) => `2${d.chars(base62, 26)}`,
  nanoid: (d) => d.chars(base64url, 21),
  'object id': (d) => `6${d.chars(hex, 23)}`,
  'snowflake id': (d) => `1${d.chars(digits, 18)}`,
  semver,
  'semver with build': (d) =>
    `v${semver(d)}-rc.${d.whole(1, 9)}+build.${d.whole(1, 9999)}.${draw7(d)}`,
  'go pseudo-version': (d) =>
    `v0.0.0-2026030${d.whole(1, 9)}1${d.chars(digits, 5)}-${d.chars(hex, 12)}`,
  'go.sum line': (d) => `golang.org/x/net v0.${d.whole(1, 50)}.0 h1:${bytesIn64(d, 32)}`,
  'git describe': (d) => `v${semver(d)}-${d.whole(1, 400)}-g${draw7(d)}`,
  integrity: (d) => `sha512-${bytesIn64(d, 64)}`,
  'integrity line': (d) => `"integrity": "sha512-${bytesIn64(d, 64)}",`,
  'yarn resolved': (d) =>
    `resolved "https://registry.yarnpkg.com/tokens/-/tokens-${semver(d)}.tgz#${commit(d)}"`,
  'nix path': (d) =>
    `/nix/store/${d.chars('0123456789abcdfghijklmnpqrsvwxyz', 32)}-${name(d)}-${semver(d)}`,
  'nix hash': (d) => `sha256-${bytesIn64(d, 32)}`,
  'bazel digest': (d) => `action_cache/${sha256(d)}/${d.whole(100, 99_999)}`,
  'pod name': (d) =>
    `${name(d)}-${d.chars('bcdfghjklmnpqrstvwxz2456789', 10)}-${d.chars('bcdfghjklmnpqrstvwxz2456789', 5)}`,
  'service account of a pod': (d) =>
    `secret/${name(d)}-token-${d.chars('bcdfghjklmnpqrstvwxz2456789', 5)}`,
  'role arn': (d) => `arn:aws:iam::${d.whole(1e11, 9e11)}:role/${name(d)}-deploy`,
  'secret arn': (d) =>
    `arn:aws:secretsmanager:eu-west-1:${d.whole(1e11, 9e11)}:secret:prod/${name(d)}/db-password-${d.chars(base62, 6)}`,
  'target group arn': (d) =>
    `arn:aws:elasticloadbalancing:eu-west-1:${d.whole(1e11, 9e11)}:targetgroup/${name(d)}/${d.chars(hex, 16)}`,
  'task arn': (d) => `arn:aws:ecs:us-east-1:${d.whole(1e11, 9e11)}:task/prod/${d.chars(hex, 32)}`,
  'execution arn': (d) =>
    `arn:aws:states:eu-west-1:${d.whole(1e11, 9e11)}:execution:deploy:${uuid(d)}`,
  'kms key arn': (d) => `arn:aws:kms:eu-west-1:${d.whole(1e11, 9e11)}:key/${uuid(d)}`,
  'instance id': (d) => `i-0${d.chars(hex, 16)}`,
  'ami id': (d) => `ami-0${d.chars(hex, 16)}`,
  'role id': (d) => `arn role AROA${d.chars(base32, 16)}:deploy-session`,
  'secret of Google': (d) => `projects/shop-prod/secrets/db-password/versions/${d.whole(1, 90)}`,
  'service account of Google': (d) => `deployer@shop-${d.whole(100, 999)}.iam.gserviceaccount.com`,
  'client id of Google': (d) =>
    `${d.chars(digits, 12)}-${d.chars(lower + digits, 32)}.apps.googleusercontent.com`,
  'revision of Cloud Run': (d) => `${name(d)}-000${d.whole(10, 99)}-${d.chars(lower, 3)}`,
  'resource of Azure': (d) =>
    `/subscriptions/${uuid(d)}/resourceGroups/shop/providers/Microsoft.Web/sites/${name(d)}`,
  traceparent: (d) => `00-${d.chars(hex, 32)}-${d.chars(hex, 16)}-01`,
  'trace of AWS': (d) =>
    `Root=1-${d.chars(hex, 8)}-${d.chars(hex, 24)};Parent=${d.chars(hex, 16)};Sampled=1`,
  'request id of AWS': (d) => `x-amz-id-2: ${bytesIn64(d, 56)}`,
  'request id of CloudFront': (d) => `X-Amz-Cf-Id: ${d.chars(base64url, 54)}==`,
  'request id of API gateway': (d) => `x-amz-apigw-id: ${d.chars(base64url, 15)}=`,
  'ray id': (d) => `CF-RAY: ${d.chars(hex, 16)}-FRA`,
  'request id of GitHub': (d) =>
    `X-GitHub-Request-Id: ${d.chars(hex, 4).toUpperCase()}:${d.chars(digits, 5)}:${d.chars(hex, 7).toUpperCase()}:${d.chars(hex, 8).toUpperCase()}`,
  etag: (d) => `ETag: "${d.chars(hex, 32)}-${d.whole(2, 40)}"`,
  'weak etag': (d) => `W/"${d.chars(hex, 4)}-${d.chars(base64url, 27)}"`,
  'asset with hash': (d) => `/assets/index-${d.chars(base64url, 8)}.js`,
  'chunk with hash': (d) => `static/js/${d.whole(100, 999)}.${d.chars(hex, 20)}.chunk.js.map`,
  'build id': (d) => `build-${bytesIn64(d, 15)}`,
  'build id of Next.js': (d) => `.next/BUILD_ID: ${d.chars(base64url, 21)}`,
  'GNU build id': (d) => `BuildID[sha1]=${commit(d)}`,
  'Go build id': (d) =>
    `${d.chars(base64url, 20)}/${d.chars(base64url, 20)}/${d.chars(base64url, 20)}/${d.chars(base64url, 20)}`,
  'run of GitHub': (d) =>
    `https://github.com/acme/${name(d)}/actions/runs/${d.chars(digits, 11)}/job/${d.chars(digits, 11)}`,
  'run of GitLab': (d) =>
    `https://gitlab.example.com/acme/${name(d)}/-/jobs/${d.chars(digits, 10)}`,
  'run of CircleCI': (d) =>
    `https://app.circleci.com/pipelines/circleci/${d.chars(base62, 22)}/${d.chars(base62, 22)}/42/workflows/${uuid(d)}`,
  'run of Buildkite': (d) =>
    `https://buildkite.com/acme/${name(d)}/builds/${d.whole(1, 9999)}#${uuid(d)}`,
  'run of Azure': (d) =>
    `https://dev.azure.com/acme/${uuid(d)}/_build/results?buildId=${d.whole(1, 99_999)}&view=logs&j=${uuid(d)}`,
  'dashboard address': (d) =>
    `https://acme.grafana.net/d/${d.chars(base64url, 9)}/${name(d)}?orgId=1&from=${d.chars(digits, 13)}&to=now`,
  'document address': (d) => `https://docs.google.com/document/d/1${d.chars(base64url, 43)}/edit`,
  'Slack message': (d) =>
    `https://acme.slack.com/archives/C0${d.chars(upper + digits, 9)}/p${d.chars(digits, 16)}`,
  'Figma address': (d) =>
    `https://www.figma.com/file/${d.chars(base62, 22)}/Checkout?node-id=${d.whole(1, 999)}%3A${d.whole(1, 999)}`,
  'commit address': (d) => `https://github.com/acme/shop/commit/${commit(d)}#diff-${sha256(d)}`,
  'Sentry event': (d) =>
    `https://acme.sentry.io/issues/${d.chars(digits, 10)}/events/${d.chars(hex, 32)}/`,
  'Sentry DSN': (d) =>
    `https://${d.chars(hex, 32)}@o${d.chars(digits, 6)}.ingest.sentry.io/${d.chars(digits, 7)}`,
  'publishable Stripe objects': (d) =>
    `${d.pick(['pi', 'cus', 'evt', 'req', 'ch'])}_${d.chars(base62, 24)}`,
  'cache key': (d) => `node-cache-key: linux-x64-node24-${sha256(d)}`,
  'cache-key assigned': (d) => `cache-key=deps-v${d.whole(1, 9)}-${commit(d)}`,
  'idempotency key': (d) => `Idempotency-Key: ${uuid(d)}`,
  'key id': (d) => `kid=${d.chars(base64url, 27)}`,
  'public key': (d) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${d.chars(base62, 43)} deploy@ci`,
  'key fingerprint': (d) => `SHA256:${d.chars(base62, 43)} deploy@ci (ED25519)`,
  'certificate fingerprint': (d) =>
    `Fingerprint=${Array.from({ length: 20 }, () => d.chars(hex, 2).toUpperCase()).join(':')}`,
  'public PEM': (d) => `-----BEGIN PUBLIC KEY-----\n${bytesIn64(d, 44)}\n-----END PUBLIC KEY-----`,
  'certificate PEM': (d) =>
    `-----BEGIN CERTIFICATE-----\n${bytesIn64(d, 300)}\n-----END CERTIFICATE-----`,
  'encoded JSON': (d) => `payload ${jsonIn64Url({ build: d.whole(1, 999), service: name(d) })}`,
  'order number': (d) => `DE${d.chars(digits, 20)}`,
  'long number': (d) => d.chars(digits, d.whole(12, 24)),
  'Java class': (d) =>
    `com.acme.${d.pick(['auth', 'token', 'secret'])}.${d.pick(['PasswordResetTokenRepositoryImpl', 'ApiKeyAuthenticationFilter', 'SecretRotationScheduledTask$$EnhancerBySpringCGLIB$$'])}${d.chars(hex, 8)}`,
  'label of a node': (d) => `topology.kubernetes.io/zone=eu-west-1${d.pick(['a', 'b', 'c'])}`,
  'pod template hash': (d) => `pod-template-hash=${d.chars('bcdfghjklmnpqrstvwxz2456789', 10)}`,
  'checksum annotation': (d) => `checksum/secret: ${sha256(d)}`,
  'container id': (d) => `containerd://${sha256(d)}`,
  'Flutter or Xcode build': (d) => `${semver(d)} (${d.whole(1000, 99_999)})`,
  'device token of nothing': (d) =>
    `session affinity key ${d.chars(hex, 16)} moved to node-${d.whole(1, 9)}`,
};

function draw7(draw: Draw): string {
  return draw.chars(hex, draw.pick([7, 8, 10]));
}
