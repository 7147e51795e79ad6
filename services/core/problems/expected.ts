import type { Deployment } from '../deployment.ts';
import type { Position } from '../log/record.ts';
import type { Expectation } from './parse-expected.ts';
import type { Problem, ProblemPlace, ProblemRows, RunningSlot } from './problem.ts';
import { problemOf } from './problem.ts';

// Places that must report a version within a deadline, and have not.

/** One place that is expected to report. Null: wherever. */
type Place = {
  readonly environment: string;
  readonly target: string | null;
  readonly cluster: string | null;
  readonly zone: string | null;
};

/** Something that was said of a version in a place: by a deployment, or by an instance that runs it. */
type Report = Place & {
  readonly version: string;
  readonly what: 'planned' | 'succeeded' | 'failed' | 'runs';
  readonly at: number;
  readonly position: Position | null;
  readonly instance: { readonly partition: number; readonly position: Position } | null;
};

export const expectedProblems = (
  expectations: readonly Expectation[],
  rows: ProblemRows,
): readonly Problem[] =>
  expectations.flatMap((expectation) => {
    const problem = coverageOf(expectation, rows);
    return problem === undefined ? [] : [problem];
  });

/** The newest version that is due everywhere, or, where none is, the newest that will be. */
const coverageOf = (expectation: Expectation, rows: ProblemRows): Problem | undefined => {
  const places = placesOf(expectation);
  const reports = [
    ...rows.deployments.flatMap((deployment) => reportsOf(deployment, expectation)),
    ...rows.running.flatMap((running) => instanceReports(running, expectation)),
  ].filter((report) => places.some((place) => isIn(report, place)));
  if (reports.length === 0) return unheard(expectation, places.length);
  const all = triggersOf(expectation, reports);
  const triggers = all.filter((trigger) => isStillWanted(trigger, all, expectation, reports));
  const withinMs = expectation.withinMinutes * 60_000;
  const { nowMs } = rows.present;
  const newest =
    triggers.findLast(({ at }) => at + withinMs <= nowMs) ?? triggers.findLast(() => true);
  if (newest === undefined) return undefined;
  const dueMs = newest.at + withinMs;
  // Who has gone on to a later version has left this one behind.
  const since = new Set(triggers.filter(({ at }) => at >= newest.at).map(({ version }) => version));
  const reported = places.filter((place) =>
    reports.some((report) => isIn(report, place) && since.has(report.version) && isThere(report)),
  );
  const missing = places.filter((place) => !reported.includes(place));
  const failedAt = missing.filter((place) =>
    reports.some(
      (report) =>
        isIn(report, place) && report.version === newest.version && report.what === 'failed',
    ),
  );
  const isDue = dueMs <= nowMs;
  const told = `${expectation.component} ${newest.version} is reported by ${reported.length} of ${places.length} places`;
  const relevant = reports.filter(({ version }) => version === newest.version);
  return problemOf({
    ...(missing.length === 0
      ? { code: 'expected-met', severity: 'info', message: told, hint: 'nothing to do' }
      : isDue
        ? {
            code: 'expected-missing',
            severity: 'alarm',
            message: `${told}; missing: ${missing.slice(0, 5).map(placeText).join(', ')}${missing.length > 5 ? ' and more' : ''}${failedAt.length === 0 ? '' : ` (it failed in ${failedAt.length})`}`,
            hint: 'has its pipeline stopped half-way, or does it not report? plimsoll timeline',
          }
        : {
            code: 'expected-pending',
            severity: 'info',
            message: `${told}, and has time left`,
            hint: 'nothing to do yet',
          }),
    subject: `${expectation.namespace}/${expectation.component} ${newest.version} ${expectation.environments.join(',')}`,
    place: placeOf(expectation),
    count: missing.length,
    coverage: { reported: reported.length, expected: places.length },
    missing: missing.map(placeText),
    positions: relevant.flatMap(({ position }) => position ?? []),
    instances: relevant.flatMap(({ instance }) => instance ?? []).slice(0, 20),
    at: dueMs,
  });
};

/** Nothing at all: a name that is wrong would otherwise be silent for ever. */
const unheard = (expectation: Expectation, places: number): Problem =>
  problemOf({
    code: 'expected-unheard',
    severity: 'info',
    subject: `${expectation.namespace}/${expectation.component} ${expectation.environments.join(',')}`,
    message: `nothing of ${expectation.component} was reported in any of the ${places} places where it is expected`,
    hint: 'are the names right (plimsoll components, plimsoll environments)? --days=COUNT looks further back',
    place: placeOf(expectation),
    coverage: { reported: 0, expected: places },
  });

const placeOf = ({ namespace, environments, component }: Expectation): ProblemPlace => ({
  namespace,
  environment: environments.length === 1 ? (environments[0] ?? null) : null,
  component,
  target: null,
});

/** A version, and the moment from which on its time runs. */
type Trigger = { readonly version: string; readonly at: number };

/** Oldest first. */
const triggersOf = ({ after }: Expectation, reports: readonly Report[]): readonly Trigger[] => {
  const first = new Map<string, number>();
  for (const { version, what, at } of reports)
    if (what === (after === 'planned' ? 'planned' : 'succeeded'))
      first.set(version, Math.min(at, first.get(version) ?? at));
  return [...first]
    .map(([version, at]) => ({ version, at }))
    .toSorted((a, b) => a.at - b.at || (a.version < b.version ? -1 : 1));
};

/** A version that was taken back for an earlier one wherever it had been is owed to nobody. */
const isStillWanted = (
  { version, at }: Trigger,
  triggers: readonly Trigger[],
  { after }: Expectation,
  reports: readonly Report[],
): boolean => {
  const newestIn = new Map<string, Report>();
  for (const report of reports) {
    if (report.what !== 'succeeded') continue;
    const place = placeText(report);
    const known = newestIn.get(place);
    if (known === undefined || report.at >= known.at) newestIn.set(place, report);
  }
  const own = reports.filter((report) => report.version === version);
  const places = own.filter(({ what }) => what === 'succeeded').map(placeText);
  if (places.length === 0)
    // Planned and not yet anywhere: it is wanted unless it failed.
    return after === 'planned' && !own.some(({ what }) => what === 'failed');
  return places.some((place) => {
    const stands = newestIn.get(place)?.version;
    return triggers.some((other) => other.version === stands && other.at >= at);
  });
};

const isThere = ({ what }: Report): boolean => what === 'succeeded' || what === 'runs';

const placesOf = ({ environments, targets, clusters, zones }: Expectation): readonly Place[] => {
  const anywhere = (names: readonly (string | null)[]): readonly (string | null)[] =>
    names.length === 0 ? [null] : names;
  return environments.flatMap((environment) =>
    anywhere(targets).flatMap((target) =>
      anywhere(clusters).flatMap((cluster) =>
        anywhere(zones).map((zone) => ({ environment, target, cluster, zone })),
      ),
    ),
  );
};

const isIn = (report: Place, place: Place): boolean =>
  report.environment === place.environment &&
  (['target', 'cluster', 'zone'] as const).every(
    (part) => place[part] === null || place[part] === report[part],
  );

/** `production`, `production (cell-7)`, `production in blue/eu-1`. */
const placeText = ({ environment, target, cluster, zone }: Place): string => {
  const where = [cluster, zone].flatMap((part) => part ?? []).join('/');
  return `${environment}${target === null ? '' : ` (${target})`}${where === '' ? '' : ` in ${where}`}`;
};

const reportsOf = (deployment: Deployment, expectation: Expectation): readonly Report[] =>
  deployment.attempts.flatMap((attempt): readonly Report[] => {
    const { plan } = attempt;
    if (
      plan === null ||
      plan.slot.component !== expectation.component ||
      plan.slot.namespace !== expectation.namespace
    )
      return [];
    const said = {
      environment: plan.slot.environment,
      target: plan.slot.target,
      cluster: plan.details.cluster ?? null,
      zone: plan.details.zone ?? null,
      version: plan.version,
      instance: null,
    };
    const planned: Report = {
      ...said,
      what: 'planned',
      at: attempt.openedAtMs,
      position: plan.position,
    };
    if (attempt.endedAt === null) return [planned];
    const ended = { ...said, at: attempt.endedAt, position: attempt.statusPosition };
    switch (attempt.status) {
      case 'succeeded':
      case 'logged':
      case 'recorded':
      case 'released':
        return [planned, { ...ended, what: 'succeeded' }];
      case 'failed':
      case 'canceled':
        return [planned, { ...ended, what: 'failed' }];
      case 'planned':
      case 'running':
        return [planned];
      // Nothing was to come there.
      case 'undeployed':
      case 'support-ended':
        return [];
    }
  });

const instanceReports = (
  { partition, state }: RunningSlot,
  { namespace, component }: Expectation,
): readonly Report[] =>
  state.slot.component !== component || state.slot.namespace !== namespace
    ? []
    : state.groups.map((group) => ({
        environment: state.slot.environment,
        target: state.slot.target,
        cluster: group.cluster,
        zone: group.zone,
        version: group.version,
        what: 'runs',
        at: group.lastAt,
        position: null,
        instance: { partition, position: group.lastPosition },
      }));
