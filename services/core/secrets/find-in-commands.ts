import type { FoundSecret } from './found-secret.ts';
import { hiddenAt } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { isPasswordValue } from './values.ts';

// Passwords that only the command gives away: `docker login -p …`, `mysql -p…`, `curl -u user:…`. A flag of one letter
// means a password to one tool and a port to the next, so each stands with its tools, as their manuals have it.

type Command = {
  /** A word that stands in every such command: without it the rest is not looked for. */
  readonly word: string;
  /** Its one group is the secret; every repetition is bounded. */
  readonly form: RegExp;
};

/** The rest of a line up to a flag. */
const upTo = '[^\\n|;]{0,300}?\\s';
/** A value in its quotes or up to a blank. */
const quoted = `(?:"([^"\\n]{1,256})"|'([^'\\n]{1,256})'|([^\\s"'\`|;]{1,256}))`;

const command = (word: string, form: string): Command => ({ word, form: new RegExp(form, 'gi') });

const commands: readonly Command[] = [
  // docker, podman, helm, cf, oras …: `login -p`.
  command('login', `\\blogin\\b${upTo}-p(?:=|\\s{1,3})${quoted}`),
  command(
    '-stdin',
    `\\b(?:echo|printf)\\s{1,3}(?:-n\\s{1,3})?${quoted}\\s{0,3}\\|[^\\n|]{0,120}-stdin\\b`,
  ),
  command('auth', `\\bsnyk\\s{1,3}auth\\s{1,3}${quoted}`),
  command('codecov', `\\bcodecov\\b${upTo}-t(?:=|\\s{1,3})${quoted}`),
  command(
    'curl',
    `\\bcurl\\b${upTo}(?:-u|--user)[\\s=]{0,3}["']?[^\\s:"']{1,64}:([^\\s"']{1,256})`,
  ),
  // Only without a blank: with one it is the name of a database, and the password is asked for.
  command('mysql', `\\bmysql(?:admin|dump|import|show|check|sh)?\\b${upTo}-p${quoted}`),
  command('mariadb', `\\bmariadb(?:-[a-z]{2,12})?\\b${upTo}-p${quoted}`),
  command('sshpass', `\\bsshpass\\s{1,3}-p\\s{0,3}${quoted}`),
  command('ldap', `\\bldap[a-z]{2,12}\\b${upTo}-w\\s{1,3}${quoted}`),
  command('redis-cli', `\\bredis-cli\\b${upTo}-a\\s{1,3}${quoted}`),
  command('sqlcmd', `\\bsqlcmd\\b${upTo}(?-i:-P)\\s{0,3}${quoted}`),
  command('pass:', `\\s-pass(?:in|out)?\\s{1,3}pass:${quoted}`),
  // .netrc
  command('password', `\\blogin\\s{1,9}\\S{1,128}\\s{1,9}password\\s{1,9}${quoted}`),
  command(
    'password',
    `\\b(?:user|role|login)\\b[^\\n;]{0,160}?\\bpassword\\s{0,3}=?\\s{0,3}'([^'\\n]{4,256})'`,
  ),
  command(
    'identified',
    `\\bidentified\\s{1,3}(?:with\\s{1,3}\\S{1,40}\\s{1,3})?by\\s{1,3}'([^'\\n]{4,256})'`,
  ),
];

/** Said in a sentence: only what no word looks like. */
const spoken =
  /\b(?:password|passphrase)\s{1,3}(?:(?:is|was|=|:)\s{1,3})?["'`]?([^\s"'`,;()]{7,128})/gi;

export const findInCommands = ({ text }: TextReader): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  const small = text.toLowerCase();
  for (const { word, form } of commands) {
    if (!small.includes(word)) continue;
    for (const match of text.matchAll(form)) {
      const value = match.slice(1).find((group) => group !== undefined) ?? '';
      // Five digits and less are a port: `mysql -p3306` is a mistake that tells nothing.
      if (!isPasswordValue(value) || value.startsWith('-') || /^[0-9:]{1,11}$/.test(value))
        continue;
      const start = match.index + match[0].lastIndexOf(value);
      found.push(hiddenAt('password', start, value));
    }
  }
  if (small.includes('pass'))
    for (const match of text.matchAll(spoken)) {
      const value = (match[1] ?? '').replace(/[.!?:\]}]{1,3}$/, '');
      if (!isPasswordValue(value) || !looksMade(value)) continue;
      found.push(
        hiddenAt('password', match.index + match[0].length - (match[1] ?? '').length, value),
      );
    }
  return found;
};

/** Letters with digits, as words never are and names of algorithms, versions and files seldom. */
const looksMade = (value: string): boolean =>
  /[a-z]/i.test(value) &&
  /[0-9]/.test(value) &&
  !/^(?:[a-z]{2,8}[0-9]{1,4}(?:-[a-z0-9]{1,6})?|v?[0-9.]+[\w.+-]*|[a-z0-9_-]+\.[a-z]{2,4}|.*[/\\(].*|#.*)$/i.test(
    value,
  );
