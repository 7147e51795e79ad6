import type { Line } from '../../core/views.ts';
import type { Reader } from '../reading/reader.ts';
import type { Check } from './check.ts';
import { met, notMet, skipped, unseen } from './check.ts';
import type { Tried } from './test-marker.ts';
import { testEnvironment } from './test-marker.ts';
import { wordOf, words } from './way.ts';

// The two checklists that teams go through before they rely on markers: what of it is met, what is not, and what
// nobody can see from here.

const visibleWithinMs = 5000;
const newestMax = 500;

export const readiness = async (reader: Reader, tried: Tried): Promise<readonly Check[]> => {
  const timeline = await reader.list('timeline', { newestMax });
  const keys = await reader.list('keys', {});
  const decisions = await reader.list('decisions', { newestMax: 1 });
  const letters = await reader.list('dead-letters', { newestMax });
  const current = await reader.list('current', {});
  if (!timeline.ok || !keys.ok || !decisions.ok || !letters.ok || !current.ok)
    return [skipped('readiness', 'the read models could not be read')];
  const deployments = timeline.value.filter((line) => line['environment'] !== testEnvironment);
  return [
    ...preProduction(deployments, keys.value, letters.value),
    ...production(deployments, decisions.value, await runbooks(reader, current.value), tried),
  ];
};

const isProduction = (line: Line): boolean => /^prod/i.test(wordOf(line, 'environment'));
const preProduction = (
  deployments: readonly Line[],
  keys: readonly Line[],
  letters: readonly Line[],
): readonly Check[] => {
  const name = (item: string): string => `pre-production: ${item}`;
  const before = new Set(
    deployments
      .filter((line) => !isProduction(line))
      .map((line) => wordOf(line, 'environment'))
      .filter((environment) => environment !== ''),
  );
  const unreadable = letters.filter((line) =>
    /^(?:body|schema|kind|field)-/.test(wordOf(line, 'code')),
  );
  const wide = keys.filter(
    (key) =>
      key['retiredAt'] === null &&
      words(key, 'roles').includes('emitter') &&
      words(key, 'environments').includes('*'),
  );
  return [
    before.size > 0
      ? met(name('markers of test deployments'), `seen in ${[...before].toSorted().join(', ')}`)
      : notMet(
          name('markers of test deployments'),
          'no environment but production has any',
          'plimsoll init writes the steps for the CI',
        ),
    unreadable.length === 0
      ? met(name('markers are valid'), 'every record on the log was read by its published schema')
      : notMet(
          name('markers are valid'),
          `${unreadable.length} dead letters could not be read`,
          'plimsoll dead-letters list',
        ),
    unseen(
      name('tracing carries the marker'),
      'what services send is seen by their tracing alone',
      'deployment.id belongs into OTEL_RESOURCE_ATTRIBUTES',
    ),
    unseen(
      name('dashboards show test markers'),
      'dashboards are not seen from here',
      'plimsoll timeline --json feeds annotations',
    ),
    wide.length === 0
      ? met(name('who may sign is bounded'), 'no key of a pipeline may act in every environment')
      : notMet(
          name('who may sign is bounded'),
          `may act in every environment: ${wide.map((key) => wordOf(key, 'principal')).join(', ')}`,
          'make a key for each environment, and retire these: plimsoll keys retire',
        ),
  ];
};

const production = (
  deployments: readonly Line[],
  decisions: readonly Line[],
  { lacking, named }: Runbooks,
  tried: Tried,
): readonly Check[] => {
  const name = (item: string): string => `production: ${item}`;
  const { visibleAfterMs } = tried;
  const rollbacks = deployments.filter((line) => line['rollback'] === true).length;
  return [
    visibleAfterMs === null
      ? notMet(
          name('markers are seen in time'),
          'the test marker could not be read back',
          'see the lines above',
        )
      : visibleAfterMs <= visibleWithinMs
        ? met(
            name('markers are seen in time'),
            `${visibleAfterMs} ms from sending to reading, of ${visibleWithinMs} ms`,
          )
        : notMet(
            name('markers are seen in time'),
            `${visibleAfterMs} ms, more than ${visibleWithinMs} ms`,
            'is the projector behind? See /readyz of the gateway',
          ),
    tried.isOnce
      ? met(name('the same marker counts once'), 'the test marker was said twice and taken once')
      : notMet(
          name('the same marker counts once'),
          'this could not be tried',
          'see the lines above',
        ),
    decisions.length > 0
      ? met(
          name('canaries are analysed'),
          `the last decision: ${wordOf(decisions.at(-1) ?? {}, 'decision') || wordOf(decisions.at(-1) ?? {}, 'kind')}`,
        )
      : notMet(
          name('canaries are analysed'),
          'no decision was ever made',
          'plan with --canary-share and send telemetry; plimsoll policy set',
        ),
    unseen(
      name('alerts are routed'),
      'who is called is not seen from here',
      'alert on the numbers of /metrics, and send one on purpose',
    ),
    lacking.length === 0 && named > 0
      ? met(name('runbooks are named'), 'every version that runs in production names one')
      : notMet(
          name('runbooks are named'),
          lacking.length === 0
            ? 'nothing is known to run in production'
            : `none for ${lacking.join(', ')}`,
          '--runbook=URL, runbook: URL in plimsoll.yaml, or a policy that requires it',
        ),
    rollbacks > 0
      ? met(name('rolling back was tried'), `${rollbacks} rollbacks are on the log`)
      : notMet(
          name('rolling back was tried'),
          'no rollback was ever recorded',
          'roll a version back on purpose, in a test environment first',
        ),
  ];
};

const askedMax = 20;

type Runbooks = {
  /** Components in production whose version names none. */
  readonly lacking: readonly string[];
  readonly named: number;
};

const runbooks = async (reader: Reader, current: readonly Line[]): Promise<Runbooks> => {
  const lacking = new Set<string>();
  const asked = current.filter(isProduction).slice(0, askedMax);
  for (const line of asked) {
    const view = await reader.show(wordOf(line, 'deployment'));
    if (!view.ok || !/"runbook":"/.test(JSON.stringify(view.value)))
      lacking.add(wordOf(line, 'component'));
  }
  return { lacking: [...lacking].toSorted(), named: asked.length - lacking.size };
};
