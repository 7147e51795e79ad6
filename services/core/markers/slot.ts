import type { Slot } from './marker.ts';

/**
 * The slot as one string: namespace/environment/component/target, each part percent-encoded, an absent target
 * empty. It is the key of a place record and of the slot's row.
 */
export const slotKey = (slot: Slot): string =>
  [slot.namespace, slot.environment, slot.component, slot.target ?? ''].map(encodePart).join('/');

export const sameSlot = (a: Slot, b: Slot): boolean =>
  a.component === b.component &&
  a.environment === b.environment &&
  a.namespace === b.namespace &&
  a.target === b.target;

/** Most parts: nothing of it is encoded. */
const plainPart = /^[A-Za-z0-9_.~-]*$/;

const encodePart = (part: string): string =>
  plainPart.test(part)
    ? part
    : encodeURIComponent(part).replace(
        /[!'()*]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
      );
