import type { TelemetrySource } from '../core/telemetry/sources.ts';

/** Who may send telemetry, as it stands now. */
export type TelemetrySources = {
  /** The source whose token this is, told without telling anything by the time that it takes. */
  readonly sourceOf: (token: string) => TelemetrySource | undefined;
  readonly count: () => number;
};
