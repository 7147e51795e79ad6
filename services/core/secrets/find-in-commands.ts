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
  /** People write about it, too: a value that is one plain word is none (`snyk auth failed`). */
  readonly isSpoken: boolean;
};

/** The rest of a command up to a flag; a line may go on behind a backslash. */
const upTo = '(?:[^\\n|;]|\\\\\\n){0,300}?\\s';
/** A value in its quotes or up to a blank. */
const quoted = `(?:"([^"\\n]{1,256})"|'([^'\\n]{1,256})'|([^\\s"'\`|;]{1,256}))`;

/** `user:` before a password, which may be in quotes with it. */
const user = `["']?[^\\s:"'<]{0,64}:["']?`;
const bare = `([^\\s"']{1,256})`;
/** A text in SQL. */
const literal = `'([^'\\n]{4,256})'`;
const echoed = `\\b(?:echo|printf)\\s{1,3}(?:-n\\s{1,3})?${quoted}\\s{0,3}\\|[^\\n|]{0,120}?`;

const command = (word: string, form: string, flags: 'g' | 'gi' = 'g'): Command => ({
  word,
  form: new RegExp(form, flags),
  isSpoken: false,
});

const spoken = (...[word, form, flags]: Parameters<typeof command>): Command => ({
  ...command(word, form, flags),
  isSpoken: true,
});

const plainWord = /^[a-z]{2,24}$/;
/** .netrc */
const login = '\\blogin\\s{1,9}\\S{1,128}\\s{1,9}password\\s{1,9}';

const commands: readonly Command[] = [
  // docker, podman, helm, cf, oras …
  command('login', `\\blogin\\b${upTo}-p(?:=|\\s{1,3})${quoted}`),
  command('twine', `\\btwine\\b${upTo}-p(?:=|\\s{1,3})${quoted}`),
  spoken('-stdin', `${echoed}-stdin\\b`),
  spoken('sudo', `${echoed}\\bsudo\\s{1,3}-S\\b`),
  command('<<<', `-stdin\\b[^\\n|]{0,120}<<<\\s{0,3}${quoted}`),
  spoken('snyk', `\\bsnyk\\s{1,3}(?:auth\\s{1,3}|config\\s{1,3}set\\s{1,3}api=)${quoted}`),
  spoken('-auth', `\\bjenkins${upTo}-auth\\s{1,3}${user}${bare}`),
  spoken('codecov', `\\bcodecov\\b${upTo}-t(?:=|\\s{1,3})${quoted}`),
  command('curl', `\\bcurl\\b${upTo}(?:-[uU]|--(?:proxy-)?user)[\\s=]{0,3}${user}${bare}`),
  spoken('http', `(?:^|[\\s$+])https?(?=\\s)${upTo}(?:-a|--auth)[\\s=]${user}${bare}`),
  // Only without a blank: with one it is the name of a database, and the password is asked for.
  command('mysql', `\\bmysql(?:admin|dump|import|show|check|sh)?\\b${upTo}-p${quoted}`),
  command('mariadb', `\\bmariadb(?:-[a-z]{2,12})?\\b${upTo}-p${quoted}`),
  command('sshpass', `\\bsshpass\\s{1,3}-p\\s{0,3}${quoted}`),
  spoken('ldap', `\\bldap[a-z]{2,12}\\b${upTo}-w\\s{1,3}${quoted}`),
  spoken('redis-cli', `\\bredis-cli\\b${upTo}-a\\s{1,3}${quoted}`),
  spoken('requirepass', `\\brequirepass\\s{1,3}${quoted}`),
  command('sqlcmd', `\\bsqlcmd\\b${upTo}-P\\s{0,3}${quoted}`),
  spoken('-p', `\\bpsexec${upTo}-p\\s{1,3}${quoted}`, 'gi'),
  command('pass:', `\\s-pass(?:in|out)?\\s{1,3}pass:${quoted}`),
  command('password', `\\bmachine\\s{1,9}\\S{1,128}\\s{1,9}${login}${quoted}`),
  spoken('password', `${login}${quoted}`),
  // SQL
  command(
    'password',
    `\\b(?:user|role|login)\\b[^\\n;]{0,160}?\\bpassword\\s{0,3}=?\\s{0,3}${literal}`,
    'gi',
  ),
  command(
    'identified',
    `\\b(?:create|alter|grant|set)\\b[^;]{0,200}?\\bidentified\\s{1,3}(?:with\\s{1,3}\\S{1,40}\\s{1,3})?by\\s{1,3}${literal}`,
    'gi',
  ),
];

export const findInCommands = ({ text, lower }: TextReader): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  for (const { word, form, isSpoken } of commands) {
    if (!lower.includes(word)) continue;
    for (const match of text.matchAll(form)) {
      const value = match.slice(1).find((group) => group !== undefined) ?? '';
      // Five digits and less are a port: `mysql -p3306` is a mistake that tells nothing.
      if (!isPasswordValue(value) || value.startsWith('-') || /^[0-9:]{1,11}$/.test(value))
        continue;
      if (isSpoken && plainWord.test(value)) continue;
      const start = match.index + match[0].lastIndexOf(value);
      found.push(hiddenAt('password', start, value));
    }
  }
  return found;
};
