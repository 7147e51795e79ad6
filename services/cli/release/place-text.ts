import type { Slot } from '../../core/markers/marker.ts';

/** `production`, `team/production (eu)`: as far as it is not what nearly everybody has. */
export const whereText = ({ namespace, environment, target }: Slot): string =>
  `${namespace === 'default' ? '' : `${namespace}/`}${environment}${target === null ? '' : ` (${target})`}`;

/** `checkout 2.0.0 in production`, `cart in team/production (eu)`. */
export const slotText = (slot: Slot, version: string | null = null): string =>
  `${slot.component}${version === null ? '' : ` ${version}`} in ${whereText(slot)}`;
