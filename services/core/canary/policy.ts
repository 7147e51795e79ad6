import { fail, ok } from '../result.ts';
import type { Result } from '../result.ts';

/** A line `relative * baseline rate + absolute`; both rates are errors per request. */
export type Tolerance = { readonly relative: number; readonly absolute: number };

/**
 * Everything the judge needs to know beside the counts. The same policy and the same windows give
 * the same verdict, so the digest of a policy belongs into every decision made with it.
 */
export type JudgePolicy = {
  readonly windowMs: number;
  /** Counted from the first window with requests in both cohorts; nothing in it is evidence. */
  readonly warmUpMs: number;
  /** Counted like the warm-up, which is part of it; no promotion before. */
  readonly soakMs: number;
  /** Counted from window 0. */
  readonly deadlineMs: number;
  /** In each block of this length one grid component gains at most `blockCapNats`. */
  readonly blockMs: number;
  readonly blockCapNats: number;
  /**
   * False-rollback budget of looking after every window. It is half of the promised 1 %; the other
   * half is kept for one classical test at the deadline.
   */
  readonly alphaAnytime: number;
  /** False-promotion budget. */
  readonly beta: number;
  /** What the canary may be worse by before it counts as worse. */
  readonly tolerance: Tolerance;
  /** What the canary must be shown to be better than before it is promoted. */
  readonly promoteTolerance: Tolerance;
  /** A cohort without requests for this long is silent. */
  readonly noDataMs: number;
  /** Rollback evidence from which on nothing is promoted. */
  readonly vetoEvidence: number;
  /** Fresh starts of the rollback evidence, for regressions that begin late. */
  readonly restarts: {
    readonly everyMs: number;
    readonly count: number;
    readonly weightEach: number;
  };
  /** Baseline error rate assumed before any is seen, and how many requests that is worth. */
  readonly priorRate: number;
  readonly priorRequests: number;
  /** Alternatives, as multiples of the tolerated rate: above 1 to roll back, below 1 to promote. */
  readonly grids: { readonly rollback: readonly number[]; readonly promote: readonly number[] };
  /** Shares of the budget per metric; only their proportions count. */
  readonly weights: { readonly errors: number };
};

export type PolicyProblem = {
  readonly code: 'unknown-key' | 'wrong-type' | 'out-of-range' | 'contradiction';
  readonly message: string;
  /** The place, as in `tolerance.relative` or `grids.rollback[2]`; empty for the whole policy. */
  readonly path: string;
};

/** The preset whose figures were simulated: 5-s windows, 1.1x + 0.05 points, 1 : 200. */
export const standardPreset: JudgePolicy = {
  windowMs: 5_000,
  warmUpMs: 60_000,
  soakMs: 300_000,
  deadlineMs: 1_800_000,
  blockMs: 15_000,
  blockCapNats: 1.5,
  alphaAnytime: 0.005,
  beta: 0.05,
  tolerance: { relative: 1.1, absolute: 0.0005 },
  promoteTolerance: { relative: 1.5, absolute: 0.002 },
  noDataMs: 120_000,
  vetoEvidence: 5,
  restarts: { everyMs: 300_000, count: 5, weightEach: 0.1 },
  priorRate: 0.005,
  priorRequests: 100,
  grids: {
    rollback: [1.25, 1.84, 2.7, 3.97, 5.83, 8.57, 12.6, 18.5, 27.2, 40],
    promote: [0.2, 0.35, 0.5, 0.65, 0.8],
  },
  weights: { errors: 0.5 },
};

const DAY_MS = 86_400_000;
const WINDOW_MS_MIN = 100;
const WINDOW_MS_MAX = 300_000;
/** With `RESTARTS_MAX` this keeps the judge's state below 10 KB. */
const GRID_POINTS_MAX = 12;
const RESTARTS_MAX = 10;
const GRID_RATIO_MAX = 1_000;

/** Both ends count as allowed, unless `open`. */
type NumberRule = {
  readonly kind: 'number' | 'integer';
  readonly min: number;
  readonly max: number;
  readonly open?: true;
};
type ListRule = { readonly kind: 'list'; readonly above: number; readonly below: number };
type GroupRule<Group> = {
  readonly kind: 'group';
  readonly fields: { readonly [Key in keyof Group]: RuleFor<Group[Key]> };
};
type RuleFor<Value> = Value extends number
  ? NumberRule
  : Value extends readonly number[]
    ? ListRule
    : GroupRule<Value>;
type AnyRule =
  | NumberRule
  | ListRule
  | { readonly kind: 'group'; readonly fields: Readonly<Record<string, AnyRule>> };

const milliseconds = (min: number, max: number): NumberRule => ({ kind: 'integer', min, max });
const toleranceRule: GroupRule<Tolerance> = {
  kind: 'group',
  fields: {
    relative: { kind: 'number', min: 1, max: 10 },
    absolute: { kind: 'number', min: 0, max: 0.5 },
  },
};

const policyRule: GroupRule<JudgePolicy> = {
  kind: 'group',
  fields: {
    windowMs: milliseconds(WINDOW_MS_MIN, WINDOW_MS_MAX),
    warmUpMs: milliseconds(0, DAY_MS),
    soakMs: milliseconds(0, DAY_MS),
    deadlineMs: milliseconds(1, DAY_MS),
    blockMs: milliseconds(1, DAY_MS),
    blockCapNats: { kind: 'number', min: 0.1, max: 20 },
    alphaAnytime: { kind: 'number', min: 1e-9, max: 0.1 },
    beta: { kind: 'number', min: 1e-9, max: 0.5 },
    tolerance: toleranceRule,
    promoteTolerance: toleranceRule,
    noDataMs: milliseconds(1, DAY_MS),
    vetoEvidence: { kind: 'number', min: 1, max: 1e9, open: true },
    restarts: {
      kind: 'group',
      fields: {
        everyMs: milliseconds(1, DAY_MS),
        count: { kind: 'integer', min: 0, max: RESTARTS_MAX },
        weightEach: { kind: 'number', min: 0, max: 1, open: true },
      },
    },
    priorRate: { kind: 'number', min: 0, max: 1, open: true },
    priorRequests: { kind: 'number', min: 1, max: 1_000_000 },
    grids: {
      kind: 'group',
      fields: {
        rollback: { kind: 'list', above: 1, below: GRID_RATIO_MAX },
        promote: { kind: 'list', above: 0, below: 1 },
      },
    },
    weights: {
      kind: 'group',
      fields: { errors: { kind: 'number', min: 0, max: 1, open: true } },
    },
  },
};

/**
 * Reads overrides and lays them over `base`. Whatever is not known, not a number of the right kind,
 * or impossible together is refused with its place; nothing is replaced by a default in silence.
 */
export const parsePolicy = (
  overrides: unknown,
  base: JudgePolicy = standardPreset,
): Result<JudgePolicy, PolicyProblem> => {
  const parsed = parseValue(policyRule, base, overrides, '');
  if (!parsed.ok) return parsed;
  // The rules have exactly the shape of JudgePolicy, so what they let through has it too.
  const policy = parsed.value as JudgePolicy;
  const contradiction = contradictionIn(policy);
  return contradiction === undefined ? ok(policy) : fail(contradiction);
};

/** The policy as one line of JSON with sorted keys: equal policies give equal text, for a digest. */
export const policyCanonicalJson = (policy: JudgePolicy): string =>
  JSON.stringify(policy, (_key, value: unknown) =>
    isGroup(value) ? Object.fromEntries(Object.entries(value).toSorted(byKey)) : value,
  );

/** How many whole windows cover `durationMs`: times of a policy are rounded up to windows. */
export const windowsIn = (policy: JudgePolicy, durationMs: number): number =>
  Math.ceil(durationMs / policy.windowMs);

const parseValue = (
  rule: AnyRule,
  base: unknown,
  given: unknown,
  path: string,
): Result<unknown, PolicyProblem> => {
  switch (rule.kind) {
    case 'number':
    case 'integer':
      return parseNumber(rule, given, path);
    case 'list':
      return parseList(rule, given, path);
    case 'group':
      return parseGroup(rule.fields, base, given, path);
  }
};

const parseGroup = (
  fields: Readonly<Record<string, AnyRule>>,
  base: unknown,
  given: unknown,
  path: string,
): Result<unknown, PolicyProblem> => {
  if (!isGroup(given)) return fail(wrongType(path, 'an object', given));
  const merged: Record<string, unknown> = isGroup(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(given)) {
    const place = path === '' ? key : `${path}.${key}`;
    const rule = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (rule === undefined) {
      const allowed = Object.keys(fields).join(', ');
      const message = `${place} is not a setting of the judge; allowed here: ${allowed}`;
      return fail({ code: 'unknown-key', message, path: place });
    }
    const parsed = parseValue(rule, merged[key], value, place);
    if (!parsed.ok) return parsed;
    merged[key] = parsed.value;
  }
  return ok(merged);
};

const parseNumber = (
  rule: NumberRule,
  given: unknown,
  path: string,
): Result<number, PolicyProblem> => {
  if (typeof given !== 'number' || !Number.isFinite(given)) {
    return fail(wrongType(path, 'a finite number', given));
  }
  if (rule.kind === 'integer' && !Number.isInteger(given)) {
    return fail(wrongType(path, 'a whole number', given));
  }
  const outside =
    given < rule.min ||
    given > rule.max ||
    (rule.open && (given === rule.min || given === rule.max));
  if (!outside) return ok(given);
  const range = rule.open
    ? `between ${rule.min} and ${rule.max}, both excluded`
    : `from ${rule.min} to ${rule.max}`;
  return fail({ code: 'out-of-range', message: `${path} must be ${range}, not ${given}`, path });
};

const parseList = (
  rule: ListRule,
  given: unknown,
  path: string,
): Result<readonly number[], PolicyProblem> => {
  if (!Array.isArray(given)) return fail(wrongType(path, 'a list of numbers', given));
  if (given.length < 1 || given.length > GRID_POINTS_MAX) {
    const message = `${path} must hold 1 to ${GRID_POINTS_MAX} numbers, not ${given.length}`;
    return fail({ code: 'out-of-range', message, path });
  }
  const numbers: number[] = [];
  for (const [index, value] of given.entries()) {
    const place = `${path}[${index}]`;
    const bounds: NumberRule = { kind: 'number', min: rule.above, max: rule.below, open: true };
    const parsed = parseNumber(bounds, value, place);
    if (!parsed.ok) return parsed;
    if (parsed.value <= (numbers.at(-1) ?? 0)) {
      const message = `${place} must be greater than the number before it`;
      return fail({ code: 'out-of-range', message, path: place });
    }
    numbers.push(parsed.value);
  }
  return ok(numbers);
};

const contradictionIn = (policy: JudgePolicy): PolicyProblem | undefined => {
  const { tolerance, promoteTolerance, restarts } = policy;
  const refuse = (path: string, message: string): PolicyProblem => ({
    code: 'contradiction',
    message,
    path,
  });
  if (policy.warmUpMs >= policy.deadlineMs) {
    return refuse('warmUpMs', 'warmUpMs must be shorter than deadlineMs');
  }
  if (policy.soakMs >= policy.deadlineMs) {
    return refuse('soakMs', 'soakMs must be shorter than deadlineMs');
  }
  if (promoteTolerance.relative < tolerance.relative) {
    return refuse(
      'promoteTolerance.relative',
      'promoteTolerance.relative must not be below tolerance.relative',
    );
  }
  if (promoteTolerance.absolute < tolerance.absolute) {
    return refuse(
      'promoteTolerance.absolute',
      'promoteTolerance.absolute must not be below tolerance.absolute',
    );
  }
  if (
    promoteTolerance.relative === tolerance.relative &&
    promoteTolerance.absolute === tolerance.absolute
  ) {
    return refuse('promoteTolerance', 'promoteTolerance must be wider than tolerance');
  }
  if (policy.vetoEvidence >= 1 / policy.alphaAnytime) {
    return refuse('vetoEvidence', 'vetoEvidence must be below 1 / alphaAnytime');
  }
  if (restarts.count * restarts.weightEach >= 1) {
    return refuse('restarts.weightEach', 'restarts.count * restarts.weightEach must be below 1');
  }
  return undefined;
};

const wrongType = (path: string, expected: string, given: unknown): PolicyProblem => ({
  code: 'wrong-type',
  message: `${path === '' ? 'the policy' : path} must be ${expected}, not ${nameOf(given)}`,
  path,
});

const nameOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number' ? String(value) : `of type ${typeof value}`;
};

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const byKey = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number => {
  if (left === right) return 0;
  return left < right ? -1 : 1;
};
