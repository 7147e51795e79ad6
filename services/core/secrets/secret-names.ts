// The names behind which a secret stands, as the inner parts of one regular expression. Every repetition is bounded;
// what must not stand before a name is looked at behind it, so that most places cost one character.

/** Whatever is assigned to these is secret. */
const passwords = [
  'passwords?',
  'passwd',
  'passphrase',
  'pwd',
  'passwort',
  'kennwort',
  // `SMTP_PASS=`; a `bypass` or a `compass` has nothing before it that parts words.
  'pass(?<=[a-z0-9][_-]pass)',
  'sshpass',
  '(?:src|dest)?(?:store|key)pass',
  '(?:pw|pass)(?<![a-z0-9](?:pw|pass))(?=["\'`]?\\s{0,3}=|\\\\{0,3}["\'`]\\s{0,3}:|:\\s{1,3}["\'])',
];

const keysOf = [
  ...['api', 'access', 'auth', 'private', 'signing', 'encryption', 'account', 'master'],
  ...['app', 'application', 'functions', 'admin', 'hmac', 'storage', 'license'],
  // Whose key needs no more words: `STRIPE_KEY=`.
  ...[
    'slack',
    'github',
    'gitlab',
    'stripe',
    'twilio',
    'sendgrid',
    'mailgun',
    'openai',
    'anthropic',
  ],
  ...[
    'datadog',
    'pagerduty',
    'cloudflare',
    'algolia',
    'heroku',
    'sentry',
    'grafana',
    'azure',
    'aws',
  ],
];

/** What is assigned to these is secret where it looks drawn by chance. */
const others = [
  'secret[_-]?access[_-]?key',
  'secret[_-]?key(?:[_-]?base)?',
  'client[_-]?secret',
  // Helm's annotation for what a secret's text hashes to.
  'secret(?<!checksum/secret)(?:string|value)?',
  `(?:${keysOf.join('|')})[_-]?key`,
  // A caller names his own request, or the next page, with such a token; others are made to be seen, as that of the
  // public key of a .NET assembly is.
  'token(?<!(?:request|client|idempotency|continuation|cancellation|page|next|public|public[_-]?key|csrf|xsrf)[_-]?token)',
  'credentials?',
  'creds?(?<![a-z]creds?)',
  // Registries' `_auth=` and `"auth": "…"`: name and password in base64.
  'auth(?<=[_"\']auth)(?=\\\\{0,3}["\']?(?:\\s{0,3}[:=]|\\s))',
  'sonar[._]login',
  // A personal access token.
  'pat(?<=[_-]pat)(?=\\s{0,3}[:=])',
];

/** One of these stands in each name, in small letters: without them there is nothing to look for. */
export const nameStems: readonly string[] = [
  ...['pass', 'pwd', 'pw', 'secret', 'key', 'token', 'cred', 'auth', 'pat', 'sonar'],
  'kennwort',
];

/**
 * Groups: the name where it is one of a password, the quote behind the name, the sign or blanks, and the quote before the
 * value. A quote may be escaped, as in JSON within JSON. Nothing on the next line is a value: there the next
 * name stands. New each time: `exec` keeps its place in it.
 */
export const secretNames = (): RegExp =>
  new RegExp(
    `(?:(${passwords.join('|')})|${others.join('|')})(\\\\{0,3}["'\`])?([^\\S\\n]{0,20}(?:=>|:=|=|:)[^\\S\\n]{0,20}|\\s{1,3}value=|>[^\\S\\n]{0,20}(?=[^<\\n]{4,256}</)|\\s{1,3})(\\\\{0,3}["'\`])?`,
    'gi',
  );
