/**
 * Signatures that were found good lately. Who sends the same bytes again, as producers do that heard no answer, need not
 * have them checked again, which is by far the dearest part of a record.
 */
export type Repeats = {
  /**
   * Whether this signature was found good. `type` is what it binds beside the value, `signed` names key and signature,
   * `digestOf` makes the SHA-256 of the value, and is only asked where all else fits.
   */
  readonly isGood: (type: string, signed: string, digestOf: () => string) => boolean;
  readonly keep: (type: string, signed: string, digest: string) => void;
};

/** Digests by what was signed, by type. Texts alone: what is held this long, the garbage collector carries on. */
type Kept = Map<string, Map<string, string>>;

/** Remembers up to twice `recordsMax`. */
export const createRepeats = ({ recordsMax }: { readonly recordsMax: number }): Repeats => {
  let young: Kept = new Map();
  let old: Kept = new Map();
  let records = 0;
  return {
    isGood: (type, signed, digestOf) => {
      const digest = young.get(type)?.get(signed) ?? old.get(type)?.get(signed);
      return digest !== undefined && digest === digestOf();
    },
    keep: (type, signed, digest) => {
      if (records >= recordsMax) {
        old = young;
        young = new Map();
        records = 0;
      }
      const ofType = young.get(type);
      if (ofType === undefined) young.set(type, new Map([[signed, digest]]));
      else ofType.set(signed, digest);
      records += 1;
    },
  };
};
