import type { NewRecord } from '../../core/log/record.ts';

// What a record says, as whoever made it knows it: the plain fold reads this and no bytes.

export type Place = { readonly environment: string; readonly component: string };

export type Scope = {
  readonly roles: readonly string[];
  readonly environments: readonly string[];
  readonly components: readonly string[];
  readonly kinds: readonly string[];
};

export type Told = {
  /** Code that its bytes alone earn, before any key is looked at; or null. */
  readonly unreadable: string | null;
  /** Name of the key that signed it, which is also the principal. */
  readonly by: string;
  /** Code found once the key is known to be good, and before its role is looked at; or null. */
  readonly spoilt: string | null;
  readonly kind: string;
  /** The role that its kind needs. */
  readonly role: 'emitter' | 'analyser' | 'operator' | 'trust-admin';
  readonly marker: string;
  /** Equal where the signed bytes are equal. */
  readonly content: string;
  readonly deployment: string | null;
  readonly place: Place | null;
  readonly token: string | null;
  readonly version: string | null;
  readonly reason: string | null;
  readonly share: number | null;
  /** What it says beside all this, in one word. */
  readonly details: string;
  readonly waited: { readonly ms: number; readonly by: string; readonly isGood: boolean } | null;
  readonly decision: { readonly analysis: string; readonly evidence: string } | null;
  readonly trust: {
    /** The key it is about. */
    readonly key: string;
    /** The log that it names. */
    readonly log: string;
    readonly scope: Scope | null;
    readonly since: number | null;
  } | null;
};

/** A record and what it says. `what` names it for people. */
export type Fact = { readonly record: NewRecord; readonly told: Told; readonly what: string };
