import type { NewRecord } from '../core/log/record.ts';
import type { Receipt } from '../core/markers/http-wire.ts';

/** What came of one try to deliver a signed marker. */
export type Delivery =
  | { readonly outcome: 'taken'; readonly receipt: Receipt; readonly warning: string | null }
  | DeliveryRefused
  | DeliveryAway;

/** A rule said no, for sure: nothing was stored, and the same bytes would be refused again. */
export type DeliveryRefused = {
  readonly outcome: 'refused';
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Whose fault it is, for codes that a newer release says and nobody knows here. */
  readonly fault: 'input' | 'rule' | 'unknown' | 'key';
};

/** Nobody took it, as far as is known: an outage, or an answer that did not come. The same bytes may be sent again. */
export type DeliveryAway = {
  readonly outcome: 'away';
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** It was sent, and may have been stored all the same. */
  readonly mayBeStored: boolean;
};

/** Tries once. What has not answered within the time is given up by whoever asked. */
export type Deliver = (record: NewRecord, withinMs: number) => Promise<Delivery>;
