import { compareUtf8 } from '../utf8-order.ts';
import { deploymentProblems } from './deployments.ts';
import { expectedProblems } from './expected.ts';
import { lackingProblems } from './lacking.ts';
import { letterProblems } from './letters.ts';
import type { Expectation } from './parse-expected.ts';
import type { Problem, ProblemPlace, ProblemRows } from './problem.ts';
import { severities } from './problem.ts';
import { producerProblems } from './producers.ts';
import { runningProblems } from './running.ts';
import { frozenProblems, stopProblems } from './stopped.ts';
import { togetherProblems } from './together.ts';
import { unpromotedProblems } from './unpromoted.ts';
import { undigestedProblems } from './undigested.ts';
import { unsentProblems } from './unsent.ts';

/** Parts of a place that are asked for; null: any. */
export type PlaceFilter = ProblemPlace;

/** Everything that is missing or wrong: the gravest first, then by code and subject. */
export const problemsIn = (
  rows: ProblemRows,
  expectations: readonly Expectation[],
  filter: PlaceFilter,
): readonly Problem[] =>
  [
    ...expectedProblems(
      expectations.filter((expectation) => isExpected(expectation, filter)),
      rows,
    ),
    ...stopProblems(rows, filter),
    ...[
      ...runningProblems(rows),
      ...deploymentProblems(rows),
      ...lackingProblems(rows),
      ...unsentProblems(rows),
      ...togetherProblems(rows),
      ...unpromotedProblems(rows),
      ...undigestedProblems(rows),
      ...frozenProblems(rows),
      ...producerProblems(rows),
      ...letterProblems(rows),
    ].filter(({ place }) => isAsked(place, filter)),
  ].toSorted(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      compareUtf8(a.code, b.code) ||
      compareUtf8(a.subject, b.subject),
  );

/** What is of no place is shown where no place is asked for. */
const isAsked = (place: ProblemPlace, filter: PlaceFilter): boolean =>
  (['namespace', 'environment', 'component', 'target'] as const).every(
    (part) => filter[part] === null || filter[part] === place[part],
  );

const isExpected = (
  { namespace, component, environments, targets }: Expectation,
  filter: PlaceFilter,
): boolean =>
  (filter.namespace ?? namespace) === namespace &&
  (filter.component ?? component) === component &&
  (filter.environment === null || environments.includes(filter.environment)) &&
  (filter.target === null || targets.length === 0 || targets.includes(filter.target));
