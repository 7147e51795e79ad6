/**
 * A repository's address without credentials; `git@host:owner/name` stays as people know it. Where a password was
 * written with a slash in it, all up to the last @ is taken for one: less is shown rather than a secret.
 */
export const withoutCredentials = (address: string): string => {
  const bare = address.replace(/[?#].*$/s, '');
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([\s\S]*)$/i.exec(bare) ?? [];
  if (scheme === '') return rest.replace(/^[^/\\@:]*:[^/\\]*@/, '');
  const [authority = ''] = rest.split('/', 1);
  if (authority.includes('@')) return scheme + rest.slice(authority.lastIndexOf('@') + 1);
  const isHost = /^[^:]*(?::[0-9]*)?$/.test(authority) || authority.startsWith('[');
  return scheme + (isHost ? rest : rest.slice(rest.lastIndexOf('@') + 1));
};

/** The name of the repository at an address, for instance `checkout` of `git@host:shop/checkout.git`. */
export const repositoryName = (address: string): string | null => {
  const name = withoutCredentials(address)
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split(/[/:\\]/)
    .at(-1);
  return name === undefined || name === '' ? null : name;
};
