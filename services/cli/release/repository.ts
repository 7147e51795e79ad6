/** A repository's address without credentials; `git@host:owner/name` stays as people know it. */
export const withoutCredentials = (address: string): string =>
  address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/, '');

/** The name of the repository at an address, for instance `checkout` of `git@host:shop/checkout.git`. */
export const repositoryName = (address: string): string | null => {
  const name = withoutCredentials(address)
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split(/[/:\\]/)
    .at(-1);
  return name === undefined || name === '' ? null : name;
};
