import type { Result } from '../core/result.ts';
import { fail } from '../core/result.ts';
import type { ReadProblem } from '../ports/record-log.ts';

/**
 * `gate` says with 10 roll-back, with 11 hold, with 12 inconclusive, with 13 that there was no decision in time.
 * - 0: stored, spooled or already so · 1: internal · 2: bad input · 3: refused by rule · 4: not found
 * - 5: key or scope · 6: unreachable · 8: timeout
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 8 | 10 | 11 | 12 | 13;

/** What a command says on stderr when it could not do what was asked. */
export type CliProblem = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exit: ExitCode;
};

/** Codes by the exit code that they have. What is not here cannot be said by a command. */
export const codes = {
  1: [
    'internal',
    'exec-failed',
    'corrupt',
    'log-corrupt',
    'store-corrupt',
    'log-shortened',
    'before-start',
    'beyond-end',
    'gap',
    'log-not-opened',
    'models-differ',
    'old-code',
  ],
  2: [
    'command-unknown',
    'option-unknown',
    'option-missing',
    'out-missing',
    'option-invalid',
    'option-repeated',
    'word-unexpected',
    'word-missing',
    'word-invalid',
    'not-through-gateway',
    // Of another package, or of one that was not installed beside it.
    'not-in-this-package',
    'package-missing',
    'component-unknown',
    'place-unknown',
    'setting-invalid',
    'status-unknown',
    'field-invalid',
    'principal-invalid',
    'policy-invalid',
    'sources-invalid',
    'tokens-invalid',
    'token-exists',
    'expected-invalid',
    'file-invalid',
    'capture-invalid',
    'marker-invalid',
    'secret-found',
    'folder-invalid',
    // A record that no log takes.
    'kind-unknown',
    'kind-wrong-shape',
    'value-too-large',
    'key-too-large',
    'headers-too-many',
    'header-too-large',
    'header-missing',
    'header-malformed',
    'header-mismatch',
    'schema-unknown',
    'body-malformed',
    'body-too-deep',
    'body-not-canonical',
    'key-weak',
    'spool-damaged',
    'line-damaged',
  ],
  3: [
    'waited-too-long',
    'markers-refused',
    // What is there was made with settings under which no promise holds.
    'misfit',
    'deployment-ended',
    'attempt-ended',
    'checkpoint-foreign',
    'checkpoint-held',
    'deployment-ambiguous',
    'not-frozen',
    'not-stopped',
    'not-asked',
    'decision-not-standing',
    'stops-full',
    'labels-full',
    'place-frozen',
    'freezes-full',
    'planned-differently',
    'overtaken',
    'fields-required',
    'name-closed',
    'slot-differs',
    'history-full',
    'deployment-taken',
    'planned-by-key',
    'conflict',
    'last-administrator',
    'nothing-redriven',
    'clock-behind',
    'generation-in-use',
    'generation-filtered',
    'generation-behind',
    'recheck-differs',
    'generation-other-fold',
    'no-previous',
    'switched-meanwhile',
    'stopped',
    'paused',
    'tiers-full',
    'models-divergent',
    'policy-unread',
    'foreign-log',
    'wrong-log',
    'decision-misplaced',
    'log-already-open',
    'log-sealed',
    'seal-misplaced',
    // An archive that does not fit its log, or is not to be trusted.
    'archive-damaged',
    'foreign-archive',
    'archive-gap',
    'archive-ahead',
    'archive-busy',
    'archive-untrusted',
    'records-unproven',
    'seam-gap',
    'seam-differs',
    'seam-unproven',
    // A log that moves.
    'migrating',
    'target-taken',
    'target-differs',
    'sealed-elsewhere',
    'canary-running',
    'not-sealed',
    'copy-misplaced',
    'key-exists',
    'key-ended',
  ],
  4: [
    'decision-unknown',
    'deployment-unknown',
    'not-deployed',
    'not-released',
    'not-found',
    'generation-unknown',
    'samples-gone',
    'recheck-alone',
    'nothing-judged',
    'archive-missing',
  ],
  5: [
    'out-of-scope',
    'key-unknown',
    'key-retired',
    'key-compromised',
    'role-missing',
    'token-unnamed',
    'kind-not-allowed',
    'audience-wrong',
    'signature-bad',
    'signature-weak',
    'waited-bad',
    'key-problem',
    'key-file-exists',
    'key-file-not-written',
    'key-file-missing',
    'key-file-not-readable',
    'key-file-exposed',
    'key-file-malformed',
    'key-file-unsupported',
    'key-file-mismatch',
  ],
  6: [
    'unreachable',
    'unknown',
    'refused',
    // A spool, or what still lies there.
    'spool-failed',
    'spool-full',
    'markers-waiting',
    'async',
    'closed',
    'missing',
    'log-empty',
    'port-taken',
    // As a gateway says it.
    'log-unreachable',
    'store-unreachable',
    'append-unknown',
    'log-refused',
    'busy',
    'behind',
    'not-ready',
    'not-yet',
  ],
  8: ['timeout'],
} as const;

/** Everything that a command can say no with. */
export type ProblemCode = (typeof codes)[keyof typeof codes][number];

let exits: ReadonlyMap<string, ExitCode> | undefined;

/** Made when the first problem is told: most commands have none. */
const exitOf = (code: string): ExitCode | undefined =>
  (exits ??= new Map(
    Object.entries(codes).flatMap(([exit, some]) =>
      some.map((one): [string, ExitCode] => [one, Number(exit) as keyof typeof codes]),
    ),
  )).get(code);

export const refuse = (
  code: ProblemCode,
  message: string,
  hint: string,
): Result<never, CliProblem> => fail(problem(code, message, hint));

export const problem = (code: ProblemCode, message: string, hint: string): CliProblem =>
  problemTold({ code, message, hint }, 1);

/** A problem that somebody else told, a newer release perhaps: `otherwise` is the exit of a code that nobody knows here. */
export const problemTold = (told: Omit<CliProblem, 'exit'>, otherwise: ExitCode): CliProblem => ({
  ...told,
  exit: exitOf(told.code) ?? otherwise,
});

/** Why read models could not be brought up to date, with what to do about it. */
export const foldFailed = ({
  code,
  message,
}: {
  readonly code: ProblemCode;
  readonly message: string;
}): CliProblem => problem(code, message, hints[code] ?? '');

/** Why the log could not be read, with what to do about it. */
export const readFailed = ({ code, message }: ReadProblem): CliProblem =>
  problem(code, message, readHints[code] ?? 'is the log up? See PLIMSOLL_LOG');

const archiveDamagedHint =
  'put a good copy of the archive in its place; plimsoll archive verify FOLDER tells more';

const readHints: { readonly [Code in ReadProblem['code']]?: string } = {
  'before-start':
    'PLIMSOLL_ARCHIVE=FOLDER gives what the log no longer holds, from an archive of it',
  'archive-damaged': archiveDamagedHint,
  corrupt: 'restore the log from a backup',
};

const hints: { readonly [Code in ProblemCode]?: string } = {
  'foreign-log':
    'PLIMSOLL_LOG and PLIMSOLL_STORE must be of one installation: after plimsoll migrate the new log needs another store, too (redis://HOST:PORT, or sqlite:FOLDER with an empty folder); nothing was written',
  'log-shortened':
    'where the log has lost its beginning, PLIMSOLL_ARCHIVE=FOLDER gives it from an archive; where it is another or a shorter log, name the right one by PLIMSOLL_LOG, or restore it; keep the store: it holds what was folded',
  'archive-damaged': archiveDamagedHint,
  'generation-unknown': 'plimsoll replay status lists them',
  'generation-in-use':
    'plimsoll replay status shows who uses it; --force does it all the same, where that may be',
  'generation-filtered': 'a replay over the whole log is safe; --force switches all the same',
  'generation-behind':
    'plimsoll replay run --resume=GENERATION brings it up to date; --stale goes back all the same',
  'generation-other-fold':
    'the release that wrote it can use it; this one makes its own with plimsoll rebuild --reason=TEXT',
  'no-previous':
    'plimsoll replay status lists generations; plimsoll replay switch takes one of them',
  'switched-meanwhile':
    'plimsoll replay status shows what readers use now; call again if it is still wanted',
  'clock-behind': 'set the clock of this machine; nothing was appended',
  stopped: 'call again to begin anew',
  'log-not-opened': 'is PLIMSOLL_AUDIENCE right, and the log made by Plimsoll?',
  'log-empty': 'somebody is just making the log; call again',
  'old-code': 'install the newer release of plimsoll',
  gap: 'somebody else writes these read models; call again',
  unreachable: 'are log and store up? See PLIMSOLL_LOG and PLIMSOLL_STORE',
  corrupt:
    'nothing was changed; damaged read models: plimsoll rebuild --reason=TEXT folds the log again; a damaged log or database: restore it from a backup',
};
