/**
 * Signatures that were found good lately, for one audience. Who sends the same bytes again, as producers do that heard no
 * answer, need not have them checked again, which is by far the dearest part of a record.
 */
export type Repeats = {
  /**
   * Whether this signature was found good. It binds schema and value; `signed` names key and signature. `digestOf` makes
   * the SHA-256 of the value, and is only asked where all else fits.
   */
  readonly isGood: (schemaDigest: string, signed: string, digestOf: () => string) => boolean;
  readonly keep: (schemaDigest: string, signed: string, digest: string) => void;
};

/** Digests by what was signed, by schema. Texts alone: what is held this long, the garbage collector carries on. */
type Kept = Map<string, Map<string, string>>;

/** Remembers up to twice `recordsMax`. */
export const createRepeats = ({ recordsMax }: { readonly recordsMax: number }): Repeats => {
  let young: Kept = new Map();
  let old: Kept = new Map();
  let records = 0;
  return {
    isGood: (schemaDigest, signed, digestOf) => {
      const digest = young.get(schemaDigest)?.get(signed) ?? old.get(schemaDigest)?.get(signed);
      return digest !== undefined && digest === digestOf();
    },
    keep: (schemaDigest, signed, digest) => {
      if (records >= recordsMax) {
        old = young;
        young = new Map();
        records = 0;
      }
      const ofSchema = young.get(schemaDigest);
      if (ofSchema === undefined) young.set(schemaDigest, new Map([[signed, digest]]));
      else ofSchema.set(signed, digest);
      records += 1;
    },
  };
};
