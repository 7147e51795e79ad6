import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import type { Comparison } from '../../core/canary/rollouts/comparison.ts';
import { isoTime } from '../../core/instant.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { RunningVersion } from '../../core/samples/sample.ts';
import type { TextDigest } from '../../core/uuid-v8.ts';
import { uuidOfParts } from '../../core/uuid-v8.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { utcMsOf } from '../../core/utc-time.ts';

/** What is asked about by options alone. */
export const setupOfOptions = (
  ports: Pick<CliPorts, 'settings' | 'tools'>,
  given: Given,
  since: string | null,
): Result<BacktestSetup, CliProblem> => {
  const names = ['service', 'environment', 'canary', 'baseline'] as const;
  const missing =
    names.find((name) => given.value(name) === null) ?? (since === null ? 'since' : undefined);
  if (missing !== undefined)
    return refuse(
      'option-missing',
      `plimsoll backtest needs --${missing}, or --markers`,
      'what ran where and when is said by --service, --environment, --canary, --baseline and --since, or by markers',
    );
  const [component = '', environment = '', canary = '', baseline = ''] = names.map((name) =>
    given.value(name),
  ) as string[];
  if (canary === baseline)
    return refuse(
      'option-invalid',
      `--canary and --baseline are both ${JSON.stringify(canary.slice(0, 64))}`,
      'cohorts are told apart by service.version; where both have the same, --markers tells them apart by deployment.id',
    );
  const sinceMs = readTime('since', since ?? '');
  if (!sinceMs.ok) return sinceMs;
  const shares = readWeights(given.value('weight'), sinceMs.value);
  if (!shares.ok) return shares;
  const comparison = readRollout(given);
  if (!comparison.ok) return comparison;
  const { audience } = ports.settings;
  const idOf = (version: string): string =>
    uuidOfParts(digestOf(ports), ['backtest', environment, component, version]);
  const versionOf = (version: string): RunningVersion => ({
    version,
    digest: null,
    deployment: idOf(version),
  });
  return ok({
    ...{ audience, environment, component, namespace: 'default', target: given.value('target') },
    deployment: idOf(canary),
    canary: versionOf(canary),
    baseline: [versionOf(baseline)],
    sinceMs: sinceMs.value,
    comparison: comparison.value,
    shares: shares.value,
    ended: null,
    isByVersion: true,
  });
};

/** As a person names how the new version came. */
const rolloutKinds: { readonly [kind: string]: Comparison } = {
  canary: 'concurrent',
  full: 'before-after',
  'blue-green': 'colours',
};

const readRollout = (given: Given): Result<Comparison, CliProblem> => {
  const written = given.value('rollout') ?? 'canary';
  const comparison = Object.hasOwn(rolloutKinds, written) ? rolloutKinds[written] : undefined;
  if (comparison === undefined)
    return refuse(
      'option-invalid',
      `--rollout=${JSON.stringify(written.slice(0, 64))} is no kind of rollout`,
      `it is one of ${Object.keys(rolloutKinds).join(', ')}`,
    );
  if (comparison !== 'concurrent' && given.value('weight') !== null)
    return refuse(
      'option-invalid',
      `--weight is a canary's share of the traffic, and --rollout=${written} has all of it`,
      'leave one of them out; a colour that had a part of the traffic first is a canary until the switch',
    );
  return ok(comparison);
};

/** SHA-256 of a text, hex. */
export const digestOf =
  ({ tools }: Pick<CliPorts, 'tools'>): TextDigest =>
  (text) =>
    tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

/** A time in UTC, milliseconds since 1970. */
export const readTime = (option: string, written: string): Result<number, CliProblem> => {
  const timeMs = timeOf(written);
  return Number.isNaN(timeMs)
    ? refuse(
        'option-invalid',
        `--${option}=${JSON.stringify(written.slice(0, 64))} is no time in UTC`,
        `write it such as ${inUtc(written) ?? '2026-11-20T10:00:00Z'}`,
      )
    : ok(timeMs);
};

/** The same time in UTC, where another zone is named. */
const inUtc = (written: string): string | undefined => {
  const timeMs = otherZone.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : isoTime(timeMs);
};

const otherZone = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}[+-][0-9]{2}:[0-9]{2}$/;

const unitsMs: { readonly [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000 };
const weightsMax = 100;

/**
 * `0.5` or `50%`: the share all the time. `0s=0.01,450s=0.05`: seconds, minutes or hours after the start, rising, and the
 * share from then on.
 */
export const readWeights = (
  written: string | null,
  sinceMs: number,
): Result<BacktestSetup['shares'], CliProblem> => {
  if (written === null) return ok([]);
  const isCourse = written.includes('=');
  const parts = isCourse ? written.split(',') : [`0s=${written}`];
  const shares: { readonly atMs: number; readonly share: number }[] = [];
  for (const part of parts) {
    const [, count = '', unit = '', given = ''] =
      /^([0-9]{1,6}(?:\.[0-9]{1,3})?)([smh])=(.+)$/.exec(part.trim()) ?? [];
    const atMs = sinceMs + Math.round(Number(count) * (unitsMs[unit] ?? Number.NaN));
    const share = shareOf(given);
    const isLater = atMs > (shares.at(-1)?.atMs ?? -Infinity);
    if (!isLater || !(share >= 0 && share <= 1) || parts.length > weightsMax)
      return refuse(
        'option-invalid',
        isCourse
          ? `--weight: ${JSON.stringify(part.slice(0, 64))} is not a later time with a share of 0 to 1`
          : `--weight=${JSON.stringify(written.slice(0, 64))} is no share of 0 to 1`,
        "the canary's share of the traffic: --weight=0.5, or --weight=0s=1%,450s=5%,900s=25% where it changes",
      );
    shares.push({ atMs, share });
  }
  return ok(shares);
};

const shareOf = (written: string): number => {
  const [, number = '', percent] = /^([0-9]{1,3}(?:\.[0-9]+)?)(%)?$/.exec(written) ?? [];
  return number === '' ? Number.NaN : Number(number) / (percent === undefined ? 1 : 100);
};

/** NaN: it is none. */
export const timeOf = (iso: string): number => utcMsOf(iso) ?? Number.NaN;
