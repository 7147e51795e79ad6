/** A secret in a text: UTF-16 positions, the second behind its last character. */
export type FoundSecret = {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** What may be shown of it: how it begins, where that says nothing, and how long it is. */
  readonly masked: string;
};

/** A secret of which nothing may be shown. */
export const hiddenAt = (kind: string, start: number, value: string): FoundSecret => ({
  kind,
  start,
  end: start + value.length,
  masked: `… (${value.length} characters)`,
});

/** What a secret is written over with. A text in which this stands is not taken for one that holds a secret. */
export const maskOf = ({ kind, start, end }: FoundSecret): string => {
  const named = `[masked ${kind}]`;
  // Never longer than what it covers: the field would not take it.
  return named.length <= end - start ? named : '***'.slice(0, end - start);
};

/** Words, variables and masks that stand where a secret would. */
export const isPlaceholder = (value: string): boolean =>
  (mask.test(value) && !startsOddly(value)) ||
  variable.test(value) ||
  placeholders.has(value.toLowerCase());

/** Of shells and templates, of YAML's tags in CloudFormation and Ansible, of what sops encrypted. */
const mask =
  /^(?:["'\\]?\$|%|<|&lt;|#\{|#[a-z-]+$|\{|\(|\[masked|[*•.x#?-]+$|\*{3}|!(?:ref|sub|getatt|importvalue|join|vault|secret|env)\b|ENC\[|(?:redacted|masked|changeme|placeholder|your)(?:[_-]|$)|\[[a-z_ -]{1,40}\]$)/i;

/** Whether a value begins as a placeholder does and is written as none: `%)v3r6…`, `$^x7Kq…`. */
const startsOddly = (value: string): boolean =>
  odd.test(value) && /[0-9]/.test(value) && /[a-z]/i.test(value);

/** Not `$VAR`, `${…}`, `$(…)`, `$.path`; not `%VAR%`, `%s`, `%(name)s`, `%{…}`, `%7B…`; not `<…>`, not `{…}`. */
const odd = new RegExp(
  [
    /^\$[%^&+=)~;,:!*@#?-]\S{6,}$/,
    /^%(?![\w:~,-]{1,64}%|\([\w.-]{1,64}\)|[{%~*]|<\w|[0-9a-f]{2}|[-+#0-9.$]{0,8}[a-z](?!\w)|[a-z_]+$)\S{7,}$/,
    /^<(?![?%(])(?=\S{0,64}[#^&*!@~+=$%])[^\s>]{7,}$/,
    /^\{(?=\S{0,64}[#^&*!@~+=$%])[^\s{}:"',]{7,}$/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** The name of a variable: `DB_PASSWORD=DB_PASSWORD`. */
const variable = /^[A-Z0-9_]*(?:PASSW|SECRET|TOKEN|_KEY|^KEY)[A-Z0-9_]*$/;

const placeholders: ReadonlySet<string> = new Set([
  ...['falsch', 'fehlt', 'ungültig', 'abgelaufen'],
  ...['true', 'false', 'yes', 'no', 'on', 'off', 'none', 'null', 'nil', 'undefined', 'unset'],
  ...['empty', 'missing', 'required', 'optional', 'invalid', 'incorrect', 'wrong', 'expired'],
  ...['changed', 'rotated', 'reset', 'revoked', 'redacted', 'hidden', 'masked', 'removed'],
  ...[
    'secret',
    'password',
    'token',
    'pass',
    'pwd',
    'test',
    'changeme',
    'example',
    'placeholder',
    'disabled',
    'enabled',
  ],
]);

/** Tokens are drawn by chance; what repeats a few characters stands for one. */
export const isVaried = (value: string): boolean => new Set(value).size >= 6;
