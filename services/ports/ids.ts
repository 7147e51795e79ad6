export type Ids = {
  /** A new UUIDv7 (RFC 9562), lower case. */
  readonly uuidV7: () => string;
};
