import { hostname } from 'node:os';
import type { NewRecord } from '../../core/log/record.ts';
import type { KeyAdded, LogOpened, MarkerId, Role, TrustedKey } from '../../core/markers/marker.ts';
import { signMarker } from '../../core/markers/wire.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Signer } from '../../ports/signer.ts';

export type OpeningKeys = {
  readonly admin: Signer;
  /** Keys that the administrator trusts at once, each with its role. */
  readonly trusted: readonly { readonly signer: Signer; readonly roles: readonly Role[] }[];
};

/** The records with which a log begins: its id and first administrator, then the keys that it trusts. */
export const openingRecords = async (
  tools: CheckTools,
  options: {
    readonly audience: string;
    readonly logId: string;
    readonly nowMs: number;
    readonly ids: Ids;
    readonly keys: OpeningKeys;
  },
): Promise<readonly NewRecord[]> => {
  const { admin, trusted } = options.keys;
  const opened = trustRecord(options, 'log-opened', everywhere(admin, ['trust-admin', 'operator']));
  const added = trusted.map(({ signer, roles }) =>
    trustRecord(options, 'key-added', everywhere(signer, roles)),
  );
  return Promise.all(
    [opened, ...added].map((marker) => signMarker(tools.codec, tools.text, marker, admin)),
  );
};

const trustRecord = (
  options: {
    readonly audience: string;
    readonly logId: string;
    readonly nowMs: number;
    readonly ids: Ids;
  },
  kind: 'log-opened' | 'key-added',
  key: TrustedKey,
): (LogOpened | KeyAdded) & {
  readonly deployment: null;
  readonly keyId: null;
  readonly since: null;
} => ({
  marker: options.ids.uuidV7() as MarkerId,
  deployment: null,
  kind,
  audience: options.audience,
  source: `plimsoll/${hostname()}`,
  occurredAt: options.nowMs,
  producer: null,
  sequence: null,
  attempt: null,
  log: options.logId,
  key,
  keyId: null,
  since: null,
  reason: null,
});

const everywhere = (signer: Signer, roles: readonly Role[]): TrustedKey => ({
  id: signer.keyId,
  principal: signer.principal,
  algorithm: signer.algorithm,
  publicKey: signer.publicKey,
  roles,
  environments: ['*'],
  components: ['*'],
  kinds: ['*'],
});
