// The shop's own code: what a cart costs, and what its card says. Nothing here knows about telemetry or canaries.

/** A cart as a customer sends it. Money is in whole cents. */
export type Cart = {
  readonly cents: number;
  /** The coupon's discount; 0 without a coupon. */
  readonly percentOff: number;
  readonly bank: 'answers' | 'silent';
};

/** Builds of the shop that can be deployed. */
export type Build = '1.0.0' | '2.0.0' | '2.0.0-fixed';

export const builds: readonly Build[] = ['1.0.0', '2.0.0', '2.0.0-fixed'];

/** The customer's bank does not answer. It happens to any release. */
export class BankUnavailable extends Error {
  override readonly name = 'BankUnavailable';
}

/** What the customer pays, in cents. Throws where the cart cannot be paid. */
export const checkOut = (build: Build, cart: Cart): bigint => {
  const cents = totals[build](cart);
  if (cart.bank === 'silent') throw new BankUnavailable('the bank did not answer');
  return cents;
};

/** 1.0.0 rounds to the cent. */
const roundedTotal = ({ cents, percentOff }: Cart): bigint =>
  BigInt(Math.round((cents * (100 - percentOff)) / 100));

/**
 * 2.0.0 wants no rounding in money. Its author tried it without a coupon, and with a coupon on a cart of 40.00; but
 * 15 % off 12.99 are no whole cents, and of such a number BigInt makes a RangeError.
 */
const exactTotal = ({ cents, percentOff }: Cart): bigint =>
  BigInt((cents * (100 - percentOff)) / 100);

const totals: { readonly [Name in Build]: (cart: Cart) => bigint } = {
  '1.0.0': roundedTotal,
  '2.0.0': exactTotal,
  '2.0.0-fixed': roundedTotal,
};

/** A cart out of a request's body, or undefined where it is none. */
export const parseCart = (body: string): Cart | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { cents, percentOff, bank } = value as { readonly [Field in keyof Cart]?: unknown };
  if (!isWhole(cents, centsMax) || !isWhole(percentOff, 100)) return undefined;
  return bank === 'answers' || bank === 'silent' ? { cents, percentOff, bank } : undefined;
};

const centsMax = 100_000_000;

const isWhole = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
