import { supportedReleases } from '../reading/releases.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { maskSecrets } from '../../core/secrets/find-secrets.ts';
import type { Line } from '../../core/views.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { openReader } from '../reading/open-reader.ts';
import type { Reader } from '../reading/reader.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { Check } from './check.ts';
import { failedBy, passed, skipped, warned } from './check.ts';
import { checkContext, checkKey, checkSettings, checkSpool } from './offline.ts';
import { readiness } from './readiness.ts';
import { tryMarker } from './test-marker.ts';
import { checkGateway, checkLog, checkTrust, wordOf } from './way.ts';

/** Looks at the whole way from here to the log and back. Says each thing as it is found. */
export const runDoctor = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const all: Check[] = [];
  for await (const check of checks(ports, given)) {
    all.push(check);
    checkLines(ports.terminal, [check], isJson);
  }
  const failures = all.filter(({ outcome }) => outcome === 'fail');
  const [first] = failures;
  if (first === undefined) return ok(undefined);
  return fail({
    code: 'doctor-failed',
    message: `${failures.length} of ${all.length} checks failed: ${failures.map(({ check }) => check).join(', ')}`,
    hint: maskSecrets(first.hint),
    exit: first.exit,
  });
};

/** Prints what was looked at. */
export const checkLines = (
  terminal: CliPorts['terminal'],
  found: readonly Check[],
  isJson: boolean,
): void => {
  for (const check of found) {
    // An address may carry a password, and what a pipeline prints is kept.
    const shown = { ...check, message: maskSecrets(check.message), hint: maskSecrets(check.hint) };
    const { exit: _exit, ...line } = shown;
    if (isJson) printLines(terminal, [line]);
    else printText(terminal, textOf(shown));
  }
};

/** What can be looked at without asking anybody. */
export const offlineChecks = async (
  ports: CliPorts,
  given: Given,
  isLogThere?: boolean,
): Promise<readonly Check[]> => [
  ...checkSettings(ports),
  ...(await checkContext(ports, given)),
  (await checkKey(ports, given, isLogThere)).check,
  await checkSpool(ports),
];

async function* checks(ports: CliPorts, given: Given): AsyncGenerator<Check> {
  const { gateway } = ports;
  const isOffline = given.has('offline');
  const there = isOffline || gateway !== null ? undefined : await ports.isLogThere();
  const isLogThere = there?.ok === true ? there.value : undefined;
  yield* await offlineChecks(ports, given, isLogThere);
  if (isOffline) return;
  const { signer } = await checkKey(ports, given, isLogThere);
  const way = gateway === null ? await checkLog(ports) : await checkGateway(ports, gateway);
  yield* way.checks;
  if (!way.isUp || way.checks.some(({ outcome }) => outcome === 'fail')) return;
  const reader = await openReader(ports);
  if (!reader.ok) {
    yield failedBy('read models', reader.problem);
    return;
  }
  if (signer !== undefined) yield await checkTrust(reader.value, signer);
  yield await checkReleases(reader.value);
  const tried = await tryMarker(ports, given);
  yield* tried.checks;
  if (given.has('readiness')) {
    const after = await openReader(ports);
    yield* after.ok ? await readiness(after.value, tried) : [failedBy('readiness', after.problem)];
  }
}

/** Releases that customers hold are supported until somebody says otherwise; the old ones are easily forgotten. */
const checkReleases = async (reader: Reader): Promise<Check> => {
  const releases = await supportedReleases(reader);
  if (!releases.ok) return failedBy('releases', releases.problem);
  const released = releases.value;
  const placeOf = (line: Line): string =>
    `${wordOf(line, 'component')}/${wordOf(line, 'environment')}`;
  const newest = new Map(released.map((line) => [placeOf(line), line]));
  const old = released.filter((line) => newest.get(placeOf(line)) !== line);
  if (released.length === 0) return skipped('releases', 'none is supported by customers');
  return old.length === 0
    ? passed('releases', `${released.length} supported, none beside a newer one`)
    : warned(
        'releases',
        `still supported beside a newer one: ${old.map((line) => `${wordOf(line, 'component')} ${wordOf(line, 'version')}`).join(', ')}`,
        'plimsoll record-support-ended where that is over',
      );
};

const marks: { readonly [Outcome in Check['outcome']]: string } = {
  ok: 'ok  ',
  warn: 'WARN',
  fail: 'FAIL',
  skipped: '-   ',
  met: 'met ',
  'not-met': 'NOT ',
  unseen: '?   ',
};

const textOf = ({ outcome, check, message, hint }: Check): readonly string[] => [
  `${marks[outcome]}  ${check}: ${plainText(message)}`,
  ...(hint === '' ? [] : [`      ${plainText(hint)}`]),
];
