import { base32, base62, base64url, digits, hex, jsonIn64Url, lower, upper, uuid } from './draw.ts';
import type { TokenKinds } from './tokens-of-forges.ts';

/** Clouds, payment, messages, monitoring, models. */
export const tokensOfServices: TokenKinds = {
  'aws-key-id': (draw) => `${draw.pick(['AKIA', 'ASIA'])}${draw.chars(base32, 16)}`,
  'google-api-key': (draw) => `AIza${draw.chars(base64url, 35)}`,
  'google-client-secret': (draw) => `GOCSPX-${draw.chars(base64url, 28)}`,
  'google-access-token': (draw) => `ya29.a0${draw.chars(base64url, 160)}`,
  'azure-client-secret': (draw) =>
    `${draw.chars(base62, 3)}${draw.chars(digits, 1)}Q~${draw.chars(`${base64url}.~`, 30)}${draw.chars(base62, 1)}`,
  alibaba: (draw) => `LTAI${draw.chars(base62, 20)}`,
  digitalocean: (draw) => `${draw.pick(['dop', 'doo', 'dor'])}_v1_${draw.chars(hex, 64)}`,
  heroku: (draw) => `HRKU-AA${draw.chars(base64url, 58)}`,
  netlify: (draw) => `nfp_${draw.chars(base62, 36)}`,
  'cloudflare-origin': (draw) => `v1.0-${draw.chars(hex, 24)}-${draw.chars(hex, 146)}`,
  tailscale: (draw) =>
    `tskey-${draw.pick(['auth', 'api'])}-k${draw.chars(base62, 11)}CNTRL-${draw.chars(base62, 32)}`,
  databricks: (draw) => `dapi${draw.chars(hex, 32)}${draw.pick(['', '-2'])}`,
  planetscale: (draw) => `pscale_${draw.pick(['tkn', 'pw'])}_${draw.chars(base64url, 43)}`,
  supabase: (draw) => `sbp_${draw.chars(hex, 40)}`,
  'slack-bot': (draw) =>
    `xoxb-${draw.chars(digits, 12)}-${draw.chars(digits, 13)}-${draw.chars(base62, 24)}`,
  'slack-user': (draw) =>
    `xoxp-${draw.chars(digits, 12)}-${draw.chars(digits, 12)}-${draw.chars(digits, 13)}-${draw.chars(hex, 32)}`,
  'slack-app': (draw) =>
    `xapp-1-A${draw.chars(upper + digits, 10)}-${draw.chars(digits, 13)}-${draw.chars(hex, 64)}`,
  'slack-webhook': (draw) =>
    `https://hooks.slack.com/services/T${draw.chars(upper + digits, 10)}/B${draw.chars(upper + digits, 10)}/${draw.chars(base62, 24)}`,
  'teams-webhook': (draw) =>
    `https://acme.webhook.office.com/webhookb2/${uuid(draw)}@${uuid(draw)}/IncomingWebhook/${draw.chars(hex, 32)}/${uuid(draw)}`,
  'discord-webhook': (draw) =>
    `https://discord.com/api/webhooks/${draw.chars(digits, 19)}/${draw.chars(base64url, 68)}`,
  'discord-bot': (draw) =>
    `MT${draw.chars(base62, 24)}.G${draw.chars(base62, 5)}.${draw.chars(base64url, 38)}`,
  telegram: (draw) => `${draw.whole(1, 7)}${draw.chars(digits, 9)}:AA${draw.chars(base64url, 33)}`,
  stripe: (draw) =>
    `${draw.pick(['sk_live', 'rk_live', 'sk_test'])}_${draw.chars(base62, draw.pick([24, 99]))}`,
  'stripe-webhook': (draw) => `whsec_${draw.chars(base62, 32)}`,
  'twilio-api-key': (draw) => `SK${draw.chars(hex, 32)}`,
  sendgrid: (draw) => `SG.${draw.chars(base64url, 22)}.${draw.chars(base64url, 43)}`,
  mailgun: (draw) => `key-${draw.chars(hex, 32)}`,
  mailchimp: (draw) => `${draw.chars(hex, 32)}-us${draw.whole(1, 21)}`,
  shopify: (draw) => `${draw.pick(['shpat', 'shpss', 'shpca', 'shppa'])}_${draw.chars(hex, 32)}`,
  square: (draw) => `sq0atp-${draw.chars(base64url, 22)}`,
  'square-access': (draw) => `EAAA${draw.chars(base64url, 60)}`,
  plaid: (draw) => `access-production-${uuid(draw)}`,
  easypost: (draw) => `EZAK${draw.chars(base62, 54)}`,
  'new-relic-user': (draw) => `NRAK-${draw.chars(upper + digits, 27)}`,
  'new-relic-licence': (draw) => `${draw.chars(hex, 36)}NRAL`,
  'grafana-service-account': (draw) => `glsa_${draw.chars(base62, 32)}_${draw.chars(hex, 8)}`,
  'grafana-cloud': (draw) =>
    `glc_${jsonIn64Url({ o: draw.chars(digits, 6), n: 'deploy', k: draw.chars(base62, 24), m: { r: 'eu' } })}`,
  dynatrace: (draw) => `dt0c01.${draw.chars(base32, 24)}.${draw.chars(base32, 64)}`,
  'sentry-user': (draw) => `sntryu_${draw.chars(hex, 64)}`,
  'sentry-organisation': (draw) =>
    `sntrys_${jsonIn64Url({ iat: draw.whole(1_700_000_000, 1_780_000_000), url: 'https://sentry.io', org: 'acme' })}_${draw.chars(base62, 43)}`,
  'launchdarkly-sdk': (draw) => `sdk-${uuid(draw)}`,
  'openai-project': (draw) =>
    `sk-proj-${draw.chars(base64url, 74)}T3BlbkFJ${draw.chars(base64url, 74)}`,
  openai: (draw) => `sk-${draw.chars(base62, 20)}T3BlbkFJ${draw.chars(base62, 20)}`,
  anthropic: (draw) => `sk-ant-api03-${draw.chars(base64url, 93)}AA`,
  huggingface: (draw) => `hf_${draw.chars(lower + upper, 34)}`,
  groq: (draw) => `gsk_${draw.chars(base62, 52)}`,
  replicate: (draw) => `r8_${draw.chars(base62, 37)}`,
  openrouter: (draw) => `sk-or-v1-${draw.chars(hex, 64)}`,
  airtable: (draw) => `pat${draw.chars(base62, 14)}.${draw.chars(hex, 64)}`,
  notion: (draw) => `ntn_${draw.chars(digits, 11)}${draw.chars(base62, 35)}`,
  figma: (draw) => `figd_${draw.chars(base64url, 40)}`,
  contentful: (draw) => `CFPAT-${draw.chars(base64url, 43)}`,
  jwt: (draw) =>
    [
      jsonIn64Url({ alg: draw.pick(['HS256', 'RS256', 'ES256']), typ: 'JWT' }),
      jsonIn64Url({ sub: draw.chars(digits, 10), iat: draw.whole(1_700_000_000, 1_780_000_000) }),
      draw.chars(base64url, 43),
    ].join('.'),
};
