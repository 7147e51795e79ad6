import { hash, timingSafeEqual } from 'node:crypto';
import type { TelemetrySource } from '../../core/telemetry/sources.ts';
import type { TelemetrySources } from '../../ports/telemetry-sources.ts';

/** Tells sources by their tokens: digest against digest, all of them, each in the same time. */
export const knownSources = (sources: readonly TelemetrySource[]): TelemetrySources => {
  const known = sources.map((source) => ({
    source,
    digest: Buffer.from(source.tokenDigest, 'hex'),
  }));
  return {
    sourceOf: (token) => {
      const asked = hash('sha256', token, 'buffer');
      return known.reduce<TelemetrySource | undefined>(
        (found, { source, digest }) => (timingSafeEqual(digest, asked) ? source : found),
        undefined,
      );
    },
    count: () => known.length,
  };
};
