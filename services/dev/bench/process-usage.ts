import { readFileSync } from 'node:fs';

// What other processes use, from Linux's /proc (man 5 proc).

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const ticksPerS = 100;
const microsPerTick = 1e6 / ticksPerS;

/** CPU that a process has used so far, all its threads, in microseconds; 0 where it is gone. */
export const processCpuMicros = (pid: number | undefined): number => {
  const fields = statOf(pid);
  return (fieldOf(fields, utime) + fieldOf(fields, stime)) * microsPerTick;
};

/** CPU that the ended children of this process have used, in microseconds. */
export const childrenCpuMicros = (): number => {
  const fields = statOf(process.pid);
  return (fieldOf(fields, cutime) + fieldOf(fields, cstime)) * microsPerTick;
};

/** The most memory that a process has had resident, in MB; 0 where it is gone. */
export const processMemoryPeakMb = (pid: number | undefined): number => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
};

// Counted behind the program's name, which may hold blanks and brackets: field 3 of the page is 0 here.
const utime = 11;
const stime = 12;
const cutime = 13;
const cstime = 14;

const statOf = (pid: number | undefined): readonly string[] => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
};

const fieldOf = (fields: readonly string[], at: number): number => Number(fields[at] ?? 0);
