import { traceParentOf } from '../../markers/wire.ts';
import type { TextDigest } from '../../uuid-v8.ts';

/** W3C trace context: the span that something belongs to. */
export type TraceContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
};

/** https://www.w3.org/TR/trace-context/#traceparent-header; null: it is none, or one that names nothing. */
export const readTraceParent = (said: string | undefined): TraceContext | null => {
  const [version = '', traceId = '', spanId = '', flags = ''] =
    traceParentOf(said)?.split('-') ?? [];
  const isNone = version === '' || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId);
  const sampled = 1;
  return isNone ? null : { traceId, spanId, isSampled: Number.parseInt(flags, 16) % 2 === sampled };
};

export const writeTraceParent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

/** The span of an attempt at a deployment. */
export type DeploymentSpan = TraceContext & { readonly parentSpanId: string | null };

/**
 * The span of an attempt at a deployment: the same from every process that tells of it, so nothing has to be handed from
 * job to job, and what is sent again is the same span. All attempts are in one trace. Whoever is in a trace already is its
 * parent, and decides whether it is sampled. `attempt` is the CI's token for it, or null.
 */
export const deploymentSpan = (
  digest: TextDigest,
  deployment: string,
  attempt: string | null,
  parent: TraceContext | null,
): DeploymentSpan => {
  const spanId = idOf(digest, ['plimsoll span', deployment, attempt ?? '']).slice(0, 16);
  if (parent === null)
    return { traceId: traceIdOf(digest, deployment), spanId, parentSpanId: null, isSampled: true };
  const { traceId, isSampled } = parent;
  // `plimsoll env --trace` has said our own span to the commands behind it.
  const isOwn = parent.spanId === spanId;
  return { traceId, spanId, parentSpanId: isOwn ? null : parent.spanId, isSampled };
};

const traceIdOf = (digest: TextDigest, deployment: string): string =>
  idOf(digest, ['plimsoll trace', deployment]).slice(0, 32);

/** Each text is led by its length, so no two lists run into one another. */
const idOf = (digest: TextDigest, parts: readonly string[]): string =>
  digest(parts.map((part) => `${part.length}:${part}`).join(''));
