import type { CliPorts, FoldProgress } from './ports.ts';

/** Work shorter than this is not talked about; longer work is, this often. */
const everyMs = 2000;

/** Says on stderr how far a fold is, when it takes its time. */
export const openProgress = (
  { clock, note }: Pick<CliPorts, 'clock' | 'note'>,
  what: string,
): ((progress: FoldProgress) => void) => {
  let saidAtMs = clock.nowMs();
  return ({ next, end }) => {
    const nowMs = clock.nowMs();
    if (nowMs - saidAtMs < everyMs || next >= end) return;
    saidAtMs = nowMs;
    note({ code: 'progress', message: `${what}: ${next} of ${end} records`, hint: '' });
  };
};
