import type { FoundSecret } from './found-secret.ts';
import { hiddenAt, isPlaceholder } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';

const userInfoMax = 512;

/** `https://user:password@host`, `https://token@host`: what stands between the scheme and the host's @. */
export const findInAddresses = ({ text }: TextReader): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    const authority =
      /^[^/\s?#"'`<>]{0,512}/.exec(text.slice(start, start + userInfoMax))?.[0] ?? '';
    const user = authority.lastIndexOf('@');
    if (user < 0) continue;
    const colon = authority.slice(0, user).indexOf(':');
    const secret = authority.slice(colon + 1, user);
    const isSecret =
      colon < 0
        ? /^(?=.*[0-9])(?=.*[a-z])[\w.~-]{20,}$/i.test(secret)
        : secret !== '' && !isPlaceholder(secret);
    if (!isSecret) continue;
    // A Sentry DSN holds a public key: clients' pages carry it.
    if (colon < 0 && /\.sentry\.io$/i.test(authority.slice(user + 1))) continue;
    found.push(hiddenAt('address-password', start + colon + 1, secret));
  }
  return [...found, ...dataSources.flatMap((source) => passwordsOf(source, text))];
};

/** Addresses without a scheme's slashes, each with what stands in all of them. */
const dataSources = [
  // Go's driver for MySQL.
  { mark: '@tcp(', form: /[\w.-]{1,64}:([^\s@/]{1,256})@tcp\(/g },
  { mark: '@unix(', form: /[\w.-]{1,64}:([^\s@/]{1,256})@unix\(/g },
  // Oracle's for Java.
  { mark: 'jdbc:oracle:', form: /\bjdbc:oracle:(?:thin|oci):[^\s/:@]{1,64}\/([^\s@]{1,256})@/g },
];

const passwordsOf = (
  { mark, form }: (typeof dataSources)[number],
  text: string,
): readonly FoundSecret[] =>
  text.includes(mark)
    ? [...text.matchAll(form)].flatMap((match) => {
        const value = match[1] ?? '';
        const start = match.index + match[0].lastIndexOf(value);
        return isPlaceholder(value) ? [] : [hiddenAt('address-password', start, value)];
      })
    : [];
