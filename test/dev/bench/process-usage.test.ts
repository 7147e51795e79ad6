import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  childrenCpuMicros,
  processCpuMicros,
  processMemoryPeakMb,
} from '../../../services/dev/bench/process-usage.ts';

const linux = process.platform === 'linux';

test.runIf(linux)('CPU and memory of a process are those that the process itself knows', () => {
  const { user, system } = process.cpuUsage();
  expect(processCpuMicros(process.pid) / (user + system)).toBeGreaterThan(0.5);
  expect(processCpuMicros(process.pid) / (user + system)).toBeLessThan(2);
  expect(processMemoryPeakMb(process.pid)).toBeGreaterThanOrEqual(
    Math.floor(process.memoryUsage.rss() / 2 ** 21),
  );
});

test.runIf(linux)('CPU of children that have ended is counted', { timeout: 60_000 }, () => {
  const before = childrenCpuMicros();
  spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 2e5);']);
  expect(childrenCpuMicros() - before).toBeGreaterThan(150_000);
});

test('of a process that is gone nothing is known', () => {
  expect([processCpuMicros(undefined), processMemoryPeakMb(-1)]).toEqual([0, 0]);
});
