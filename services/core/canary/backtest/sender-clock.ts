import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';

/** Whose clock gave a point its time. Senders that do not name an instance have one between them. */
export const clockOf = ({ environment, component, version, instance }: TelemetryPoint): string =>
  `${instance ?? ''}\n${version ?? ''}\n${component}\n${environment}`;
