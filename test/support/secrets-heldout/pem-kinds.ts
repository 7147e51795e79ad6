import type { Draw } from './draw.ts';
import { base64url, bytesIn64, digits, jsonIn64Url } from './draw.ts';

const words = {
  'pem-rsa': 'RSA PRIVATE KEY',
  'pem-ec': 'EC PRIVATE KEY',
  'pem-pkcs8': 'PRIVATE KEY',
  'pem-encrypted': 'ENCRYPTED PRIVATE KEY',
  'pem-openssh': 'OPENSSH PRIVATE KEY',
  'pem-dsa': 'DSA PRIVATE KEY',
} as const;

const inLines = (body: string): string => body.replaceAll(/(.{64})/gu, '$1\n');

function block(label: string, body: string, end: string): string {
  return `-----BEGIN ${label}-----${end}${body.replaceAll('\n', end)}${end}-----END ${label}-----`;
}

/** Private keys: what must not stay behind is `body`, whatever is kept of the frame. */
export interface PemCase {
  readonly kind: string;
  readonly text: string;
  readonly body: string;
}

export function pemCases(draw: Draw, contexts: 'first' | 'second'): readonly PemCase[] {
  const cases: PemCase[] = [];
  for (const [kind, label] of Object.entries(words)) {
    const body = inLines(bytesIn64(draw, draw.whole(120, 400)));
    const whole = block(label, body, '\n');
    const texts =
      contexts === 'first'
        ? [
            whole,
            `Error: cannot read key\n${whole}\nexit status 1`,
            `{"key":"${block(label, body, '\\n')}"}`,
          ]
        : [
            `SSH_KEY="${whole}"`,
            `key: |\n${whole.replaceAll(/^/gmu, '  ')}\n`,
            // The last lines of stderr are capped: the end of the block may be gone, or its lines joined.
            `cannot parse ${whole.slice(0, whole.length - 70)}`,
            `bad key ${block(label, body, ' ')}`,
          ];
    cases.push(...texts.map((text) => ({ kind, text, body })));
  }
  const pgp = `\n${inLines(bytesIn64(draw, 300))}\n=${draw.chars(base64url, 4)}`;
  const pgpText = block('PGP PRIVATE KEY BLOCK', pgp, '\n');
  cases.push({
    kind: 'pgp',
    text: contexts === 'first' ? pgpText : `gpg --import <<< "${pgpText}"`,
    body: pgp,
  });
  const key = inLines(bytesIn64(draw, 400));
  const account = JSON.stringify({
    type: 'service_account',
    project_id: 'shop-prod',
    private_key_id: draw.chars('0123456789abcdef', 40),
    private_key: `${block('PRIVATE KEY', key, '\n')}\n`,
    client_email: 'deploy@shop-prod.iam.gserviceaccount.com',
  });
  cases.push({
    kind: 'google-service-account',
    text: contexts === 'first' ? account : `gcloud: could not parse ${JSON.stringify(account)}`,
    body: key,
  });
  if (contexts === 'second') {
    const signed = `${jsonIn64Url({ alg: 'ES256', kid: draw.chars(digits, 4) })}.${jsonIn64Url({ aud: 'deploy' })}.${draw.chars(base64url, 86)}`;
    cases.push({ kind: 'jwt', text: `id_token ${signed} expired`, body: signed });
  }
  return cases;
}
