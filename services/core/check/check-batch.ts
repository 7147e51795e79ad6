import type { LogRecord } from '../log/record.ts';
import type { EnvelopePrefix } from '../markers/codec.ts';
import { isOperation, isTrustChange } from '../markers/kinds.ts';
import type { Operation, TrustChange } from '../markers/marker.ts';
import type { Trust, TrustProblem } from '../trust/trust.ts';
import { coversEverywhere, evolveTrust, trustIdentity } from '../trust/trust.ts';
import type { Authentic, CheckProblem, CheckTools } from './check-record.ts';
import { checkRecord } from './check-record.ts';

export type Checked = {
  readonly record: LogRecord;
  /** The keys as of this record, itself included. */
  readonly trust: Trust;
} & (
  | { readonly outcome: 'authentic'; readonly authentic: Authentic }
  | { readonly outcome: 'trust-changed' | 'trust-repeated'; readonly authentic: Authentic }
  | {
      readonly outcome: 'rejected';
      readonly code:
        | CheckProblem['code']
        | TrustProblem['code']
        | 'conflict'
        | 'log-sealed'
        | 'seal-misplaced';
      readonly message: string;
      /** Of a well signed record that this release cannot read: what it is about, as far as can be told. */
      readonly unread: EnvelopePrefix | undefined;
    }
);

/**
 * Checks records one after the other; a trust record counts from the next one on. Pure, and independent of how
 * the records are cut into batches.
 */
export const checkBatch = (
  tools: CheckTools,
  audience: string,
  before: Trust,
  records: readonly LogRecord[],
): { readonly checked: readonly Checked[]; readonly trust: Trust } => {
  let trust = before;
  const checked = records.map((record) => {
    const answer = checkOne(tools, audience, trust, record);
    trust = answer.trust;
    return answer;
  });
  return { checked, trust };
};

const checkOne = (
  tools: CheckTools,
  audience: string,
  trust: Trust,
  record: LogRecord,
): Checked => {
  if (trust.sealed !== null)
    return rejected(trust, record, 'log-sealed', `the log was sealed at ${trust.sealed.at}`);
  const answer = checkRecord(tools, audience, trust, record);
  if (!answer.ok) {
    const unread = isUnread(answer.problem) ? tools.codec.prefix(record.value) : undefined;
    return { record, trust, outcome: 'rejected', ...answer.problem, unread };
  }
  const authentic = answer.value;
  const { marker } = authentic;
  if (isTrustChange(marker)) return changeTrust(trust, record, authentic, marker);
  if (isOperation(marker) && isPlaced(marker)) return checkPlaced(trust, record, authentic, marker);
  return { record, trust, outcome: 'authentic', authentic };
};

/** These tell where they lie, so that nobody can carry them to another place or to a copy of the log. */
const isPlaced = ({ kind }: Operation): boolean =>
  kind === 'log-sealed' || kind === 'log-continued';

const checkPlaced = (
  trust: Trust,
  record: LogRecord,
  authentic: Authentic,
  { kind, to, note }: Operation,
): Checked => {
  const { position } = record;
  if (to !== position)
    return rejected(
      trust,
      record,
      'seal-misplaced',
      `a ${kind} record for position ${to} lies at ${position}: it counts nowhere else`,
    );
  // Of a key for some places only the fold refuses it, and what it refuses must end nothing.
  const isEnd = kind === 'log-sealed' && coversEverywhere(authentic.signer);
  const after = isEnd ? { ...trust, sealed: { at: position, note } } : trust;
  return { record, trust: after, outcome: 'authentic', authentic };
};

type Rejected = Extract<Checked, { readonly outcome: 'rejected' }>;

const rejected = (
  trust: Trust,
  record: LogRecord,
  code: Rejected['code'],
  message: string,
): Rejected => ({ record, trust, outcome: 'rejected', code, message, unread: undefined });

/** These are found only after the signature was found good. */
const isUnread = ({ code }: CheckProblem): boolean =>
  code === 'schema-unknown' || code === 'kind-unknown';

const changeTrust = (
  trust: Trust,
  record: LogRecord,
  authentic: Authentic,
  change: TrustChange,
): Checked => {
  const identity = trustIdentity(change, authentic.signer.principal);
  const seen = trust.markers.get(identity);
  if (seen === authentic.digest) return { record, trust, outcome: 'trust-repeated', authentic };
  if (seen !== undefined)
    return rejected(
      trust,
      record,
      'conflict',
      'this principal has used the marker id for another trust record',
    );
  const evolved = evolveTrust(trust, change, record.position);
  if (!evolved.ok) return rejected(trust, record, evolved.problem.code, evolved.problem.message);
  const markers = new Map([...trust.markers, [identity, authentic.digest]]);
  return { record, trust: { ...evolved.value, markers }, outcome: 'trust-changed', authentic };
};
