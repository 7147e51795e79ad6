import type { JsonFields } from '../../core/json-text.ts';
import type { Line } from '../../core/views.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { Signer } from '../../ports/signer.ts';
import type { CliPorts } from '../ports.ts';
import type { Reader } from '../reading/reader.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import { logOfJob } from '../release/log-of-job.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import type { Check } from './check.ts';
import { failedBy, passed, skipped, warned } from './check.ts';

// The way to the log: a gateway, or the log itself; its clock; the key as the log knows it.

const withinMs = 5000;
/** A clock further off makes durations and the order of events strange to read; the log's own time counts. */
const clockOffMsMax = 5000;

export const checkGateway = async (
  ports: CliPorts,
  gateway: HttpClient,
): Promise<{ readonly checks: readonly Check[]; readonly isUp: boolean }> => {
  const beganMs = ports.clock.nowMs();
  const answer = await gateway({ method: 'GET', path: '/readyz', headers: {} }, withinMs);
  const tookMs = ports.clock.nowMs() - beganMs;
  const ready = readAnswer(ports.tools.text, answer);
  if (!answer.ok || !ready.ok) {
    const cause = ready.ok
      ? problem('unreachable', 'no answer', '')
      : notReady(ready.problem, answer);
    return { checks: [failedBy('gateway', cause)], isUp: false };
  }
  return {
    checks: [
      passed('gateway', `${ports.settings.url ?? ''} is ready, in ${tookMs} ms`),
      checkClock(answer.value.header('date'), beganMs + tookMs / 2),
      checkLogId(ports.settings.logId, logIdIn(ready.value)),
    ],
    isUp: true,
  };
};

/** A gateway that answers and is not ready lacks what it stands on: that is not mended from here. */
const notReady = (cause: CliProblem, answer: Awaited<ReturnType<HttpClient>>): CliProblem =>
  answer.ok && answer.value.status === 503
    ? {
        ...cause,
        message: `it answers and is not ready: ${cause.message}`,
        hint: 'is what it stands on up? plimsoll doctor beside it, with its PLIMSOLL_LOG and PLIMSOLL_STORE, says more',
      }
    : cause;

const logIdIn = ({ checkpoint }: JsonFields): string | null =>
  typeof checkpoint === 'object' &&
  checkpoint !== null &&
  'logId' in checkpoint &&
  typeof checkpoint.logId === 'string'
    ? checkpoint.logId
    : null;

/** Whether the log that is reached is the one that was meant. */
const checkLogId = (pinned: string | null, found: string | null): Check => {
  if (found === null) return skipped('log id', 'it could not be read');
  if (pinned === null)
    return warned(
      'log id',
      `not pinned: the log that is found, ${found}, is believed to be the right one`,
      `PLIMSOLL_LOG_ID=${found}`,
    );
  return pinned === found
    ? passed('log id', `${found}, as pinned`)
    : failedBy(
        'log id',
        problem(
          'foreign-log',
          `this is the log ${found}, and ${pinned} is pinned`,
          'PLIMSOLL_URL, PLIMSOLL_LOG and PLIMSOLL_LOG_ID must be of one installation',
        ),
      );
};

const checkClock = (date: string | undefined, nowMs: number): Check => {
  const told = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told)) return skipped('clock', 'the gateway does not say what time it is');
  // The header has whole seconds, cut off.
  return clockCheck(told + 500 - nowMs, 'the gateway');
};

const clockCheck = (offMs: number, whose: string): Check => {
  const text = `${(Math.abs(offMs) / 1000).toFixed(1)} s ${offMs > 0 ? 'behind' : 'ahead of'} ${whose}`;
  return Math.abs(offMs) > clockOffMsMax
    ? warned(
        'clock',
        `this machine is ${text}`,
        'set its clock (NTP); markers count by the time of the log',
      )
    : passed('clock', Math.abs(offMs) < 1000 ? `as ${whose}'s` : `${text}: near enough`);
};

export const checkLog = async (
  ports: CliPorts,
): Promise<{ readonly checks: readonly Check[]; readonly isUp: boolean }> => {
  const what = ports.settings.log.foundation === 'kafka' ? 'broker' : 'log';
  const ofJob = logOfJob(ports, ciJob(ports.env));
  const place =
    ofJob === undefined ? [] : [warned('where the log lies', ofJob.message, ofJob.hint)];
  const there = await ports.isLogThere();
  if (!there.ok) return { checks: [failedBy(what, there.problem)], isUp: false };
  if (!there.value) {
    const check = warned(
      what,
      `there is no log of the audience ${ports.settings.audience} yet; this looks and makes none`,
      'is PLIMSOLL_AUDIENCE right? First use makes it: plimsoll up, or a first plimsoll release log',
    );
    return { checks: [...place, check], isUp: false };
  }
  const opened = await ports.log();
  if (!opened.ok) return { checks: [failedBy(what, opened.problem)], isUp: false };
  const atHand = await ports.atHand(() => undefined);
  if (!atHand.ok) {
    const answers = passed(what, `${opened.value.name} answers`);
    return { checks: [...place, answers, failedBy('read models', atHand.problem)], isUp: false };
  }
  const { log, state } = atHand.value;
  return {
    checks: [
      ...place,
      passed(what, `${log.name}: ${state.next} records`),
      passed('read models', 'folded to the end of the log'),
      checkLogId(ports.settings.logId, state.trust.logId),
    ],
    isUp: true,
  };
};

/** The key as the log knows it: whether it may sign what pipelines say, and where. */
export const checkTrust = async (reader: Reader, signer: Signer): Promise<Check> => {
  const keys = await reader.list('keys', {});
  if (!keys.ok) return failedBy('trust', keys.problem);
  const key = keys.value.find((line) => line['key'] === signer.keyId);
  if (key === undefined)
    return failedBy(
      'trust',
      problem(
        'key-unknown',
        `the log does not know the key ${signer.keyId} of ${signer.principal}`,
        'an administrator can add it: plimsoll keys trust <public key file> --role=emitter …',
      ),
    );
  if (key['retiredAt'] !== null || key['compromisedSince'] !== null)
    return failedBy(
      'trust',
      problem(
        'key-retired',
        'the key has ended',
        'make another: plimsoll keys new --principal=NAME',
      ),
    );
  const roles = words(key, 'roles');
  if (!roles.includes('emitter'))
    return warned(
      'trust',
      `the key has no role emitter, but ${roles.join(', ')}`,
      'name an emitter by PLIMSOLL_KEY',
    );
  const environments = words(key, 'environments');
  const scope = `environments ${environments.join(', ')}; components ${words(key, 'components').join(', ')}; kinds ${words(key, 'kinds').join(', ')}`;
  return environments.includes('*')
    ? warned(
        'trust',
        `may act everywhere: ${scope}`,
        'one key an environment keeps a slip in staging out of production',
      )
    : passed('trust', scope);
};

export const words = (line: Line, field: string): readonly string[] => {
  const value = line[field];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
};

/** A text of a line; empty where it is none. */
export const wordOf = (line: Line, field: string): string => {
  const value = line[field];
  return typeof value === 'string' ? value : '';
};
