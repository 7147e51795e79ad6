import type { MetricName } from '../core/own-metrics/family.ts';
import { counter, gauge, pointsBy } from '../core/own-metrics/family.ts';
import { refusals } from '../core/own-metrics/shared-names.ts';
import type { ReadMetrics } from '../ports/own-metrics.ts';
import type { GatewayStatus } from './app.ts';

const answers: MetricName = {
  name: 'plimsoll_http_answers',
  otelName: 'plimsoll.http.answers',
  unit: '{response}',
  help: 'Answers of the gateway that refused nothing, by HTTP status',
};
const queued: MetricName = {
  name: 'plimsoll_queued_records',
  otelName: 'plimsoll.queued.records',
  unit: '{record}',
  help: 'Markers, and bodies of telemetry, that wait in the gateway for the log',
};
const leftOutPoints: MetricName = {
  name: 'plimsoll_telemetry_left_out_points',
  otelName: 'plimsoll.telemetry.left_out.points',
  unit: '{point}',
  help: 'Points of services that their source may not send (source-not-allowed), by source',
};

/** The numbers of a gateway. Its answers are counted by HTTP status, and by code where something was refused. */
export const gatewayMetrics =
  (status: () => GatewayStatus): ReadMetrics =>
  () => {
    const { answers: counts, queued: waiting, leftOut } = status();
    const byStatus = Object.entries(counts).filter(([name]) => isStatus(name));
    const byCode = Object.entries(counts).filter(([name]) => !isStatus(name));
    return [
      counter(answers, pointsBy('status', Object.fromEntries(byStatus))),
      counter(refusals, pointsBy('code', Object.fromEntries(byCode), { service: 'gateway' })),
      counter(leftOutPoints, pointsBy('source', leftOut)),
      gauge(queued, pointsBy('of', waiting)),
    ];
  };

const isStatus = (name: string): boolean => /^[1-5]\d\d$/.test(name);
