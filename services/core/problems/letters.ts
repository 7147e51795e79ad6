import type { CheckProblem } from '../check/check-record.ts';
import type { DeadLetter } from '../dead-letters.ts';
import { letterState } from '../dead-letters.ts';
import type { Problem, ProblemCode, ProblemRows } from './problem.ts';
import { countOf, problemOf } from './problem.ts';

// What was not accepted and is still open, one problem a code; and what was refused among instances.

type Told = Pick<Problem, 'code' | 'severity' | 'hint'>;

const newerRelease: Told = {
  code: 'unread',
  severity: 'warning',
  hint: 'a newer release wrote them: install it here, and they count from where they lie',
};
const unproven: Told = {
  code: 'unsigned',
  severity: 'warning',
  hint: 'who sends them? Nothing of them counts; plimsoll dead-letters list, plimsoll keys list',
};
const outOfScope: Told = {
  code: 'out-of-scope',
  severity: 'warning',
  hint: 'who has that key, and should it act there? plimsoll keys list shows its scope',
};
const notAccepted: Told = {
  code: 'not-accepted',
  severity: 'warning',
  hint: 'plimsoll dead-letters show POSITION tells why; redrive or discard them',
};

const byCode: { readonly [Code in CheckProblem['code'] | 'out-of-scope']?: Told } = {
  'schema-unknown': newerRelease,
  'kind-unknown': newerRelease,
  'header-missing': unproven,
  'key-unknown': unproven,
  'key-retired': unproven,
  'key-compromised': unproven,
  'signature-bad': unproven,
  'signature-weak': unproven,
  'waited-bad': unproven,
  'audience-wrong': unproven,
  'out-of-scope': outOfScope,
  'role-missing': outOfScope,
  'kind-not-allowed': outOfScope,
};

const toldOf = (code: string): Told =>
  (Object.hasOwn(byCode, code) ? byCode[code as keyof typeof byCode] : undefined) ?? notAccepted;

export const letterProblems = ({ letters, refusedInstances }: ProblemRows): readonly Problem[] => {
  // A conflict is told with the deployment whose gate it holds.
  const open = letters.filter(
    (letter) => letter.code !== 'conflict' && letterState(letter) === 'open',
  );
  const groups = Map.groupBy(open, ({ code }) => code);
  return [
    ...[...groups].map(([code, said]) => lettersOf(code, said)),
    ...refusedInstances.map(({ code, count, message, lastPosition, lastAt, partition }): Problem =>
      problemOf({
        code: 'instances-refused',
        severity: 'warning',
        subject: `${code} ${partition}`,
        message: `${countOf(count, 'start')} of instances refused (${code}): ${message}`,
        hint: toldOf(code).hint.replace('plimsoll dead-letters list, ', ''),
        count,
        instances: [{ partition, position: lastPosition }],
        at: lastAt,
      }),
    ),
  ];
};

const lettersOf = (code: string, said: readonly DeadLetter[]): Problem => {
  const told: { readonly code: ProblemCode } & Told = toldOf(code);
  const last = said.reduce((newest, letter) =>
    letter.position > newest.position ? letter : newest,
  );
  const signers = [...new Set(said.flatMap(({ principal }) => principal ?? []))].toSorted();
  return problemOf({
    ...told,
    subject: code,
    message: `${countOf(said.length, 'record')} not accepted (${code})${signers.length === 0 ? '' : `, by ${signers.slice(0, 5).join(', ')}`}`,
    principal: signers.length === 1 ? (signers[0] ?? null) : null,
    count: said.length,
    positions: said.map(({ position }) => position),
    at: last.appendedAt,
  });
};
