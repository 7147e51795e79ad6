import { readFileSync } from 'node:fs';

/**
 * Which run of the machine this is, and the milliseconds since its start, asleep or not: a clock that nobody sets (Linux,
 * proc(5)). Null elsewhere.
 */
export const bootTime = (): { readonly id: string; readonly ms: number } | null => {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const seconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    return id !== '' && Number.isFinite(seconds) ? { id, ms: Math.round(seconds * 1000) } : null;
  } catch {
    return null;
  }
};
