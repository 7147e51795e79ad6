import { canonicalJson } from '../../canonical.ts';
import type { Json } from '../../canonical.ts';
import { policyDocumentBytesMax } from '../../markers/limits.ts';
import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';
import { takesName } from '../../name-pattern.ts';
import type { Line } from '../metrics/rate-test.ts';
import type { PlacedPolicy, PolicyDocument } from './placed-policy.ts';
import { anyName, placeText } from './placed-policy.ts';
import type { ReadMetric } from './metric-settings.ts';
import { metricsMax, readMetric } from './metric-settings.ts';
import { policyBytesMax, policyText, utf8Bytes } from './policy-text.ts';
import type { CohortLabels, MetricPolicy, Policy } from './policy.ts';
import { presetNames, presets } from './presets.ts';
import { requiredFieldNames } from './required-field-names.ts';
import type { GivenOf, Place, Plain, PolicyPath, PolicyProblem, Read } from './setting.ts';
import {
  durationIn,
  durationText,
  flag,
  group,
  inside,
  isPlain,
  listOf,
  meant,
  name,
  named,
  numberIn,
  pathText,
  readGroup,
  refuse,
  shareIn,
  shareText,
  slowerText,
  textUpTo,
  word,
} from './setting.ts';

// The door of policies: a plain value, as YAML or JSON gave it, becomes policies or is refused with everything that is
// wrong with it. Nothing is replaced by a default in silence: what is not known, not of the right kind, or impossible
// together is a problem with its place.

const policiesMax = 200;
/** Told at once; a document with more is not read on by anybody. */
const problemsMax = 100;

/** Every problem of the document, in its order, or its policies. */
export const parsePolicyDocument = (
  given: unknown,
): Result<PolicyDocument, readonly PolicyProblem[]> => parseDocument(given, refuseWithoutEffect);

type RefuseMore = (document: PolicyDocument, given: unknown, place: Place) => void;

const parseDocument = (
  given: unknown,
  refuseMore: RefuseMore,
): Result<PolicyDocument, readonly PolicyProblem[]> => {
  const place: Place = { path: [], problems: [] };
  const document = readDocument(given, place);
  if (document !== undefined && place.problems.length === 0) refuseMore(document, given, place);
  if (place.problems.length > 0 || document === undefined)
    return fail(place.problems.slice(0, problemsMax));
  if (utf8Bytes(canonicalJson(given as Json)) > policyDocumentBytesMax) {
    refuse(
      place,
      'too-large',
      `is larger than ${policyDocumentBytesMax} bytes without its comments`,
    );
    return fail(place.problems);
  }
  return ok(document);
};

/** One entry of a document: the settings of one place. */
export const parsePlacedPolicy = (
  given: unknown,
): Result<PlacedPolicy, readonly PolicyProblem[]> => {
  const place: Place = { path: [], problems: [] };
  const policy = readPlaced(given, place);
  return policy === undefined || place.problems.length > 0 ? fail(place.problems) : ok(policy);
};

/** Reads what `policyText` wrote. */
export const readPolicyText = (text: string): Result<PlacedPolicy, readonly PolicyProblem[]> => {
  const value = readJson(text, policyBytesMax);
  if (!value.ok) return value;
  // A backtest may promote nothing. No document may say so.
  if (!isPlain(value.value) || value.value['false-promotions'] !== shareText(0))
    return parsePlacedPolicy(value.value);
  const { 'false-promotions': _none, ...others } = value.value;
  const placed = parsePlacedPolicy(others);
  return placed.ok ? ok({ ...placed.value, policy: { ...placed.value.policy, beta: 0 } }) : placed;
};

/** Reads a document as it is on the log: canonical JSON. What says something without effect may have been set already. */
export const readDocumentText = (
  text: string,
): Result<PolicyDocument, readonly PolicyProblem[]> => {
  const value = readJson(text, policyDocumentBytesMax);
  return value.ok ? parseDocument(value.value, () => undefined) : value;
};

const readJson = (text: string, bytesMax: number): Result<unknown, readonly PolicyProblem[]> => {
  if (utf8Bytes(text) > bytesMax)
    return fail([
      { code: 'too-large', path: [], message: `the document is larger than ${bytesMax} bytes` },
    ]);
  try {
    return ok(JSON.parse(text));
  } catch {
    return fail([{ code: 'wrong-type', path: [], message: 'the document is not JSON' }]);
  }
};

const documentVersion = 2;

const readDocument = (given: unknown, place: Place): PolicyDocument | undefined => {
  // Of another version nothing else can be said.
  if (isPlain(given) && Object.hasOwn(given, 'version') && given['version'] !== documentVersion)
    return refuse(
      inside(place, 'version'),
      'out-of-range',
      `must be ${documentVersion}, not ${named(given['version'])}`,
    );
  if (isPlain(given) && !Object.hasOwn(given, 'version'))
    refuse(inside(place, 'version'), 'missing', `is not there; write version: ${documentVersion}`);
  // To close the names is something to say by itself; without it an empty document says nothing.
  const isClosing = isPlain(given) && Object.hasOwn(given, 'closed');
  const isWithout = isPlain(given) && !Object.hasOwn(given, 'policies');
  if (isWithout && !isClosing)
    refuse(inside(place, 'policies'), 'missing', 'are not there; write policies: and a list');
  const read = readGroup(isClosing ? closingFields : documentFields, given, place);
  const policies = read?.policies ?? (isWithout ? [] : undefined);
  if (read === undefined || policies === undefined) return undefined;
  const { closed } = read;
  for (const [index, policy] of policies.entries()) {
    const first = policies.findIndex((other) => isSamePlace(other, policy));
    if (first < index)
      refuse(
        inside(inside(place, 'policies'), index),
        'contradiction',
        `is for ${placeText(policy)}, as is ${pathText(['policies', first])}; one place has one policy`,
      );
  }
  return closed === undefined ? { policies } : { policies, closed };
};

/** What is understood and would mean nothing: whoever writes it expects something of it. */
const refuseWithoutEffect: RefuseMore = ({ policies, closed }, given, place) => {
  const at = inside(place, 'policies');
  for (const [index, { environment, component }] of policies.entries()) {
    refuseUnlisted('environment', environment, closed?.environments, inside(at, index));
    refuseUnlisted('component', component, closed?.components, inside(at, index));
    const written = listIn(listIn(given, 'policies')[index], 'metrics');
    for (const [number, metric] of written.entries())
      if (isPlain(metric) && metric['weight'] === 0 && metric['critical'] === true)
        refuse(
          inside(inside(inside(inside(at, index), 'metrics'), number), 'critical'),
          'contradiction',
          'must not be true where the weight is 0: the metric is not judged then, and no promotion waits for it',
        );
  }
};

const refuseUnlisted = (
  what: 'environment' | 'component',
  placed: string,
  listed: readonly string[] | undefined,
  place: Place,
): void => {
  if (listed === undefined || placed === anyName) return;
  if (listed.some((pattern) => takesName(pattern, placed))) return;
  refuse(
    inside(place, what),
    'contradiction',
    `must be in closed.${what}s, as nothing can be deployed to ${named(placed)} otherwise${meant(placed, listed)}`,
  );
};

const listIn = (value: unknown, field: string): readonly unknown[] => {
  const list = isPlain(value) ? value[field] : undefined;
  return Array.isArray(list) ? list : [];
};

const isSamePlace = (a: PlacedPolicy, b: PlacedPolicy): boolean =>
  a.component === b.component && a.environment === b.environment;

const DAY_MS = 86_400_000;
const WINDOW_MS_MIN = 100;
const WINDOW_MS_MAX = 300_000;
/** With the grids of the metrics this bounds the judge's state. */
const RESTARTS_MAX = 10;
const STEPS_MAX = 20;
/** As long as telemetry may have it. */
const LABEL_VALUE_MAX = 256;

const time = durationIn(1, DAY_MS);
const timeOrNone = durationIn(0, DAY_MS);
const labelValue = textUpTo(LABEL_VALUE_MAX);

const judgingFields = {
  window: durationIn(WINDOW_MS_MIN, WINDOW_MS_MAX),
  block: time,
  'block-cap': numberIn({ least: 0.1, most: 20 }),
  'no-data': time,
  restarts: group({
    every: time,
    count: numberIn({ least: 0, most: RESTARTS_MAX, isWhole: true }),
    weight: numberIn({ least: 0, most: 1, isOpen: true }),
  }),
  veto: numberIn({ least: 1, most: 1e9, isOpen: true }),
};

const placeName: typeof name = (given, place) => {
  const read = name(given, place);
  return read !== undefined && read !== anyName && read.includes(anyName)
    ? refuse(place, 'out-of-range', `must be one name, or ${anyName} for all, not ${named(read)}`)
    : read;
};

const cohortFields = {
  attribute: name,
  canary: labelValue,
  baseline: labelValue,
  'fresh-baseline': flag,
};

const readCohorts: Read<CohortLabels> = (given, place) => {
  const read = readGroup(cohortFields, given, place);
  if (read === undefined || !isPlain(given)) return undefined;
  const { attribute, canary, baseline, 'fresh-baseline': freshBaseline = false } = read;
  for (const field of ['attribute', 'canary', 'baseline'])
    if (!Object.hasOwn(given, field))
      refuse(
        inside(place, field),
        'missing',
        'is not there; cohorts need all three, such as {attribute: canary.role, canary: canary, baseline: baseline}',
      );
  if (attribute === undefined || canary === undefined || baseline === undefined) return undefined;
  if (canary === baseline)
    return refuse(
      inside(place, 'baseline'),
      'contradiction',
      `must be another value than the canary's (${named(canary)})`,
    );
  return { attribute, canary, baseline, freshBaseline };
};

const policyFields = {
  component: placeName,
  environment: placeName,
  preset: word(presetNames),
  'warm-up': timeOrNone,
  soak: timeOrNone,
  deadline: time,
  bake: timeOrNone,
  steps: listOf(shareIn({ least: 0, most: 1, isOpen: true }), 0, STEPS_MAX, 'shares'),
  'false-roll-backs': shareIn({ least: 1e-6, most: 0.1 }),
  'false-promotions': shareIn({ least: 1e-6, most: 0.5 }),
  // Each is read over the preset, once that is known.
  metrics: listOf((given: unknown) => given ?? {}, 0, metricsMax, 'metrics'),
  target: name,
  cohorts: readCohorts,
  rollouts: group({ 'before-after': flag, 'blue-green': flag }),
  'on-silence': word(['hold', 'page', 'roll-back'] as const),
  'on-behalf': word(['ignore', 'accept'] as const),
  frozen: word(['warn', 'refuse'] as const),
  act: word(['decide', 'dry-run', 'ask'] as const),
  'flap-guard': group({ window: durationIn(0, 30 * DAY_MS), freeze: flag }),
  caps: group({
    'per-component-hour': numberIn({ least: 1, most: 1_000, isWhole: true }),
    'per-hour': numberIn({ least: 1, most: 10_000, isWhole: true }),
  }),
  require: listOf(word(requiredFieldNames), 0, requiredFieldNames.length, 'names of fields'),
  judging: group(judgingFields),
};

type Given = GivenOf<typeof policyFields>;

const readPlaced = (given: unknown, place: Place): PlacedPolicy | undefined => {
  if (isPlain(given))
    for (const field of ['component', 'environment'])
      if (!Object.hasOwn(given, field))
        refuse(
          inside(place, field),
          'missing',
          `is not there; write a name, or "${anyName}" for all`,
        );
  const read = readGroup(policyFields, given, place);
  if (read === undefined || !isPlain(given)) return undefined;
  const { component, environment, preset = 'standard' } = read;
  const metrics = readMetrics(presets[preset], read.metrics ?? [], inside(place, 'metrics'));
  const policy = over(presets[preset], read, metrics);
  // What is wrong by itself would be told a second time as a contradiction.
  if (place.problems.length === 0) {
    refuseTimes(policy, given, place);
    refuseBudget(policy, given, place);
    refuseLists(policy, place);
  }
  if (component === undefined || environment === undefined) return undefined;
  const placed = { component, environment, preset, policy };
  if (place.problems.length === 0 && utf8Bytes(policyText(placed)) > policyBytesMax)
    refuse(
      place,
      'too-large',
      `is larger than ${policyBytesMax} bytes with everything it stands for`,
    );
  return placed;
};

/** Of names that are all there may be. */
const CLOSED_NAMES_MAX = 1000;

const closedName: typeof name = (given, place) => {
  const read = name(given, place);
  return read !== undefined && read.slice(0, -1).includes(anyName)
    ? refuse(
        place,
        'out-of-range',
        `must be a name, or its beginning and ${anyName}, not ${named(read)}`,
      )
    : read;
};

const closedNames = listOf(closedName, 1, CLOSED_NAMES_MAX, 'names');

const documentFields = {
  version: numberIn({ least: documentVersion, most: documentVersion }),
  policies: listOf(readPlaced, 1, policiesMax, 'policies'),
  closed: group({ environments: closedNames, components: closedNames }),
};

const closingFields = {
  ...documentFields,
  policies: listOf(readPlaced, 0, policiesMax, 'policies'),
};

const over = (preset: Policy, given: Given, metrics: readonly MetricPolicy[]): Policy => {
  const { judging, caps } = given;
  const flap = given['flap-guard'];
  const { restarts } = judging ?? {};
  return {
    version: preset.version,
    windowMs: judging?.window ?? preset.windowMs,
    warmUpMs: given['warm-up'] ?? preset.warmUpMs,
    soakMs: given.soak ?? preset.soakMs,
    deadlineMs: given.deadline ?? preset.deadlineMs,
    bakeMs: given.bake ?? preset.bakeMs,
    blockMs: judging?.block ?? preset.blockMs,
    blockCapNats: judging?.['block-cap'] ?? preset.blockCapNats,
    noDataMs: judging?.['no-data'] ?? preset.noDataMs,
    restarts: {
      everyMs: restarts?.every ?? preset.restarts.everyMs,
      count: restarts?.count ?? preset.restarts.count,
      weightEach: restarts?.weight ?? preset.restarts.weightEach,
    },
    alpha: given['false-roll-backs'] ?? preset.alpha,
    beta: given['false-promotions'] ?? preset.beta,
    vetoEvidence: judging?.veto ?? preset.vetoEvidence,
    steps: given.steps ?? preset.steps,
    metrics,
    targetAttribute: given.target ?? preset.targetAttribute,
    cohorts: given.cohorts ?? preset.cohorts,
    rollouts: {
      beforeAfter: given.rollouts?.['before-after'] ?? preset.rollouts.beforeAfter,
      blueGreen: given.rollouts?.['blue-green'] ?? preset.rollouts.blueGreen,
    },
    onSilence: given['on-silence'] ?? preset.onSilence,
    onBehalf: given['on-behalf'] ?? preset.onBehalf,
    frozen: given.frozen ?? preset.frozen,
    act: given.act ?? preset.act,
    flap: {
      windowMs: flap?.window ?? preset.flap.windowMs,
      freeze: flap?.freeze ?? preset.flap.freeze,
    },
    caps: {
      perComponentHour: caps?.['per-component-hour'] ?? preset.caps.perComponentHour,
      perHour: caps?.['per-hour'] ?? preset.caps.perHour,
    },
    required: given.require ?? preset.required,
  };
};

/** The preset's metrics in their order, then the others; one of weight 0 is not judged. */
const readMetrics = (
  preset: Policy,
  given: readonly unknown[],
  place: Place,
): readonly MetricPolicy[] => {
  const read = new Map<string, ReadMetric>();
  for (const [index, one] of given.entries()) {
    const at = inside(place, index);
    const metric = readMetric(preset, one, at);
    if (metric === undefined) continue;
    if (read.has(metric.name))
      refuse(
        inside(at, 'name'),
        'contradiction',
        `must be another one: ${named(metric.name)} stands there already`,
      );
    read.set(metric.name, metric);
    metric.metrics.slice(0, 1).forEach((first) => refuseMargins(first, at));
  }
  const presetIds = new Set(preset.metrics.map(({ id }) => id));
  const judged = [
    ...preset.metrics.flatMap((metric) => read.get(metric.id)?.metrics ?? [metric]),
    ...[...read.values()].flatMap((metric) => (presetIds.has(metric.name) ? [] : metric.metrics)),
  ].filter(({ weight }) => weight > 0);
  // What `per` made of a metric of the preset is none of the preset any more.
  const isOfPreset = ({ id }: MetricPolicy): boolean => presetIds.has(id);
  const metrics = [...judged.filter(isOfPreset), ...judged.filter((metric) => !isOfPreset(metric))];
  const ids = new Set(metrics.map(({ id }) => id));
  if (ids.size < metrics.length)
    refuse(place, 'contradiction', 'must have names of their own, also after per');
  if (metrics.length > metricsMax)
    refuse(
      place,
      'out-of-range',
      `come to ${metrics.length} metrics, those of the preset and of per included; at most ${metricsMax} are judged`,
    );
  if (metrics.length === 0 && place.problems.length === 0)
    refuse(place, 'contradiction', 'all have the weight 0, so nothing would be judged');
  return metrics;
};

const lineText = ({ relative, absolute }: Line): string =>
  `${relative} times plus ${shareText(absolute)}`;

const isWider = (wide: Line, narrow: Line): boolean =>
  wide.relative >= narrow.relative &&
  wide.absolute >= narrow.absolute &&
  (wide.relative > narrow.relative || wide.absolute > narrow.absolute);

const refuseMargins = (metric: MetricPolicy, place: Place): void => {
  const refuseAt = (field: string, what: string): void => {
    refuse(inside(place, field), 'contradiction', what);
  };
  const refuseLines = ({
    tolerance,
    promoteTolerance,
  }: {
    tolerance: Line;
    promoteTolerance: Line;
  }): void => {
    if (!isWider(promoteTolerance, tolerance))
      refuseAt(
        'promote-tolerance',
        `(${lineText(promoteTolerance)}) must be wider than tolerance (${lineText(tolerance)})`,
      );
  };
  switch (metric.judged) {
    case 'errors':
      refuseLines(metric);
      return;
    case 'latency':
      refuseLines(metric);
      if (metric.promoteSlower <= metric.slower)
        refuseAt(
          'promote-slower',
          `(${slowerText(metric.promoteSlower)}) must be more than slower (${slowerText(metric.slower)})`,
        );
      return;
    case 'level':
      if (metric.promoteMargin <= metric.margin)
        refuseAt(
          'promote-margin',
          `(${shareText(metric.promoteMargin)}) must be more than margin (${shareText(metric.margin)})`,
        );
      if (metric.worse === 'lower' && metric.promoteMargin >= 1)
        refuseAt(
          'promote-margin',
          'must be below 100% where lower is worse: no level is lower than nothing',
        );
      return;
    case 'traffic':
      if (metric.promoteLeast >= metric.least)
        refuseAt(
          'promote-least',
          `(${shareText(metric.promoteLeast)}) must be below least (${shareText(metric.least)})`,
        );
  }
};

/** The place of the first of these settings that the document has; the policy's own place where it has none. */
const placeOf = (given: Plain, place: Place, ...paths: readonly PolicyPath[]): Place => {
  for (const path of paths) {
    let value: unknown = given;
    for (const key of path) value = isPlain(value) ? value[key] : undefined;
    if (value !== undefined) return path.reduce(inside, place);
  }
  return place;
};

const refuseTimes = (policy: Policy, given: Plain, place: Place): void => {
  const { warmUpMs, soakMs, deadlineMs, windowMs, noDataMs } = policy;
  const deadline = durationText(deadlineMs);
  if (warmUpMs >= deadlineMs)
    refuse(
      placeOf(given, place, ['warm-up'], ['deadline']),
      'contradiction',
      `does not fit: warm-up (${durationText(warmUpMs)}) must be shorter than deadline (${deadline})`,
    );
  else if (soakMs >= deadlineMs)
    refuse(
      placeOf(given, place, ['soak'], ['deadline']),
      'contradiction',
      `does not fit: soak (${durationText(soakMs)}) must be shorter than deadline (${deadline})`,
    );
  else if (warmUpMs > soakMs)
    refuse(
      placeOf(given, place, ['soak'], ['warm-up']),
      'contradiction',
      `does not fit: warm-up (${durationText(warmUpMs)}) is part of soak (${durationText(soakMs)}) and must not be longer`,
    );
  if (windowMs > deadlineMs - warmUpMs && warmUpMs < deadlineMs)
    refuse(
      placeOf(given, place, ['judging', 'window'], ['deadline'], ['warm-up']),
      'contradiction',
      `does not fit: between warm-up and deadline (${deadline}) must be at least one window (${durationText(windowMs)})`,
    );
  if (noDataMs < 2 * windowMs)
    refuse(
      placeOf(given, place, ['judging', 'no-data'], ['judging', 'window']),
      'contradiction',
      `does not fit: no-data (${durationText(noDataMs)}) must be two windows (${durationText(2 * windowMs)}) or more`,
    );
};

const refuseBudget = (policy: Policy, given: Plain, place: Place): void => {
  const { alpha, vetoEvidence, restarts, caps } = policy;
  const evidenceNeeded = 2 / alpha;
  if (vetoEvidence >= evidenceNeeded)
    refuse(
      placeOf(given, place, ['judging', 'veto'], ['false-roll-backs']),
      'contradiction',
      `does not fit: veto (${vetoEvidence}) must be below ${evidenceNeeded}, the evidence that rolls back at ${shareText(alpha)} false roll-backs`,
    );
  if (restarts.count * restarts.weightEach >= 1)
    refuse(
      placeOf(given, place, ['judging', 'restarts']),
      'contradiction',
      `does not fit: count (${restarts.count}) times weight (${restarts.weightEach}) must be below 1, or nothing is left to begin with`,
    );
  if (caps.perComponentHour > caps.perHour)
    refuse(
      placeOf(given, place, ['caps']),
      'contradiction',
      `does not fit: per-component-hour (${caps.perComponentHour}) must not be above per-hour (${caps.perHour})`,
    );
};

const refuseLists = ({ steps, required }: Policy, place: Place): void => {
  const fall = steps.findIndex((step, index) => index > 0 && step <= (steps[index - 1] ?? 0));
  if (fall > 0)
    refuse(
      inside(inside(place, 'steps'), fall),
      'contradiction',
      `(${shareText(steps[fall] ?? 0)}) must be above the step before it (${shareText(steps[fall - 1] ?? 0)})`,
    );
  const twice = required.findIndex((field, index) => required.indexOf(field) < index);
  if (twice > 0)
    refuse(
      inside(inside(place, 'require'), twice),
      'contradiction',
      `names ${required[twice] ?? ''} a second time`,
    );
};
