import type { Random } from '../canary-climates/random.ts';
import type { Cart } from './checkout.ts';

/** One in ten customers has a coupon of 15 %. */
const couponShare = 0.1;
const couponPercent = 15;
/** Most prices end in 9, as prices do; 15 % off the round ones are whole cents. */
const pricesCents: readonly number[] = [499, 1_299, 1_999, 2_499, 4_000];
/**
 * One bank in two thousand does not answer: the errors that any release has. With ten times as many, it would take
 * minutes of this traffic to show that a good canary is good.
 */
const silentBankShare = 1 / 2_000;

/** The next customer's cart. With these shares 8 % of the carts have a discount that is no whole number of cents. */
export const nextCart = (random: Random): Cart => {
  const cents = pricesCents[Math.floor(random() * pricesCents.length)] ?? 0;
  const percentOff = random() < couponShare ? couponPercent : 0;
  return { cents, percentOff, bank: random() < silentBankShare ? 'silent' : 'answers' };
};
