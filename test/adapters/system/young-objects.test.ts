import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { makeObjectsYoung } from '../../../services/adapters/system/young-objects.ts';

test('the setting is one that this V8 has, and may be made while it runs', () => {
  expect(execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })).toContain(
    '--allocation-site-pretenuring ',
  );
  expect(makeObjectsYoung).not.toThrow();
});
