import { hostname } from 'node:os';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { NewRecord } from '../../core/log/record.ts';
import type { KeyAdded, LogOpened, MarkerId, Role, TrustedKey } from '../../core/markers/marker.ts';
import { signMarker } from '../../core/markers/wire.ts';
import { uuidOfParts } from '../../core/uuid-v8.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Signer } from '../../ports/signer.ts';

/** Keys that the administrator trusts at once, each with its role. */
export type FirstKeys = readonly { readonly signer: Signer; readonly roles: readonly Role[] }[];

/** The record with which a log begins: its id and first administrator. */
export const openingRecord = (
  tools: CheckTools,
  options: {
    readonly audience: string;
    readonly logId: string;
    readonly nowMs: number;
    readonly ids: Ids;
    readonly admin: Signer;
  },
): Promise<NewRecord> => {
  const marker: LogOpened = {
    ...blank,
    marker: options.ids.uuidV7() as MarkerId,
    kind: 'log-opened',
    audience: options.audience,
    source: `plimsoll/${hostname()}`,
    occurredAt: options.nowMs,
    log: options.logId,
    key: everywhere(options.admin, ['trust-admin', 'operator']),
  };
  return signMarker(tools.codec, tools.text, { ...marker, ...noKey }, options.admin);
};

/**
 * The records that make the first keys trusted. Every byte follows from the opening and the keys: of several who
 * complete the same opening the first counts, and the others have said the same again.
 */
export const firstKeyRecords = (
  tools: CheckTools,
  opened: LogOpened,
  admin: Signer,
  trusted: FirstKeys,
): Promise<readonly NewRecord[]> => {
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  return Promise.all(
    trusted.map(({ signer, roles }) => {
      const id = uuidOfParts(digest, ['first-key', opened.log, signer.keyId]);
      const marker: KeyAdded = {
        ...blank,
        marker: id as MarkerId,
        kind: 'key-added',
        audience: opened.audience,
        source: opened.source,
        occurredAt: opened.occurredAt,
        log: opened.log,
        key: everywhere(signer, roles),
      };
      return signMarker(tools.codec, tools.text, { ...marker, ...noKey }, admin);
    }),
  );
};

/** What a record of trust does not say. */
const blank = {
  deployment: null,
  producer: null,
  sequence: null,
  attempt: null,
  reason: null,
} as const;
const noKey = { keyId: null, since: null } as const;

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
