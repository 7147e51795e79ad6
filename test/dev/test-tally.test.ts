import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { addTallies, readTally, tallyLine } from '../../services/dev/test-tally.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-tally-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type FileReport = { readonly status: string; readonly tests: readonly string[] };

/** Writes what vitest's json reporter writes, as far as we read it. */
function report(...files: readonly FileReport[]): string {
  const tests = files.flatMap((file) => file.tests);
  const count = (status: string): number => tests.filter((ended) => ended === status).length;
  const path = join(folder, 'report.json');
  const content = {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
    numTodoTests: count('todo'),
    testResults: files.map((file) => ({
      status: file.status,
      assertionResults: file.tests.map((status) => ({ status })),
    })),
  };
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe('the count of tests', () => {
  test('is what the report says', () => {
    const path = report(
      { status: 'passed', tests: ['passed', 'passed', 'pending'] },
      { status: 'failed', tests: ['failed', 'passed', 'todo'] },
    );
    expect(readTally(path, false)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  test('has a failure for a file that did not load', () => {
    const path = report({ status: 'passed', tests: ['passed'] }, { status: 'failed', tests: [] });
    expect(readTally(path, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test('has a failure where vitest failed but no test did', () => {
    expect(readTally(report({ status: 'passed', tests: ['passed'] }), false).failed).toBe(1);
  });

  test('has a failure where no test ran', () => {
    expect(readTally(report(), true).failed).toBe(1);
    expect(readTally(report({ status: 'passed', tests: ['pending'] }), true).failed).toBe(1);
  });

  test('has a failure where there is no report', () => {
    expect(readTally(join(folder, 'absent.json'), true).failed).toBe(1);
  });

  test('ends in one line', () => {
    const some = { passed: 2, failed: 1, skipped: 0 };
    expect(tallyLine(some)).toBe('2 passed, 1 failed');
    expect(tallyLine(addTallies([some, { passed: 1, failed: 0, skipped: 3 }]))).toBe(
      '3 passed, 1 failed, 3 skipped',
    );
  });
});
