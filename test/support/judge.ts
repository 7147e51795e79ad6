import { checkOpening, checkRecord } from '../../services/core/check/check-record.ts';
import type {
  Authentic,
  CheckProblem,
  CheckTools,
} from '../../services/core/check/check-record.ts';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';
import type { Result } from '../../services/core/result.ts';
import { openTrust } from '../../services/core/trust/trust.ts';
import type { KeyState, Trust } from '../../services/core/trust/trust.ts';
import { keyOf, signed, tools } from './given.ts';
import { audience, opened } from './markers.ts';
import type { Scope } from './markers.ts';
import { value } from './records.ts';

// One record before a log that trusts `ci`, which may emit everywhere, and `admin`.

export const logRecord = (record: NewRecord, position = 9): LogRecord => ({
  ...record,
  position,
  appendedAtMs: 0,
});

const opening = value(
  checkOpening(
    tools,
    audience,
    logRecord(await signed('admin', opened(keyOf('admin')), 'zero'), 0),
  ),
);

const keyState = (name: string, scope: Scope): KeyState => {
  const { keyId, principal, algorithm, publicKey } = keyOf(name);
  return {
    id: keyId,
    principal,
    algorithm,
    publicKey,
    roles: scope.roles ?? ['emitter'],
    environments: ['*'],
    components: ['*'],
    kinds: ['*'],
    addedAt: 1,
    retiredAt: null,
    compromised: null,
  };
};

const trust: Trust = {
  ...openTrust(opening, ''),
  keys: new Map(
    [keyState('ci', {}), keyState('admin', { roles: ['trust-admin'] })].map((key) => [key.id, key]),
  ),
};

export const judge = (
  record: NewRecord,
  using: CheckTools = tools,
  forAudience: string = audience,
): Result<Authentic, CheckProblem> => checkRecord(using, forAudience, trust, logRecord(record));

/** `accepted`, or the code. */
export const codeOf = (
  record: NewRecord,
  using: CheckTools = tools,
  forAudience: string = audience,
): string => {
  const answer = judge(record, using, forAudience);
  return answer.ok ? 'accepted' : answer.problem.code;
};
