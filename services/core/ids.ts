import type { Crypto, Text } from './markers/crypto.ts';
import type { DeploymentId } from './markers/marker.ts';

// Ids that follow from what they name, so that whoever knows the parts finds the id again.

type Tools = {
  readonly crypto: Pick<Crypto, 'sha256Hex'>;
  readonly text: Pick<Text, 'encodeUtf8'>;
};

/**
 * UUIDv8 (RFC 9562) of the first 16 bytes of SHA-256 over the parts, each behind its length in bytes (4 bytes, most
 * significant first), so that no two lists of parts give the same bytes.
 */
export const uuidV8Of = ({ crypto, text }: Tools, parts: readonly string[]): string => {
  const bytes = parts.flatMap((part) => {
    const content = text.encodeUtf8(part);
    return [...lengthBytes(content.length), ...content];
  });
  const hex = crypto.sha256Hex(new Uint8Array(bytes));
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
};

const lengthBytes = (length: number): readonly number[] => [
  (length >>> 24) & 0xff,
  (length >>> 16) & 0xff,
  (length >>> 8) & 0xff,
  length & 0xff,
];

/** A run of a CI system, without its attempt: a rerun is the next attempt of the same deployment. */
export type CiRun = {
  readonly provider: string;
  readonly server: string;
  readonly repository: string;
  readonly run: string;
};

/** The deployment that a CI run calls `deployName`: the same in every job of the run, and when it is run again. */
export const deploymentIdOf = (tools: Tools, run: CiRun, deployName: string): DeploymentId =>
  uuidV8Of(tools, [run.provider, run.server, run.repository, run.run, deployName]) as DeploymentId;
