import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Generation } from '../../ports/read-model-store.ts';
import type {
  Divergence,
  Verification,
  Verifier,
  VerifierStatus,
  VerifyProblem,
  Verifying,
} from '../../ports/verifying.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText, spanText } from '../terminal/display.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed, problem, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';

type Done = Promise<Result<void, CliProblem>>;

const everyMsDefault: number = 60 * 60_000;
const everyMsLeast = 10_000;
const everyMsMost: number = 7 * 24 * 60 * 60_000;
/** When a look that came to no end is tried again, at the latest. */
const againMs = 10_000;
/** What people are shown of what differs; --json has more. */
const shownMax = 20;

/** `plimsoll verify-models`: exit code 3 where a row or the digest is not what the log says. */
export const runVerifyModels = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const remote = onlyAtHand(ports, 'verify-models');
  if (remote !== undefined) return remote;
  const everyMs = readEvery(given);
  if (!everyMs.ok) return everyMs;
  const verifying = await ports.verifying();
  if (!verifying.ok) return verifying;
  const watch = openWatch(ports, verifying.value, given);
  const isFollowing = given.has('follow');
  if (isFollowing) {
    const measured = await ports.measureVerifier(watch.status);
    if (!measured.ok) return measured;
    for (const line of measured.value) ports.note({ code: 'listens', message: line, hint: '' });
  }
  try {
    for (;;) {
      const looked = await watch.look();
      if (looked.ok) print(ports, looked.value, isJson);
      if (!isFollowing) return looked.ok ? verdict(looked.value) : looked;
      // Whoever follows for days outlives a restart of what it asks.
      if (!looked.ok && !ports.stop.aborted) ports.note(looked.problem);
      const untilNextMs = looked.ok ? everyMs.value : Math.min(againMs, everyMs.value);
      if (!ports.stop.aborted) await ports.clock.sleep(untilNextMs, ports.stop);
      if (ports.stop.aborted) return looked.ok ? verdict(looked.value) : ok(undefined);
    }
  } finally {
    await watch.close();
  }
};

const readEvery = (given: Given): Result<number, CliProblem> => {
  const written = given.value('every');
  if (written === null) return ok(everyMsDefault);
  if (!given.has('follow'))
    return refuse('option-invalid', '--every says how often --follow looks', 'add --follow');
  const [, count, unit] = /^([0-9]{1,6})(s|m|h)$/.exec(written) ?? [];
  const ms = Number(count) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h'];
  return ms >= everyMsLeast && ms <= everyMsMost
    ? ok(ms)
    : refuse(
        'option-invalid',
        `--every=${JSON.stringify(written.slice(0, 64))} is no time from 10s to 168h`,
        'write it such as 30s, 10m or 2h',
      );
};

type Watch = {
  readonly look: () => Promise<Result<Verification, CliProblem>>;
  readonly status: () => VerifierStatus;
  readonly close: () => Promise<void>;
};

/** Keeps its fold from look to look, as long as it is of the generation that is asked for. */
const openWatch = (ports: CliPorts, verifying: Verifying, given: Given): Watch => {
  const isFull = given.has('full');
  let kept: { readonly generation: Generation; readonly verifier: Verifier } | undefined;
  let status: VerifierStatus = { verified: null, rounds: 0 };

  const close = async (): Promise<void> => {
    await kept?.verifier.close();
    kept = undefined;
  };
  const verifierOf = async (generation: Generation): Promise<Result<Verifier, VerifyProblem>> => {
    if (kept?.generation === generation) return ok(kept.verifier);
    await close();
    const opened = await verifying.open(generation, { isFull });
    if (opened.ok) kept = { generation, verifier: opened.value };
    return opened;
  };
  const once = async (): Promise<Result<Verification, VerifyProblem>> => {
    const named = given.value('generation');
    const current = named === null ? await verifying.current() : ok(named);
    if (!current.ok) return current;
    if (current.value === undefined)
      return fail({ code: 'generation-unknown', message: 'the store holds no read models yet' });
    const verifier = await verifierOf(current.value);
    if (!verifier.ok) return verifier;
    const folding = openProgress(ports, 'folding the log');
    const comparing = openProgress(ports, 'comparing', 'rows');
    return verifier.value.verify({
      onProgress: (part, progress) => (part === 'fold' ? folding : comparing)(progress),
      isWanted: () => !ports.stop.aborted,
    });
  };

  return {
    close,
    status: () => status,
    look: async () => {
      let looked = await once();
      // A store that was restored, or a generation that was switched meanwhile: the fold begins anew, once.
      if (!looked.ok && isReplaced(looked.problem)) {
        await close();
        looked = await once();
      }
      if (!looked.ok) {
        await close();
        return fail(failed(looked.problem));
      }
      const { to, divergent, digest, seconds } = looked.value;
      status = {
        verified: {
          ...{ position: to, seconds, atMs: ports.clock.nowMs() },
          divergent: divergent + (digest.isEqual ? 0 : 1),
        },
        rounds: status.rounds + 1,
      };
      return looked;
    },
  };
};

const isReplaced = ({ code }: VerifyProblem): boolean =>
  code === 'went-back' || code === 'generation-unknown' || code === 'foreign-log';

const failed = ({ code, message }: VerifyProblem): CliProblem => {
  switch (code) {
    case 'generation-unknown':
      return problem('not-found', message, 'plimsoll replay status lists generations');
    case 'other-fold':
      return problem(
        'old-code',
        message,
        'compare with the release that wrote it, or plimsoll rebuild --reason=TEXT',
      );
    case 'went-back':
      return problem('unreachable', message, 'call again');
    case 'foreign-log':
    case 'log-shortened':
    case 'log-not-opened':
    case 'log-empty':
    case 'old-code':
    case 'gap':
    case 'stopped':
    case 'unreachable':
    case 'corrupt':
    case 'archive-damaged':
      return foldFailed({ code, message });
  }
};

const isDivergent = ({ divergent, digest }: Verification): boolean =>
  divergent > 0 || !digest.isEqual;

const verdict = (verification: Verification): Result<void, CliProblem> =>
  isDivergent(verification)
    ? refuse(
        'models-divergent',
        `the read models of generation ${verification.generation} are not what the log says`,
        'keep a copy of the store, find out who wrote to it, then: plimsoll rebuild --reason=TEXT',
      )
    : ok(undefined);

const print = ({ terminal }: CliPorts, verification: Verification, isJson: boolean): void => {
  if (isJson) printLines(terminal, [verificationLine(verification)]);
  else printText(terminal, verificationText(verification));
};

const verificationLine = (verification: Verification): Line => ({
  generation: verification.generation,
  from: verification.from,
  to: verification.to,
  rows: verification.rows,
  divergent: verification.divergent,
  divergences: verification.divergences.map((divergence) => ({ ...divergence })),
  digest: { ...verification.digest },
  isCut: verification.isCut,
  wrongChecks: verification.wrongChecks.map(({ from, to, why }) => ({ from, to, why })),
  seconds: verification.seconds,
});

const verificationText = (verification: Verification): readonly string[] => {
  const { generation, rows, divergent, divergences, digest, to, seconds } = verification;
  const where = `up to position ${to}`;
  const took = `in ${spanText(seconds * 1000)}`;
  if (!isDivergent(verification) && !verification.isCut)
    return [
      `${generation}: all ${rows} rows are what the log says ${where}, and the digest is ${digest.stored.slice(0, 12)}… (${took})`,
      ...wrongChecksText(verification),
    ];
  return [
    `${generation}: ${divergent} of ${rows} rows are NOT what the log says ${where} (${took})`,
    ...divergences.slice(0, shownMax).map(divergenceText),
    ...(divergent > shownMax ? [`  … and ${divergent - shownMax} more`] : []),
    digestText(verification),
    ...(verification.isCut
      ? ['the store is damaged: rows of which the log says nothing were not looked for to the end']
      : []),
    ...wrongChecksText(verification),
  ].map(plainText);
};

/** Whoever writes to the store by hand leaves the digest alone that the projector rolls along. */
const digestText = ({ divergent, digest }: Verification): string => {
  if (!digest.isEqual)
    return `the digest is WRONG: ${digest.stored}; the log says ${digest.expected}`;
  return divergent === 0
    ? `the digest is that of the log: ${digest.stored}`
    : `the digest rolled along is that of the log, although rows differ: somebody wrote to the store past the projector (${digest.stored})`;
};

const divergenceText = ({ why, model, key, position }: Divergence): string =>
  `  ${why}: ${model} ${key}${position === null ? '' : ` (newest record ${position})`}`;

const wrongChecksText = ({ wrongChecks }: Verification): readonly string[] =>
  wrongChecks.map(
    ({ from, to, why }) => `remembered signature checks of ${from} to ${to} were wrong: ${why}`,
  );
