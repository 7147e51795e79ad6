/**
 * Whether an address or name means this machine alone. Names under `.localhost` never leave it (RFC 6761).
 */
export const isLoopback = (name: string): boolean =>
  /^127(?:\.\d{1,3}){3}$|^\[?::1\]?$|^(?:[a-z0-9-]+\.)*localhost$/i.test(name);

/** The name in a Host header, without its port. */
export const hostName = (header: string): string => header.replace(/:\d*$/, '');
