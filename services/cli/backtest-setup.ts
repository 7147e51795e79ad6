import type { BacktestSetup } from '../core/canary/backtest/setup.ts';
import { toldRollouts } from '../core/canary/backtest/markers.ts';
import type { CanaryRun, TimedMarker, ToldRollouts } from '../core/canary/backtest/markers.ts';
import { readMarkerLine } from '../core/canary/backtest/marker-line.ts';
import type { RunningVersion } from '../core/samples/sample.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { uuidOfParts } from '../core/uuid-v8.ts';
import type { Given } from './arguments.ts';
import { captureBeginMs, captureEndMs } from './capture.ts';
import { utcTime } from './position-at.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

// What a backtest is about, from its options or from markers.

type SetupPorts = Pick<CliPorts, 'settings' | 'tools' | 'readTextFile' | 'captures'>;

/** A capture as `--metrics` names it. */
export type NamedCapture = {
  readonly path: string;
  /** When the canary began, as written behind `@`; null: for all captures alike. */
  readonly since: string | null;
};

/** `FILE`, or `FILE@TIME`. */
export const namedCapture = (written: string): NamedCapture => {
  const at = written.lastIndexOf('@');
  return at > 0 && utcTime.test(written.slice(at + 1))
    ? { path: written.slice(0, at), since: written.slice(at + 1) }
    : { path: written, since: null };
};

/** What a backtest of this capture is about. */
export type SetupOf = (capture: NamedCapture) => Promise<Result<BacktestSetup, CliProblem>>;

/** Markers are read once, for all captures. */
export const readSetups = async (
  ports: SetupPorts,
  given: Given,
): Promise<Result<SetupOf, CliProblem>> => {
  const path = given.value('markers');
  if (path === null)
    return ok(({ since }) =>
      Promise.resolve(setupOfOptions(ports, given, since ?? given.value('since'))),
    );
  const text = await ports.readTextFile(path, markersBytesMax);
  if (!text.ok) return text;
  const markers = readMarkers(ports, path, text.value);
  if (!markers.ok) return markers;
  const told: Told = { path, ...toldRollouts(markers.value) };
  return ok((capture) => setupOfMarkers(ports, given, told, capture));
};

const setupOfOptions = (
  ports: SetupPorts,
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
  const { audience } = ports.settings;
  const idOf = (version: string): string =>
    uuidOfParts(digestOf(ports), ['backtest', environment, component, version]);
  const versionOf = (version: string): RunningVersion => ({
    version,
    digest: null,
    deployment: idOf(version),
  });
  return ok({
    ...{ audience, environment, component, namespace: 'default' },
    deployment: idOf(canary),
    canary: versionOf(canary),
    baseline: [versionOf(baseline)],
    sinceMs: sinceMs.value,
    shares: shares.value,
    ended: null,
    isByVersion: true,
  });
};

const digestOf =
  ({ tools }: Pick<CliPorts, 'tools'>) =>
  (text: string): string =>
    tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

const readTime = (option: string, written: string): Result<number, CliProblem> => {
  const timeMs = timeOf(written);
  return Number.isNaN(timeMs)
    ? refuse(
        'option-invalid',
        `--${option}=${JSON.stringify(written.slice(0, 64))} is no time in UTC`,
        'write it such as 2026-11-20T10:00:00Z',
      )
    : ok(timeMs);
};

const unitsMs: { readonly [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000 };
const weightsMax = 100;

/**
 * `0.5` or `50%`: the share all the time. `0s=0.01,450s=0.05`: seconds, minutes or hours after the start, rising, and the
 * share from then on.
 */
const readWeights = (
  written: string | null,
  sinceMs: number,
): Result<BacktestSetup['shares'], CliProblem> => {
  if (written === null) return ok([]);
  const parts = written.includes('=') ? written.split(',') : [`0s=${written}`];
  const shares: { readonly atMs: number; readonly share: number }[] = [];
  for (const part of parts) {
    const [, count = '', unit = '', given = ''] =
      /^([0-9]{1,6}(?:\.[0-9]{1,3})?)([smh])=(.{1,16})$/.exec(part.trim()) ?? [];
    const atMs = sinceMs + Math.round(Number(count) * (unitsMs[unit] ?? Number.NaN));
    const share = shareOf(given);
    const isLater = atMs > (shares.at(-1)?.atMs ?? -Infinity);
    if (!isLater || !(share >= 0 && share <= 1) || parts.length > weightsMax)
      return refuse(
        'option-invalid',
        `--weight: ${JSON.stringify(part.slice(0, 64))} is not a later time with a share of 0 to 1`,
        "the canary's share of the traffic: --weight=0.5, or --weight=0s=1%,450s=5%,900s=25% where it changes",
      );
    shares.push({ atMs, share });
  }
  return ok(shares);
};

const shareOf = (written: string): number => {
  const [, number = '', percent] = /^([0-9]{1,3}(?:\.[0-9]{1,9})?)(%)?$/.exec(written) ?? [];
  return number === '' ? Number.NaN : Number(number) / (percent === undefined ? 1 : 100);
};

/** Markers of one deployment are few; a whole log is exported by component. */
const markersBytesMax: number = 64 * 1024 * 1024;

type Told = ToldRollouts & { readonly path: string };

const setupOfMarkers = async (
  ports: SetupPorts,
  given: Given,
  { path, canaries, others: otherRollouts }: Told,
  capture: NamedCapture,
): Promise<Result<BacktestSetup, CliProblem>> => {
  const asked = canaries.filter((run) => isAsked(run, given));
  const inside = asked.length > 1 ? await startedInside(ports, asked, capture.path) : ok(asked);
  if (!inside.ok) return inside;
  const [run, ...others] = inside.value;
  const other = otherRollouts.findLast((each) => isAsked(each, given));
  if (run === undefined && other !== undefined)
    return refuse(
      'marker-invalid',
      `${path}: ${nameOf(other)} was no canary: no share of the traffic was told`,
      'a backtest holds two versions side by side and knows no before/after and no full switch of colours; where both ran at once, name them by --service, --environment, --canary, --baseline and --since',
    );
  if (run === undefined)
    return refuse(
      'marker-invalid',
      `${path} tells of no canary that was started${given.value('canary') === null ? '' : ' as asked'}`,
      'a canary is planned with --canary-share or strategy canary, or traffic is shifted to it, and it is running',
    );
  if (others.length > 0)
    return refuse(
      'marker-invalid',
      `${path} tells of ${inside.value.length} canaries: ${inside.value.slice(-5).map(nameOf).join(', ')}`,
      'name one by --deployment=ID, or by --service, --environment and --canary',
    );
  const { target: _target, ...rest } = run;
  const named = given.value('baseline');
  const baseline: readonly RunningVersion[] =
    named === null
      ? rest.baseline
      : [
          rest.baseline.find(({ version }) => version === named) ?? {
            version: named,
            digest: null,
            deployment: uuidOfParts(digestOf(ports), ['backtest', named]),
          },
        ];
  if (baseline.length === 0)
    return refuse(
      'marker-invalid',
      `${path} does not tell what ran before ${nameOf(run)}`,
      'export from further back, or name its service.version by --baseline',
    );
  const since = capture.since ?? given.value('since');
  const sinceMs = since === null ? ok(rest.sinceMs) : readTime('since', since);
  if (!sinceMs.ok) return sinceMs;
  const weights = readWeights(given.value('weight'), sinceMs.value);
  if (!weights.ok) return weights;
  return ok({
    ...rest,
    audience: ports.settings.audience,
    baseline,
    sinceMs: sinceMs.value,
    shares: given.value('weight') === null ? rest.shares : weights.value,
    isByVersion: false,
  });
};

/** A capture may begin so much later than the canary. */
const missedMsMax = 120_000;

/** Of several canaries those that began while this was recorded; all of them if that is none. */
const startedInside = async (
  ports: SetupPorts,
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
  const wanted: readonly (readonly [option: string, value: string])[] = [
    ['service', run.component],
    ['environment', run.environment],
    ['canary', run.canary.version],
    ['deployment', run.deployment],
  ];
  return wanted.every(([option, value]) => (given.value(option) ?? value) === value);
};

const nameOf = ({ deployment, component, environment, canary }: CanaryRun): string =>
  `${deployment} (${component} ${canary.version} in ${environment})`;

/** Each refusal names its line. */
const readMarkers = (
  ports: SetupPorts,
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

const timeOf = (iso: string): number => (utcTime.test(iso) ? Date.parse(iso) : Number.NaN);
