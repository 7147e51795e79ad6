/** Variables of OpenTelemetry that name an exporter. */
const exporterVariables = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_LOGS_EXPORTER',
] as const;

/** Whether an exporter may be configured; what is needed for one is loaded only then. */
export const mayExport = (env: { readonly [name: string]: string | undefined }): boolean =>
  exporterVariables.some((name) => (env[name] ?? '') !== '');
