/** Limits of a record, all checked before anything is parsed or believed. */
export const valueBytesMax: number = 64 * 1024;
/** A slot of four names of 128 characters, each three bytes of UTF-8, percent-encoded, is 4,611 bytes. */
export const keyBytesMax: number = 8 * 1024;
export const headersMax = 16;
/** Name and value of one header together. */
export const headerBytesMax = 1024;

/** Of a document of policies, UTF-8: it stands in one record with all else. */
export const policyDocumentBytesMax: number = 48 * 1024;

/** Longest text of a field, in UTF-16 code units, by field name; all others `textMax`. */
export const textMax = 256;
export const textMaxByField: { readonly [field: string]: number } = {
  reason: 2000,
  note: 2000,
  explanation: 4000,
  title: 500,
  url: 2048,
  runbook: 2048,
  value: 2048,
  repository: 1024,
  document: policyDocumentBytesMax,
};
/** Environment, component, namespace, target, version and principal names. */
export const nameMax = 128;

/** 9999-12-31T23:59:59.999Z: the last time that ISO 8601 writes with four digits of year. */
export const timeMsMax = 253_402_300_799_999;

export const labelsMax = 20;
/** Metrics of one decision. */
export const metricsMax = 40;
export const listMax = 200;
/** Dead letters that one operation redrives, deployments that one forgets: the fold looks at each. */
export const redrivenMax = 100;
export const forgottenMax = 200;
export const countsMax = 50;
/** A hundred years. */
export const retentionDaysMax = 36_500;

/** A decision may be obeyed for at most this long after its append. */
export const validForMsMax: number = 5 * 60_000;
/** A marker that waited longer than this in a spool is refused: 400 days. */
export const waitedMsMax: number = 400 * 86_400_000;
