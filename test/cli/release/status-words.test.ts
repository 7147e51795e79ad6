import { expect, test } from 'vitest';
import { readStatus } from '../../../services/cli/release/status-words.ts';

test.each([
  ['started', ['RUNNING', 'running', 'IN_PROGRESS', 'in-progress', 'In Progress', 'STARTED']],
  ['succeeded', ['SUCCESS', 'succeeded', 'Successful', 'PASSED', 'completed', ' success ']],
  ['failed', ['FAILED', 'failure', 'ERROR', 'Timed_Out', 'TERMINAL']],
  ['canceled', ['CANCELED', 'cancelled', 'ABORTED', 'stopped']],
])('%s is said as %j', (kind, words) => {
  for (const word of words)
    expect([word, readStatus(word)]).toEqual([word, { ok: true, value: kind }]);
});

test.each(['PLANNED', 'SUCCES', 'ok?', '', 'constructor', '__proto__'])(
  '%j is no status, and what is allowed is listed',
  (word) => {
    const read = readStatus(word);
    expect(read).toMatchObject({ ok: false, problem: { code: 'status-unknown', exit: 2 } });
    expect(JSON.stringify(read)).toContain('RUNNING, IN_PROGRESS');
  },
);

test('a slip of the pen gets the nearest word', () => {
  expect(readStatus('SUCCES')).toMatchObject({
    problem: { message: '--status="SUCCES" is no status; did you mean SUCCESS?' },
  });
});
