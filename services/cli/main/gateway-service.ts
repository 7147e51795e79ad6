import type { SourcesFile } from '../../adapters/sources/sources-file.ts';
import type { AnalyserStatus } from '../../analyser/start.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { isLoopback } from '../../gateway/host.ts';
import { gatewayMetrics } from '../../gateway/measurements.ts';
import type { OnBehalf } from '../../gateway/ports.ts';
import type { Running } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import type { ServiceComposition } from './composition.ts';
import { failed, openProjection } from './composition.ts';
import { problemsOfProjector } from './problems.ts';
import { tokensPathOf } from './tokens-path.ts';

export const startGateway = async (
  composition: ServiceComposition,
): Promise<Result<Running, CliProblem>> => {
  const { foundation, alongside, note, metrics: ownMetrics } = composition;
  const projection = await openProjection(composition);
  if (!projection.ok) return projection;
  const streams = await Promise.all([
    foundation.stream('otlp_metrics'),
    foundation.stream('otlp_spans'),
    foundation.stream('otlp_logs'),
  ]);
  const [metrics, traces, logs] = streams;
  if (!metrics.ok) return failed(metrics.problem);
  if (!traces.ok) return failed(traces.problem);
  if (!logs.ok) return failed(logs.problem);
  // Nobody reads traces and logs from the embedded log: there they are answered and let go.
  const isKept = foundation.settings.log.foundation === 'kafka';
  const sources = await openSources(composition);
  if (!sources.ok) return sources;
  const onBehalf = await openOnBehalf(composition);
  if (!onBehalf.ok) return onBehalf;
  const [service, http, schemas, canonical, otlp, split, keep, gunzip, response, status] =
    await Promise.all([
      import('../../gateway/start.ts'),
      import('../../adapters/http/server.ts'),
      import('../../adapters/avro/schema-files.ts'),
      import('../../adapters/avro/canonical-form.ts'),
      import('../../adapters/otlp/metrics-request.ts'),
      import('../../adapters/otlp/split-request.ts'),
      import('../../adapters/otlp/keep-services.ts'),
      import('../../adapters/otlp/gunzip.ts'),
      import('../../adapters/otlp/metrics-response.ts'),
      import('../../adapters/otlp/status-response.ts'),
    ]);
  const { host, port, otlpPort } = foundation.settings;
  const gateway = await service.startGateway({
    ...projection.value,
    clock: foundation.clock,
    schemas: schemas
      .loadSchemas()
      .map((schema) => ({ ...schema, digest: canonical.schemaDigest(schema.text) })),
    instances: () => foundation.stream('instances'),
    problems: problemsOfProjector(composition),
    telemetry: {
      metrics: metrics.value,
      traces: isKept ? traces.value : null,
      logs: isKept ? logs.value : null,
    },
    ...(sources.value === null ? {} : { sources: sources.value }),
    ...(onBehalf.value === null ? {} : { onBehalf: onBehalf.value }),
    otlp: {
      readMetrics: otlp.openMetricsReader(),
      split: split.splitOtlp,
      keepServices: keep.keepServices,
      gunzip: gunzip.gunzipCapped,
      writeMetricsResponse: response.encodeMetricsResponse,
      writeStatus: status.encodeStatus,
    },
    alongside: () => ({
      ...(alongside.projector === undefined ? {} : { projector: alongside.projector() }),
      ...(alongside.analyser === undefined ? {} : { analyser: openOnly(alongside.analyser()) }),
    }),
    writeMetrics: ownMetrics.write,
    serve: http.serveHttp,
    host,
    port,
    otlpPort,
    onError: (error) =>
      note({ code: 'internal', message: `gateway: ${String(error)}`, hint: 'please report it' }),
  });
  if (!gateway.ok) {
    sources.value?.close();
    return failed(gateway.problem);
  }
  await ownMetrics.add(gatewayMetrics(gateway.value.status));
  tellWhoIsBelieved(composition, sources.value);
  const at = (atPort: number): string => `http://${host}:${atPort}`;
  return ok({
    name: 'gateway',
    lines: [
      `gateway: ${at(gateway.value.port)}`,
      `gateway: OTLP/HTTP at ${gateway.value.otlpPorts.map(at).join(' and ')}${ofSources(sources.value)}`,
    ],
    // It has no end of its own.
    ended: new Promise(() => undefined),
    stop: async () => {
      sources.value?.close();
      await gateway.value.stop();
    },
  });
};

/** Those who may send telemetry; null: nobody is asked who he is. */
const openSources = async ({
  foundation: { settings, tools },
  note,
}: ServiceComposition): Promise<Result<SourcesFile | null, CliProblem>> => {
  const path = settings.otlpSourcesFile;
  if (path === null) return ok(null);
  const { openSourcesFile } = await import('../../adapters/sources/sources-file.ts');
  const opened = await openSourcesFile(path, {
    crypto: tools.crypto,
    tell: (event) => {
      switch (event.event) {
        case 'changed':
          note({
            code: 'sources-changed',
            message: `gateway: ${path} was changed: telemetry of ${countOf(event.count, 'source')} is taken now`,
            hint: '',
          });
          return;
        case 'not-taken':
          note({
            code: event.problem.code,
            message: `gateway: ${event.problem.message}; the sources that it named before still count`,
            hint: event.problem.hint,
          });
      }
    },
  });
  return opened.ok ? opened : failed(opened.problem);
};

/** Signing for callers with a token; null: there is no key to sign with, so no JSON is taken. */
const openOnBehalf = async ({
  foundation: { settings, ids },
  keys,
  note,
}: ServiceComposition): Promise<Result<OnBehalf | null, CliProblem>> => {
  const keyFile = settings.gatewayKeyFile ?? keys.pathOf('gateway');
  const signer = await keys.read(keyFile);
  if (!signer.ok) {
    // Who names neither a key nor tokens wants none of it.
    const isWanted = settings.gatewayKeyFile !== null || settings.tokensFile !== null;
    return isWanted ? failed(signer.problem) : ok(null);
  }
  const [tokens, { openBodyFiller }, { loadSchemas }] = await Promise.all([
    import('../../adapters/tokens/tokens-file.ts'),
    import('../../adapters/avro/fill-body.ts'),
    import('../../adapters/avro/schema-files.ts'),
  ]);
  const path = tokensPathOf(settings);
  return ok({
    tokens: tokens.openTokensFile(path, {
      sinceStartMs: () => performance.now(),
      tell: (event) => {
        switch (event.event) {
          case 'read':
            note({
              code: 'tokens-read',
              message: `gateway: JSON markers are taken with ${countOf(event.count, 'token')} of ${path}`,
              hint: '',
            });
            if (event.isExposed)
              note({
                code: 'tokens-exposed',
                message: `gateway: others than its owner may read ${path}`,
                hint: `chmod 600 ${path}`,
              });
            return;
          case 'not-taken':
            note({
              code: event.problem.code,
              message: `gateway: ${event.problem.message}; what it said before counts as far as it still stands there`,
              hint: event.problem.hint,
            });
        }
      },
    }),
    signer: signer.value,
    fill: openBodyFiller(loadSchemas()),
    ids,
  });
};

const tellWhoIsBelieved = (
  { foundation: { settings }, note }: ServiceComposition,
  sources: SourcesFile | null,
): void => {
  if (sources?.isExposed === true)
    note({
      code: 'sources-exposed',
      message: `gateway: others than its owner may read ${settings.otlpSourcesFile}, and send with the tokens in it`,
      hint: `chmod 600 ${settings.otlpSourcesFile}`,
    });
  if (sources === null && !isLoopback(settings.host))
    note({
      code: 'telemetry-open',
      message: `gateway: telemetry is believed whoever sends it to ${settings.host}: it needs no token`,
      hint: 'PLIMSOLL_OTLP_SOURCES names a file with the tokens of those who may send',
    });
};

const ofSources = (sources: SourcesFile | null): string =>
  sources === null ? '' : ` from ${countOf(sources.count(), 'source')}, by token`;

/** Analyses that ended are told by their decisions. */
const openOnly = (status: AnalyserStatus): AnalyserStatus => ({
  ...status,
  analyses: status.analyses.filter(({ ended }) => ended === null),
});
