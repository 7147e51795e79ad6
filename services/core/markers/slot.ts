import type { Slot } from './marker.ts';

/**
 * The slot as one string: namespace/environment/component/target, each part percent-encoded, an absent target
 * empty. It is the key of a place record and of the slot's row.
 */
export const slotKey = ({ namespace, environment, component, target }: Slot): string => {
  const key = `${namespace}/${environment}/${component}/${target ?? ''}`;
  return plainKey.test(key)
    ? key
    : [namespace, environment, component, target ?? ''].map(encodePart).join('/');
};

export const sameSlot = (a: Slot, b: Slot): boolean =>
  a.component === b.component &&
  a.environment === b.environment &&
  a.namespace === b.namespace &&
  a.target === b.target;

/** Most keys: nothing of them is encoded. A part with a stroke makes it one of five parts. */
const plainKey = /^(?:[A-Za-z0-9_.~-]*\/){3}[A-Za-z0-9_.~-]*$/;
const encodePart = (part: string): string =>
  encodeURIComponent(part).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
