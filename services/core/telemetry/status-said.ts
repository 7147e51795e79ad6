/**
 * Attributes by which a point says how its requests ended, whichever way, in the conventions of OpenTelemetry. The first
 * that can be read counts. (`error.type` is none of them: its absence says nothing where nobody sends it.)
 */
export const statusNames = [
  'http.response.status_code',
  'http.status_code',
  'rpc.grpc.status_code',
  'rpc.response.status_code',
] as const;
export type StatusName = (typeof statusNames)[number];

/**
 * The attribute under which the name of that one travels with a point, in place of its value: a sender's own attribute of
 * this name is never read.
 */
export const statusSaid = 'plimsoll.status';

/**
 * The attribute that travels with a point whose status is an error of the client's: 4xx, or of gRPC what is no failure of
 * the server's. A sender's own attribute of this name is never read.
 */
export const clientErrorSaid = 'plimsoll.client-error';

/**
 * The attribute that travels with a point of requests for whose attributes the SDK had no room (its cardinality limit). A
 * sender's own attribute of this name is never read.
 */
export const overflowSaid = 'plimsoll.overflow';

/** The attribute that travels with a point that was refused, where its requests failed: its numbers do not say it. */
export const failureSaid = 'plimsoll.failed';
