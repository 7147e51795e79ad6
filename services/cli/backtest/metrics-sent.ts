import type { Backtest } from '../../core/canary/backtest/run.ts';
import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { readCapture } from './capture.ts';

/** Names that are told of a version. */
const namesMax = 5;

/**
 * Where a version shows nothing that is judged, the metrics that it does send tell why. It reads the capture once more,
 * so only then.
 */
export const tellMetricsSent = async (
  ports: Pick<CliPorts, 'captures' | 'clock' | 'note' | 'stop' | 'tools'>,
  path: string,
  { environment, component, canary, baseline }: BacktestSetup,
  backtest: Backtest,
): Promise<Result<void, CliProblem>> => {
  const { places, versions } = backtest.heard();
  if (backtest.settled() !== null || !places.has(`${environment}/${component}`))
    return ok(undefined);
  const unheard = [canary.version, ...baseline.map(({ version }) => version)].filter(
    (version) => !versions.has(version),
  );
  if (unheard.length === 0) return ok(undefined);
  const sent = new Map(unheard.map((version) => [version, new Set<string>()]));
  const read = await readCapture(
    ports,
    (bytes) => {
      for (const { resource, scopeMetrics } of partsIn(ports.tools.text.decodeUtf8(bytes))) {
        if (attributeOf(resource, 'service.name') !== component) continue;
        const names = sent.get(attributeOf(resource, 'service.version') ?? '');
        for (const scope of listOf(scopeMetrics))
          for (const { name } of listOf(scope['metrics']))
            if (names !== undefined && names.size <= namesMax && typeof name === 'string')
              names.add(name);
      }
      return ok({ points: [], rejected: [], lost: [], dataPoints: 1 });
    },
    path,
    { add: () => undefined, lose: () => undefined },
  );
  if (!read.ok) return read;
  for (const [version, names] of sent)
    if (names.size > 0)
      ports.note({
        code: 'not-judged',
        message: `${component} ${version} sends ${[...names].slice(0, namesMax).join(', ')}${names.size > namesMax ? ' and more' : ''}, of which nothing is judged`,
        hint: 'a policy names the metrics that it judges by "of"; so it can name those of both versions',
      });
  return ok(undefined);
};

/** Names that are kept. */
const attributesMax = 1000;

/** The attributes that points of these metrics have: a filter may name one that is nearly the same. */
export const attributesSent = async (
  ports: Pick<CliPorts, 'captures' | 'clock' | 'note' | 'stop' | 'tools'>,
  path: string,
  metrics: ReadonlySet<string>,
): Promise<Result<ReadonlySet<string>, CliProblem>> => {
  const sent = new Set<string>();
  const read = await readCapture(
    ports,
    (bytes) => {
      for (const { scopeMetrics } of partsIn(ports.tools.text.decodeUtf8(bytes)))
        for (const scope of listOf(scopeMetrics))
          for (const metric of listOf(scope['metrics']))
            if (typeof metric['name'] === 'string' && metrics.has(metric['name']))
              for (const data of Object.values(metric).filter(isFields))
                for (const point of listOf(data['dataPoints']))
                  for (const { key } of listOf(point['attributes']))
                    if (typeof key === 'string' && sent.size < attributesMax) sent.add(key);
      return ok({ points: [], rejected: [], lost: [], dataPoints: 1 });
    },
    path,
    { add: () => undefined, lose: () => undefined },
  );
  return read.ok ? ok(sent) : read;
};

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.filter(isFields) : [];

/** The parts of an export, which has been read before. */
const partsIn = (text: string | undefined): readonly Fields[] => {
  try {
    const request: unknown = JSON.parse(text ?? '');
    return isFields(request) ? listOf(request['resourceMetrics']) : [];
  } catch {
    return [];
  }
};

const attributeOf = (resource: unknown, key: string): string | undefined => {
  const attributes = isFields(resource) ? listOf(resource['attributes']) : [];
  const value = attributes.findLast((attribute) => attribute['key'] === key)?.['value'];
  const text = isFields(value) ? (value['stringValue'] ?? value['intValue']) : undefined;
  return typeof text === 'string' || typeof text === 'number' ? String(text) : undefined;
};
