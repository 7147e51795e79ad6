import type { ExportedSpan } from '../../core/telemetry/export/exported.ts';
import type { TraceContext } from '../../core/telemetry/export/trace-context.ts';

// Numbers of opentelemetry-proto 1.x that both encodings write alike.

/** SPAN_KIND_INTERNAL. */
export const internalKind = 1;
/** STATUS_CODE_ERROR. */
export const errorStatus = 2;

const sampledFlag = 0x1;
/** SpanFlags: whether it is known that the parent is of another process, and whether it is. */
const [hasIsRemote, isRemote] = [0x100, 0x200];

/** Whoever is a parent here said so by TRACEPARENT, from another process. */
export const spanFlags = ({ parentSpanId }: Pick<ExportedSpan, 'parentSpanId'>): number =>
  sampledFlag | hasIsRemote | (parentSpanId === null ? 0 : isRemote);

export const logFlags = ({ isSampled }: TraceContext): number => (isSampled ? sampledFlag : 0);

const nanosecondsPerMs = 1_000_000n;

/** Whole milliseconds since 1970 in nanoseconds. */
export const nanoseconds = (ms: number): bigint => BigInt(ms) * nanosecondsPerMs;
