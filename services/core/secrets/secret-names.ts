// The names behind which a secret stands, as the inner parts of one regular expression. Every repetition is bounded.

/** Whatever is assigned to these is secret. */
const passwords = [
  'passwords?',
  'passwd',
  'passphrase',
  'pwd',
  // `SMTP_PASS=`; a `bypass` or a `compass` has nothing before it that parts words.
  '(?<=[a-z0-9][_-])pass',
  'sshpass',
  '(?:src|dest)?(?:store|key)pass',
  '(?<![a-z0-9])(?:pw|pass)(?=["\'`]?\\s{0,3}=|["\'`]\\s{0,3}:)',
];

const keysOf = [
  ...['api', 'access', 'auth', 'private', 'signing', 'encryption', 'account', 'master'],
  ...['app', 'application', 'functions', 'admin', 'hmac'],
];

/** What is assigned to these is secret where it looks drawn by chance. */
const others = [
  'secret[_-]?access[_-]?key',
  'secret[_-]?key(?:[_-]?base)?',
  'client[_-]?secret',
  // Helm's annotation for what a secret's text hashes to.
  '(?<!checksum/)secret',
  `(?:${keysOf.join('|')})[_-]?key`,
  // A caller names his own request, or the next page, with such a token.
  '(?<!request|client|idempotency|continuation|page|next)(?:(?:access|auth|refresh|session|bearer|api|deploy)?[_-]?token)',
  'credentials?',
  // Registries' `_auth=` and `"auth": "…"`: name and password in base64.
  '(?<=[_"\'])auth(?=["\']?\\s{0,3}[:=])',
];

/**
 * Groups: the name where it is one of a password, the quote behind the name, the sign or blanks, and the quote before the
 * value. New each time: `exec` keeps its place in it.
 */
export const secretNames = (): RegExp =>
  new RegExp(
    `(?:(${passwords.join('|')})|${others.join('|')})(["'\`]?)(\\s{0,3}(?:=>|:=|=|:)\\s{0,3}|\\s{1,3})(["'\`]?)`,
    'gi',
  );
