import { describe, expect, test } from 'vitest';
import type { KeyProblem } from '../../services/adapters/ed25519/key-file.ts';
import type { FoundationProblem } from '../../services/adapters/foundation/foundation.ts';
import { damaged } from '../../services/adapters/redis/replies.ts';
import { codes, foldFailed, problem, problemTold, readFailed } from '../../services/cli/problem.ts';
import type { ExitCode, ProblemCode } from '../../services/cli/problem.ts';
import { settingsAfterMove } from '../../services/core/sealed-log.ts';
import type { CheckProblem } from '../../services/core/check/check-record.ts';
import type { AdmissionProblem } from '../../services/core/admission.ts';
import type { HttpWireProblem } from '../../services/core/markers/http-wire.ts';
import type { FieldProblem } from '../../services/core/markers/parse-marker.ts';
import type { SettingProblem } from '../../services/core/settings.ts';
import type { TrustProblem } from '../../services/core/trust/trust.ts';
import type { GatewayProblem } from '../../services/gateway/start.ts';
import type { StoreProblem } from '../../services/ports/read-model-store.ts';
import type { AppendProblem, ReadProblem } from '../../services/ports/record-log.ts';
import type { ProjectionProblem } from '../../services/ports/projecting.ts';
import type { ReplayProblem } from '../../services/ports/replaying.ts';

/** Every code that can reach a command: a new one does not compile before it has its exit code here. */
type Code =
  | KeyProblem['code']
  | FoundationProblem['code']
  | CheckProblem['code']
  | AdmissionProblem['code']
  | HttpWireProblem['code']
  | FieldProblem['code']
  | SettingProblem['code']
  | TrustProblem['code']
  | GatewayProblem['code']
  | StoreProblem['code']
  | AppendProblem['code']
  | ReadProblem['code']
  | ProjectionProblem['code']
  | ReplayProblem['code'];

const exits: { readonly [Name in Code]: ExitCode } = {
  corrupt: 1,
  gap: 1,
  'before-start': 1,
  'beyond-end': 1,
  'log-shortened': 1,
  'log-not-opened': 1,
  'old-code': 1,

  'setting-invalid': 2,
  'folder-invalid': 2,
  'field-invalid': 2,
  'kind-unknown': 2,
  'kind-wrong-shape': 2,
  'key-weak': 2,
  'secret-found': 2,
  'principal-invalid': 2,
  'value-too-large': 2,
  'key-too-large': 2,
  'headers-too-many': 2,
  'header-too-large': 2,
  'header-missing': 2,
  'header-malformed': 2,
  'header-mismatch': 2,
  'schema-unknown': 2,
  'body-malformed': 2,
  'body-too-deep': 2,
  'body-not-canonical': 2,

  'archive-damaged': 3,
  'archive-missing': 4,
  'foreign-archive': 3,
  'archive-gap': 3,
  'archive-ahead': 3,
  'archive-busy': 3,
  'archive-untrusted': 3,
  'seam-gap': 3,
  'seam-differs': 3,
  'seam-unproven': 3,
  migrating: 3,
  misfit: 3,
  'deployment-ended': 3,
  'deployment-taken': 3,
  'planned-by-key': 3,
  conflict: 3,
  'decision-misplaced': 3,
  'fields-required': 3,
  'name-closed': 3,
  'log-sealed': 3,
  'seal-misplaced': 3,
  'planned-differently': 3,
  overtaken: 3,
  'slot-differs': 3,
  'history-full': 3,
  'labels-full': 3,
  'place-frozen': 3,
  'freezes-full': 3,
  'foreign-log': 3,
  'wrong-log': 3,
  'log-already-open': 3,
  'key-exists': 3,
  'key-ended': 3,
  stopped: 3,
  'no-previous': 3,
  'generation-in-use': 3,
  'generation-filtered': 3,
  'generation-behind': 3,
  'generation-other-fold': 3,
  'switched-meanwhile': 3,
  'generation-unknown': 4,

  'deployment-unknown': 4,
  'not-deployed': 4,
  'not-released': 4,

  'out-of-scope': 5,
  'key-unknown': 5,
  'key-retired': 5,
  'key-compromised': 5,
  'key-problem': 5,
  'key-file-exists': 5,
  'key-file-not-written': 5,
  'key-file-missing': 5,
  'key-file-not-readable': 5,
  'key-file-exposed': 5,
  'key-file-malformed': 5,
  'key-file-unsupported': 5,
  'key-file-mismatch': 5,
  'role-missing': 5,
  'token-unnamed': 5,
  'kind-not-allowed': 5,
  'audience-wrong': 5,
  'signature-bad': 5,
  'signature-weak': 5,
  'waited-bad': 5,

  unreachable: 6,
  unknown: 6,
  refused: 6,
  closed: 6,
  missing: 6,
  'log-empty': 6,
  'port-taken': 6,
};

describe('the exit code', () => {
  test.each(Object.entries(exits) as [Code, ExitCode][])('of %s is %i', (code, exit) => {
    expect(problem(code, '', '').exit).toBe(exit);
  });

  test('of a code that somebody else said, and nobody knows here, is what its teller makes of it', () => {
    for (const code of ['never-heard', 'constructor', '__proto__', ''])
      expect(problemTold({ code, message: '', hint: '' }, 3).exit).toBe(3);
    expect(problemTold({ code: 'not-found', message: '', hint: '' }, 3).exit).toBe(4);
  });

  test('is one for each code', () => {
    expect(new Set(Object.values(codes).flat()).size).toBe(Object.values(codes).flat().length);
  });

  test('of what is too late is 8, and of what is not there 4', () => {
    expect(problem('timeout', '', '').exit).toBe(8);
    expect(problem('not-found', '', '').exit).toBe(4);
  });
});

test('read models that cannot be folded say what to do', () => {
  const told = [
    'foreign-log',
    'log-shortened',
    'old-code',
    'corrupt',
    'unreachable',
    'gap',
  ] as const;
  for (const code of told) expect(foldFailed({ code, message: 'so' }).hint).not.toBe('');
});

test.each<[ProblemCode, readonly string[]]>([
  ['foreign-log', ['plimsoll migrate', 'redis://HOST:PORT', 'sqlite:FOLDER with an empty folder']],
  ['log-shortened', ['PLIMSOLL_ARCHIVE=FOLDER', 'PLIMSOLL_LOG', 'keep the store']],
  ['archive-damaged', ['plimsoll archive verify']],
  ['corrupt', ['plimsoll rebuild --reason=TEXT', 'backup']],
])('the hint of %s names the ways out, and never the loss of what was folded', (code, ways) => {
  const { hint } = foldFailed({ code, message: 'so' });
  for (const way of ways) expect(hint).toContain(way);
  expect(hint).not.toMatch(/empty the store|drop/);
});

test('a log that has lost its beginning is read with its archive', () => {
  const gone = { code: 'before-start', message: 'the log begins at position 30 now' } as const;
  expect(readFailed(gone).hint).toContain('PLIMSOLL_ARCHIVE=FOLDER');
  expect(readFailed({ code: 'unreachable', message: 'no' }).hint).toContain('PLIMSOLL_LOG');
});

test('a store that is damaged is folded from the log again', () => {
  const { message } = damaged(['disorder', 'plimsoll:timeline', 3, 2]);
  expect(message).toContain('plimsoll rebuild --reason=TEXT');
  expect(message).not.toContain('drop');
});

test.each([
  ['kafka://broker:9092', 'and PLIMSOLL_STORE to another store'],
  ['sqlite:/data/new', 'PLIMSOLL_STORE, where it is set, must name another store'],
])('whoever follows a log to %s is told that the store moves, too', (address, words) => {
  const told = settingsAfterMove(address);
  expect(told).toContain(`PLIMSOLL_LOG=${address}`);
  expect(told).toContain(words);
  expect(told).toContain('redis://HOST:PORT, or sqlite:FOLDER with an empty folder');
});
