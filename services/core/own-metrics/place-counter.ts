import { openCappedNames, otherName } from './capped-names.ts';

export type Place = { readonly environment: string; readonly component: string };

export type PlaceCount = Place & {
  readonly total: number;
  /** The deployment that was counted last here. */
  readonly last: { readonly deployment: string; readonly atMs: number };
};

const environmentsMax = 200;
const componentsMax = 200;
/** Of the possible pairs few exist; whoever makes them up shall not fill our memory. */
const placesMax = 1_000;

/** Counts by environment and component. However many there are, it stays small: the rest is counted as `other`. */
export const openPlaceCounter = (): {
  readonly count: (place: Place, deployment: string, atMs: number) => void;
  readonly read: () => readonly PlaceCount[];
} => {
  const environmentOf = openCappedNames(environmentsMax);
  const componentOf = openCappedNames(componentsMax);
  const counts = new Map<string, PlaceCount>();
  const keyOf = ({ environment, component }: Place): string =>
    JSON.stringify([environment, component]);
  const rest: Place = { environment: otherName, component: otherName };

  return {
    count: (place, deployment, atMs) => {
      const capped = {
        environment: environmentOf(place.environment),
        component: componentOf(place.component),
      };
      const isKnown = counts.has(keyOf(capped));
      const counted = isKnown || counts.size < placesMax ? capped : rest;
      const key = keyOf(counted);
      const total = (counts.get(key)?.total ?? 0) + 1;
      counts.set(key, { ...counted, total, last: { deployment, atMs } });
    },
    read: () => [...counts.values()],
  };
};
