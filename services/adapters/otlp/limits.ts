/** Limits of one OTLP metrics request, after unpacking. */
export type MetricsLimits = {
  readonly requestBytesMax: number;
  /** Points read in one request; those beyond are only counted, as `too-many-points`. */
  readonly pointsMax: number;
  /** Characters of a name that travels on: environment, component, version, … */
  readonly nameCharsMax: number;
  /** Characters of the attributes of one resource, scope or point, in their canonical form. */
  readonly attributesCharsMax: number;
  readonly unitCharsMax: number;
  /** Attributes of a point that travel on, and their characters together. */
  readonly keptMax: number;
  readonly keptCharsMax: number;
  /** Buckets of one point, empty ones between the first and the last included. */
  readonly bucketsMax: number;
  /** Nesting of an attribute's value (lists and maps in it). */
  readonly attributeDepthMax: number;
  /** Nesting of the JSON text; OTLP itself needs 12, values come on top. */
  readonly jsonDepthMax: number;
  /**
   * Objects, lists and commas in JSON text. What JSON.parse builds of `{},{},…` takes 200 times the
   * room of the text, and seconds; a request that means something has 16 bytes or more for each.
   */
  readonly jsonPartsMax: number;
};

/** 16 MiB is four times what OTLP recommends for a request on the wire; it is counted unpacked. */
export const METRICS_LIMITS: MetricsLimits = {
  requestBytesMax: 16 * 1024 * 1024,
  pointsMax: 20_000,
  nameCharsMax: 256,
  attributesCharsMax: 16 * 1024,
  unitCharsMax: 64,
  keptMax: 64,
  keptCharsMax: 4 * 1024,
  bucketsMax: 320,
  attributeDepthMax: 8,
  jsonDepthMax: 48,
  jsonPartsMax: 1_000_000,
};
