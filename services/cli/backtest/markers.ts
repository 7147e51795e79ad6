import { comparisonTold } from '../../core/canary/backtest/course.ts';
import type { ToldComparison } from '../../core/canary/backtest/course.ts';
import { readMarkerLine } from '../../core/canary/backtest/marker-line.ts';
import { toldRollouts } from '../../core/canary/backtest/markers.ts';
import type { CanaryRun, TimedMarker, ToldRollouts } from '../../core/canary/backtest/markers.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { RunningVersion } from '../../core/samples/sample.ts';
import { uuidOfParts } from '../../core/uuid-v8.ts';
import type { Given } from '../terminal/arguments.ts';
import type { SetupOf } from './asked.ts';
import { digestOf, readTime, readWeights, timeOf } from './options.ts';
import type { NamedPolicy, PolicyPlace } from './named-policy.ts';
import { tellNotAsked } from './rollout-not-asked.ts';
import { policyToldBy, readNamedPolicy } from './named-policy.ts';
import { captureBeginMs, captureEndMs } from './capture.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

// What a backtest is about, from markers: which rollout, how it was compared, and by which policy.

type MarkerPorts = Pick<
  CliPorts,
  'settings' | 'tools' | 'readTextFile' | 'captures' | 'yaml' | 'note'
>;

/** Markers of one deployment are few; a whole log is exported by component. */
const markersBytesMax: number = 64 * 1024 * 1024;

type Told = ToldRollouts & { readonly path: string; readonly markers: readonly TimedMarker[] };

/** Markers are read once, for all captures. */
export const readMarkerSetups = async (
  ports: MarkerPorts,
  given: Given,
  path: string,
): Promise<Result<SetupOf, CliProblem>> => {
  if (given.value('rollout') !== null)
    return refuse(
      'option-invalid',
      '--rollout is for a rollout that is named by options',
      'with --markers leave it out: they tell how it was rolled out',
    );
  const text = await ports.readTextFile(path, markersBytesMax);
  if (!text.ok) return text;
  const markers = readMarkers(ports, path, text.value);
  if (!markers.ok) return markers;
  const told: Told = { path, markers: markers.value, ...toldRollouts(markers.value) };
  return ok((capture, named) => setupOfMarkers(ports, given, told, capture, named));
};

const setupOfMarkers = async (
  ports: MarkerPorts,
  given: Given,
  told: Told,
  capture: Parameters<SetupOf>[0],
  named: string | null,
): ReturnType<SetupOf> => {
  const { path, canaries, others: whole } = told;
  const canary = canaries.filter((run) => isAsked(run, given));
  const asked = canary.length > 0 ? canary : whole.filter((run) => isAsked(run, given));
  const inside = asked.length > 1 ? await startedInside(ports, asked, capture.path) : ok(asked);
  if (!inside.ok) return inside;
  const [run, ...others] = inside.value;
  if (run === undefined) {
    const known = [...canaries, ...whole];
    return known.length === 0
      ? refuse(
          'marker-invalid',
          `${path} tells of no rollout that was started`,
          'it is planned, and running (started); plimsoll export prints both',
        )
      : refuse(
          'marker-invalid',
          `${path} tells of no rollout that was started as asked`,
          `it tells of ${known.slice(-namedMax).map(nameOf).join(', ')}`,
        );
  }
  if (others.length > 0)
    return refuse(
      'marker-invalid',
      `${path} tells of ${inside.value.length} ${canary.length > 0 ? 'canaries' : 'rollouts'}: ${inside.value.slice(-namedMax).map(nameOf).join(', ')}`,
      'name one by --deployment=ID, or by --service, --environment and --canary',
    );
  const { course: _course, ...rest } = run;
  const baseline = baselineOf(ports, given, run);
  if (baseline.length === 0)
    return refuse(
      'marker-invalid',
      `${path} does not tell what ran before ${nameOf(run)}`,
      'export from further back, or name its service.version by --baseline',
    );
  const judged = await judgedAs(ports, given, told, run, named);
  if (!judged.ok) return judged;
  const { policy, comparison } = judged.value;
  const since = capture.since ?? given.value('since');
  const sinceMs = since === null ? ok(judged.value.sinceMs) : readTime('since', since);
  if (!sinceMs.ok) return sinceMs;
  const weights = readWeights(given.value('weight'), sinceMs.value);
  if (!weights.ok) return weights;
  const setup = {
    ...rest,
    audience: ports.settings.audience,
    baseline,
    comparison,
    sinceMs: sinceMs.value,
    shares: given.value('weight') === null ? rest.shares : weights.value,
    isByVersion: false,
  };
  return ok({ setup, policy });
};

/** Rollouts that are named where it is not clear which is meant: the last ones. */
const namedMax = 5;

const baselineOf = (
  ports: MarkerPorts,
  given: Given,
  run: CanaryRun,
): readonly RunningVersion[] => {
  const named = given.value('baseline');
  if (named === null) return run.baseline;
  const known = run.baseline.find(({ version }) => version === named);
  const deployment = uuidOfParts(digestOf(ports), ['backtest', named]);
  return [known ?? { version: named, digest: null, deployment }];
};

/** By which policy a rollout is judged, and so how, and from when on. */
const judgedAs = async (
  ports: MarkerPorts,
  given: Given,
  told: Told,
  run: CanaryRun,
  named: string | null,
): Promise<Result<ToldComparison & { readonly policy: NamedPolicy }, CliProblem>> => {
  const policyAt = (atMs: number): Promise<Result<NamedPolicy, CliProblem>> =>
    policyInForce(ports, told, run, atMs, named);
  const first = await policyAt(run.sinceMs);
  if (!first.ok) return first;
  // Whoever tells the share of the traffic says that both ran at once.
  if (given.value('weight') !== null)
    return ok({ comparison: 'concurrent', sinceMs: run.sinceMs, policy: first.value });
  const { rollouts } = first.value.placed.policy;
  const asked = comparisonTold(run.course, rollouts);
  const judged = asked ?? comparisonTold(run.course, { beforeAfter: true, blueGreen: true });
  if (judged === undefined)
    return refuse(
      'marker-invalid',
      `${told.path}: ${nameOf(run)} is not judged: ${run.course.rollback ? 'it brings an earlier version back' : 'no traffic was shifted to its colour'}`,
      'where both versions ran at once, say so by --weight',
    );
  if (asked === undefined) tellNotAsked(ports, judged.comparison, first.value.placed.policy);
  const policy = await policyAt(judged.sinceMs);
  return policy.ok ? ok({ ...judged, policy: policy.value }) : policy;
};

/** The one that is named, else the one that the markers tell of, else the standard preset. */
const policyInForce = async (
  ports: MarkerPorts,
  { markers }: Told,
  place: PolicyPlace,
  atMs: number,
  named: string | null,
): Promise<Result<NamedPolicy, CliProblem>> => {
  const toldOf = named === null ? policyToldBy(markers, place, atMs) : ok(undefined);
  if (!toldOf.ok) return toldOf;
  return toldOf.value === undefined ? readNamedPolicy(ports, named, place) : ok(toldOf.value);
};

/** A capture may begin so much later than the canary. */
const missedMsMax = 120_000;

/** Of several canaries those that began while this was recorded; all of them if that is none. */
const startedInside = async (
  ports: MarkerPorts,
  runs: readonly CanaryRun[],
  path: string,
): Promise<Result<readonly CanaryRun[], CliProblem>> => {
  const [begin, end] = [await captureBeginMs(ports, path), await captureEndMs(ports, path)];
  if (!begin.ok) return begin;
  if (!end.ok) return end;
  const fromMs = (begin.value ?? -Infinity) - missedMsMax;
  const toMs = end.value ?? Infinity;
  const inside = runs.filter(({ sinceMs }) => sinceMs >= fromMs && sinceMs <= toMs);
  return ok(inside.length === 0 ? runs : inside);
};

const isAsked = (run: CanaryRun, given: Given): boolean => {
  const wanted: readonly (readonly [option: string, value: string | null])[] = [
    ['service', run.component],
    ['environment', run.environment],
    ['target', run.target],
    ['canary', run.canary.version],
    ['deployment', run.deployment],
  ];
  return wanted.every(([option, value]) => (given.value(option) ?? value) === value);
};

const nameOf = ({ deployment, component, environment, target, canary }: CanaryRun): string =>
  `${deployment} (${component} ${canary.version} in ${environment}${target === null ? '' : `, ${target}`})`;

/** Each refusal names its line. */
const readMarkers = (
  ports: MarkerPorts,
  path: string,
  text: string,
): Result<readonly TimedMarker[], CliProblem> => {
  const tools = { text: ports.tools.text, digest: digestOf(ports) };
  const markers: TimedMarker[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = readMarkerLine(tools, ports.settings.audience, line, timeOf);
    if (!read.ok)
      return refuse(
        'marker-invalid',
        `${path}, line ${index + 1}: ${read.problem}`,
        'it takes what plimsoll export prints, or one marker of it (its body) a line',
      );
    if (read.value !== undefined) markers.push(read.value);
  }
  return ok(markers);
};
