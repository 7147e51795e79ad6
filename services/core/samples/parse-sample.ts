import type { Shape } from '../markers/codec.ts';
import { audiencePattern, uuidPattern } from '../markers/parse-marker.ts';
import type { Body } from '../markers/upcast.ts';
import type { Result } from '../result.ts';
import { isUncounted, refusalRemedies } from '../telemetry/point.ts';
import { fail, ok } from '../result.ts';
import { bucketsMax, unpackCounts } from './packed-counts.ts';
import type { CopiedFact, Origin, Points, Sample, SampleKind, SamplePoint } from './sample.ts';

export type SampleFieldProblem = {
  readonly code: 'kind-unknown' | 'field-invalid';
  readonly message: string;
};

/** Longest name in a sample, UTF-16 code units: as long as telemetry may have it. */
export const sampleNameMax = 256;
/** Longest policy, noise and carried evidence, as text; together with the rest they fit into a record. */
const policyTextMax = 16 * 1024;
const noiseTextMax = 8 * 1024;
const carriedTextMax = 24 * 1024;
export const beforeTextMax: number = 16 * 1024;
const timeMaxMs = 8_640_000_000_000_000;

const kindOfShape: { readonly [Name in Shape]: SampleKind | undefined } = {
  plan: undefined,
  update: undefined,
  place: undefined,
  change: undefined,
  decision: undefined,
  trust: undefined,
  operation: undefined,
  policy: undefined,
  instance: undefined,
  points: 'points',
  analysis: 'analysis-opened',
  tick: 'tick',
  copy: 'copy',
};

const facts: { readonly [Name in CopiedFact]: true } = {
  succeeded: true,
  failed: true,
  canceled: true,
  'traffic-shifted': true,
  promote: true,
  advance: true,
  hold: true,
  'roll-back': true,
};

/**
 * The door of samples: a body of the newest version of its shape becomes a sample, or is refused with the field's
 * name. Types are the schema's business and already right.
 */
export const parseSample = (shape: Shape, body: Body): Result<Sample, SampleFieldProblem> => {
  const kind = kindOfShape[shape];
  if (kind === undefined || body['kind'] !== kind)
    return fail({ code: 'kind-unknown', message: `the shape ${shape} is not of this kind` });
  const sample = body as unknown as Sample;
  const field = invalidField(sample);
  return field === undefined
    ? ok(sample)
    : fail({ code: 'field-invalid', message: `${field} of a ${kind} record cannot be that` });
};

const invalidField = (sample: Sample): string | undefined =>
  first([
    ['audience', audiencePattern.test(sample.audience)],
    ['environment', isName(sample.environment)],
    ['component', isName(sample.component)],
  ]) ?? invalidOwnField(sample);

const invalidOwnField = (sample: Sample): string | undefined => {
  switch (sample.kind) {
    case 'points':
      return (
        firstOf(sample.origins, (origin) => [
          ['origins.namespace', isName(origin.namespace)],
          ['origins.version', isNameOrNull(origin.version)],
          ['origins.deployment', isNameOrNull(origin.deployment)],
          ['origins.instance', isNameOrNull(origin.instance)],
          ['origins.metric', isName(origin.metric)],
          ['origins.temporality', ['delta', 'cumulative'].includes(origin.temporality)],
          ['origins.unit', origin.unit.length <= unitMax && origin.unit.isWellFormed()],
          ['origins.target', isNameOrNull(origin.target)],
          ['origins.attributes', areAttributes(origin.attributes)],
        ]) ??
        firstOf(sample.bounds, ({ seconds }) => [['bounds.seconds', areBounds(seconds)]]) ??
        firstOf(sample.points, (point) => [
          ['points.origin', sample.origins[point.origin] !== undefined],
          ['points.series', isHexDigest(point.series)],
          ['points.receivedAt', isTime(point.receivedAt)],
          ['points.start', isTime(point.start)],
          ['points.time', isTime(point.time) && point.start <= point.time],
          ['points.count', isCount(point.count)],
          ['points.errors', isCount(point.errors) && point.errors <= point.count],
          ['points.level', isLevelOrNull(sample.origins[point.origin], point)],
          ['points.durations', areDurationsOrNull(sample.bounds, point)],
          ['points.refused', isRefusalOrNull(point)],
        ])
      );
    case 'analysis-opened':
      return (
        first([
          ['analysis', isUuid(sample.analysis)],
          ['deployment', isUuid(sample.deployment)],
          ['attempt', isCount(sample.attempt) && sample.attempt > 0],
          ['attemptToken', isNameOrNull(sample.attemptToken)],
          ['namespace', isName(sample.namespace)],
          ['target', isNameOrNull(sample.target)],
          ['logPosition', isCount(sample.logPosition)],
          ['openedAt', isTime(sample.openedAt)],
          ['baseline', sample.baseline.length > 0 && sample.baseline.length <= baselineMax],
          ['canaryShare', isShareOrNull(sample.canaryShare)],
          ['policy', sample.policy.length <= policyTextMax],
          ['policyDigest', isHexDigest(sample.policyDigest)],
          ['judge', isCount(sample.judge)],
          ['noise', sample.noise.length <= noiseTextMax],
          ['noiseAgeMs', sample.noiseAgeMs === null || isCount(sample.noiseAgeMs)],
          ['carried', (sample.carried?.length ?? 0) <= carriedTextMax],
          ['carriedFrom', sample.carriedFrom === null || isUuid(sample.carriedFrom)],
          [
            'independentAttempts',
            isCount(sample.independentAttempts) && sample.independentAttempts > 0,
          ],
          ['comparison', isName(sample.comparison)],
          ['before', (sample.before?.length ?? 0) <= beforeTextMax],
        ]) ??
        firstOf([sample.canary, ...sample.baseline], (version) => [
          ['version', isName(version.version)],
          ['version.digest', isNameOrNull(version.digest)],
          ['version.deployment', isUuid(version.deployment)],
        ])
      );
    case 'tick':
      return first([['at', isTime(sample.at)]]);
    case 'copy':
      return first([
        ['analysis', isUuid(sample.analysis)],
        ['logPosition', isCount(sample.logPosition)],
        ['logDigest', isHexDigest(sample.logDigest)],
        ['appendedAt', isTime(sample.appendedAt)],
        ['marker', isUuid(sample.marker)],
        ['fact', Object.hasOwn(facts, sample.fact)],
        ['canaryShare', isShareOrNull(sample.canaryShare)],
      ]);
  }
};

/** Versions that may stand in one slot beside each other. */
const baselineMax = 50;

/** Far above any gauge. */
const levelMax = 1e18;
const unitMax = 64;
/** Attributes that the policies of one component may look at, and their texts together. */
const attributesMax = 64;
const attributeTextMax = 8 * 1024;
const scaleMin = -10;
const scaleMax = 20;
/** Powers of two between which every duration lies. */
const octaveMin = -1075;
const octaveMax = 1024;

const areAttributes = (attributes: Origin['attributes']): boolean => {
  let text = 0;
  let before = '';
  for (const { name, value } of attributes) {
    if (!isName(name) || name <= before) return false;
    if (value.length > sampleNameMax || !value.isWellFormed()) return false;
    text += name.length + value.length;
    before = name;
  }
  return attributes.length <= attributesMax && text <= attributeTextMax;
};

const areBounds = (seconds: readonly number[]): boolean => {
  const rise = (bound: number, index: number): boolean => bound > (seconds[index - 1] ?? -1);
  return (
    seconds.length > 0 &&
    seconds.length < bucketsMax &&
    seconds.every((bound, index) => bound >= 0 && bound < Infinity && rise(bound, index))
  );
};

/** A level is nothing but a level; what counts requests has a unit of time. */
const isLevelOrNull = (origin: Origin | undefined, point: SamplePoint): boolean => {
  const { level, count, durations, start, time } = point;
  if (level === null) return origin?.unit === 's' || origin?.unit === 'ms';
  const isAlone = count === 0 && durations === null && start === time;
  return isAlone && level >= 0 && level <= levelMax && origin?.temporality === 'cumulative';
};

/** What is refused says nothing else; but where it is only durations, how many requests there were. */
const isRefusalOrNull = ({ refused, count, level, durations }: SamplePoint): boolean =>
  refused === null ||
  (Object.hasOwn(refusalRemedies, refused) &&
    (count === 0 || !isUncounted(refused)) &&
    level === null &&
    durations === null);

/** Buckets that hold as many requests as the point counts, written as their writer writes them. */
const areDurationsOrNull = (
  bounds: Points['bounds'],
  { durations, count }: SamplePoint,
): boolean => {
  if (durations === null) return true;
  const { scale, zeroCount, offset } = durations;
  const counts = unpackCounts(durations.counts);
  if (counts === undefined || (counts.length === 0 && offset !== 0)) return false;
  if (counts.reduce((sum, more) => sum + more, zeroCount) !== count) return false;
  if (durations.bounds === null) {
    const perOctave = 2 ** scale;
    return (
      isCount(zeroCount) &&
      scale >= scaleMin &&
      scale <= scaleMax &&
      offset >= octaveMin * perOctave &&
      offset + counts.length <= octaveMax * perOctave
    );
  }
  const explicit = bounds[durations.bounds]?.seconds;
  if (explicit === undefined || scale !== 0 || zeroCount !== 0) return false;
  return offset >= 0 && offset + counts.length <= explicit.length + 1;
};

type Check = readonly [field: string, isValid: boolean];

const first = (checks: readonly Check[]): string | undefined =>
  checks.find(([, isValid]) => !isValid)?.[0];

const firstOf = <Item>(
  items: readonly Item[],
  checksOf: (item: Item) => readonly Check[],
): string | undefined => {
  for (const item of items) {
    const field = first(checksOf(item));
    if (field !== undefined) return field;
  }
  return undefined;
};

const isUuid = (text: string): boolean => uuidPattern.test(text);
const isHexDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
const isName = (text: string): boolean =>
  text !== '' && text.length <= sampleNameMax && text.isWellFormed();
const isNameOrNull = (text: string | null): boolean => text === null || isName(text);
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isTime = (value: number): boolean => isCount(value) && value <= timeMaxMs;
const isShareOrNull = (value: number | null): boolean =>
  value === null || (value >= 0 && value <= 1);
