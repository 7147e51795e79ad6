import type { MetricName } from '../core/own-metrics/family.ts';
import { counter, gauge, pointOf, pointsBy } from '../core/own-metrics/family.ts';
import { openPlaceCounter } from '../core/own-metrics/place-counter.ts';
import { active, lagRecords, refusals } from '../core/own-metrics/shared-names.ts';
import type { ReadMetrics } from '../ports/own-metrics.ts';
import type { AnalyserEvent } from './ports.ts';
import type { AnalyserStatus } from './start.ts';

const analysesOpen: MetricName = {
  name: 'plimsoll_analyses_open',
  otelName: 'plimsoll.analyses.open',
  unit: '{analysis}',
  help: 'Canaries that are being compared with their baseline',
};
const decisions: MetricName = {
  name: 'plimsoll_decisions',
  otelName: 'plimsoll.decisions',
  unit: '{decision}',
  help: 'Decisions that this process appended, by kind',
};

/** Counts what an analyser tells; all counts begin at 0 with the process. */
export const openAnalyserMeasurements = (): {
  readonly notice: (event: AnalyserEvent) => void;
  readonly read: (status: () => AnalyserStatus) => ReadMetrics;
} => {
  const decided: Record<string, number> = {};
  const notice = (event: AnalyserEvent): void => {
    if (event.event !== 'decided' || event.position === null) return;
    decided[event.kind] = (decided[event.kind] ?? 0) + 1;
  };
  const read = (status: () => AnalyserStatus) => (): ReturnType<ReadMetrics> => {
    const { state, parts, analyses, rejected } = status();
    const open = openPlaceCounter();
    for (const { environment, component, deployment, openedAtMs, ended } of analyses)
      if (ended === null) open.count({ environment, component }, deployment, openedAtMs);
    return [
      gauge(active, pointOf(service, state === 'running' && parts.some(isOwner) ? 1 : 0)),
      gauge(
        lagRecords,
        parts.flatMap(({ part, lagRecords: lag }) => pointOf({ ...service, part }, lag)),
      ),
      gauge(
        analysesOpen,
        open
          .read()
          .flatMap(({ environment, component, total }) =>
            pointOf({ environment, component }, total),
          ),
      ),
      counter(decisions, pointsBy('kind', decided)),
      counter(refusals, [
        ...pointsBy('code', rejected.telemetry, { ...service, of: 'telemetry' }),
        ...pointsBy('code', rejected.samples, { ...service, of: 'samples' }),
      ]),
    ];
  };
  return { notice, read };
};

const service = { service: 'analyser' };

const isOwner = ({ partitions }: AnalyserStatus['parts'][number]): boolean => partitions.length > 0;
