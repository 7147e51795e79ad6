// The version of a secret is what its keeper counts or names it by. Somebody may give the secret itself in its place,
// and a password need not look drawn by chance: so what is taken is what versions look like.

const shortMax = 4;
/** Two times 160 bits would be a key. */
const partsMax = 64;

/**
 * Whether a text is the version of a secret, and can hardly be one itself: numbers, semantic versions, dates, UUIDs, hex
 * of at most 40 digits (Azure Key Vault has 32, git 40), ULIDs, digests with their algorithm, the words that keepers
 * have for stages, and what names a version in a path of theirs. `name` is the secret's.
 */
export const isSecretVersion = (text: string, name: string): boolean => {
  const bare = withoutName(text, name);
  return (
    (bare.length <= shortMax && /^[a-z0-9]*$/i.test(bare)) ||
    whole.some((form) => form.test(bare)) ||
    (bare.length <= partsMax && bare.split(/[-_./:+ ]/).every(isPart))
  );
};

/** `db-password/4` and `db-password-v4` are versions of `db-password`. */
const withoutName = (text: string, name: string): string =>
  text.startsWith(name) && /^[-_./:@#]/.test(text.slice(name.length))
    ? text.slice(name.length + 1)
    : text;

const whole: readonly RegExp[] = [
  /^\d{4}-?\d{2}-?\d{2}[T ]\d{2}:?\d{2}(?::?\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?$/,
  // ULID: since 2016 it begins with 01, which no seed in base 32 (RFC 4648) can.
  /^01[0-9A-HJKMNP-TV-Z]{24}$/,
  /^sha(?:1|256|512):[0-9a-f]{8,128}$/,
  // Google Secret Manager, Azure Key Vault.
  /^projects\/[a-z0-9-]{1,64}\/secrets\/[\w-]{1,255}\/versions\/(?:\d{1,9}|latest)$/,
  /^https:\/\/[a-z0-9-]{1,64}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)\/secrets\/[\w-]{1,127}\/[0-9a-f]{32}$/,
];

const counted: ReadonlySet<string> = new Set([
  ...[
    'v',
    'r',
    'rev',
    'revision',
    'ver',
    'version',
    'gen',
    'generation',
    'no',
    'nr',
    'q',
    'w',
    't',
  ],
  ...['build', 'release', 'rel', 'rotation', 'serial', 'id', 'run', 'job', 'z'],
  ...['alpha', 'beta', 'rc', 'pre', 'preview', 'hotfix', 'patch'],
]);

/** `Winter2026`, `test123` and `hunter2` are passwords: these stand alone. */
const words: ReadonlySet<string> = new Set([
  ...['versions', 'rotated', 'key', 'snapshot', 'dev', 'final', 'ga', 'manual', 'auto'],
  ...['latest', 'current', 'previous', 'pending', 'next', 'initial', 'first', 'new', 'old', 'none'],
  ...['deleted', 'disabled', 'primary', 'secondary', 'blue', 'green', 'a', 'b'],
  ...['awscurrent', 'awsprevious', 'awspending'],
  ...['prod', 'production', 'staging', 'stage', 'test', 'testing', 'qa', 'canary'],
  ...['terraform', 'pulumi', 'vault', 'kubernetes'],
  ...['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  ...['january', 'february', 'march', 'april', 'june', 'july', 'august', 'september', 'october'],
  ...['november', 'december'],
]);

const isPart = (part: string): boolean => {
  if (/^\d{0,20}$/.test(part) || isHex(part)) return true;
  const word = part.toLowerCase();
  return words.has(word) || counted.has(word.replace(/\d{1,20}$/, ''));
};

/** A part of a UUID, a commit, a digest of 160 bits; a key of 256 has more. */
const isHex = (part: string): boolean => /^(?:[0-9a-f]{4,40}|[0-9A-F]{4,40})$/.test(part);
