/** When a UUIDv7 (RFC 9562, 5.7) was made, milliseconds since 1970; null: it is of another version, and does not say. */
export const timeOfUuidV7 = (uuid: string): number | null =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(uuid)
    ? Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)
    : null;
