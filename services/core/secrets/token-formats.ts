import { formatsOfForges } from './formats-of-forges.ts';
import { formatsOfServices } from './formats-of-services.ts';
import { isBase64 } from './text-reader.ts';
import type { TokenFormat } from './token-format.ts';
import { format, longMax, run, tokens } from './token-format.ts';

/** The first bytes of `-----BEGIN … PRIVATE KEY-----` in base64. */
const encodedPems = [
  'LS0tLS1CRUdJTiBQUklWQVRF',
  'LS0tLS1CRUdJTiBSU0EgUFJJVkFURS',
  'LS0tLS1CRUdJTiBFQyBQUklWQVRF',
  'LS0tLS1CRUdJTiBPUEVOU1NI',
  'LS0tLS1CRUdJTiBFTkNSWVBURUQ',
];

/**
 * Tokens that their looks alone give away. Formats without a beginning of their own (32 hex digits, say) are not here:
 * digests and commits look the same. What names them is looked at in find-assigned.ts.
 */
export const tokenFormats: readonly TokenFormat[] = [
  format('plimsoll-token', ['plt_'], tokens(43, 64)),
  ...formatsOfForges,
  ...formatsOfServices,
  format('jwt', ['eyJ'], tokens(8), '.eyJ', tokens(4)),
  format('jwt', ['eyJ'], tokens(8), '.', tokens(8), '.', tokens(8)),
  // `{"auths":`, without blanks and as Docker writes it.
  format('docker-config', ['eyJhdXRocyI6', 'ewoJImF1dGhzI'], run(isBase64, 24, longMax)),
  format('private-key', encodedPems, run(isBase64, 10, longMax)),
];
