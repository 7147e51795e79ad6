import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { bearerToken, isTokenLong, maySend } from '../core/telemetry/sources.ts';
import type { TelemetrySource } from '../core/telemetry/sources.ts';
import type { HttpRequest } from '../ports/http.ts';
import type { KeptServices, OtlpContentType, Signal } from '../ports/otlp.ts';
import type { TelemetrySources } from '../ports/telemetry-sources.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

/** Who sent a request; null: nobody is asked who he is. */
export type Sender = TelemetrySource | null;

/** Points that sources sent and may not send, by the name of the source. */
export type LeftOutPoints = { readonly [source: string]: number };

/** The sender of a request by its token. Of the body nothing is looked at. */
export const senderOf = (
  sources: TelemetrySources | undefined,
  { header }: Pick<HttpRequest, 'header'>,
): Result<Sender, Problem> => {
  if (sources === undefined) return ok(null);
  const token = bearerToken(header('authorization'));
  if (token === undefined)
    return refuse('token-missing', 'telemetry needs the header Authorization: Bearer TOKEN here');
  const source = isTokenLong(token) ? sources.sourceOf(token) : undefined;
  return source === undefined
    ? refuse('token-unknown', 'no source of telemetry has this token')
    : ok(source);
};

export type SourceDoor = {
  /** What of a body its sender may send. */
  readonly keep: (
    sender: Sender,
    signal: Signal,
    bytes: Uint8Array,
    contentType: OtlpContentType,
  ) => Result<KeptServices, Problem>;
  readonly leftOut: () => LeftOutPoints;
};

export const openSourceDoor = ({ otlp }: Pick<GatewayPorts, 'otlp'>): SourceDoor => {
  const leftOut = new Map<string, number>();
  return {
    keep: (sender, signal, bytes, contentType) => {
      if (sender === null || sender.services === null) return ok({ bytes, left: 0 });
      const kept = otlp.keepServices(signal, bytes, contentType, (service) =>
        maySend(sender, service),
      );
      if (!kept.ok) return refuse(kept.problem.code, kept.problem.message);
      const { left } = kept.value;
      if (left === 0) return kept;
      // Only an answer to metrics can say that some were not taken.
      if (signal !== 'metrics')
        return refuse('source-not-allowed', `this source may not send ${left} of these ${signal}`);
      leftOut.set(sender.name, (leftOut.get(sender.name) ?? 0) + left);
      return kept;
    },
    leftOut: () => Object.fromEntries(leftOut),
  };
};
