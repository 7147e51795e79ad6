import { spanText } from './display.ts';
import type { CliPorts, FoldProgress } from '../ports.ts';

/** Work shorter than this is not talked about; longer work is, this often. */
const everyMs = 2000;

/** Says on stderr how far a fold is, or other work on things that are counted, when it takes its time. */
export const openProgress = (
  { clock, note }: Pick<CliPorts, 'clock' | 'note'>,
  what: string,
  counted = 'records',
): ((progress: FoldProgress) => void) => {
  let saidAtMs = clock.nowMs();
  return ({ next, end }) => {
    const nowMs = clock.nowMs();
    if (nowMs - saidAtMs < everyMs || next >= end) return;
    saidAtMs = nowMs;
    note({ code: 'progress', message: `${what}: ${next} of ${end} ${counted}`, hint: '' });
  };
};

const barWidth = 20;

/** The same with a bar, how fast it goes, and how long it still takes. */
export const openProgressBar = (
  { clock, note }: Pick<CliPorts, 'clock' | 'note'>,
  what: string,
): ((progress: FoldProgress) => void) => {
  const startedAtMs = clock.nowMs();
  let saidAtMs = startedAtMs;
  let from: number | undefined;
  return ({ next, end }) => {
    from ??= next;
    const nowMs = clock.nowMs();
    if (nowMs - saidAtMs < everyMs || next >= end) return;
    saidAtMs = nowMs;
    const perMs = (next - from) / (nowMs - startedAtMs);
    const share = next / end;
    const bar = '#'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '.');
    const left = perMs > 0 ? `, ${spanText((end - next) / perMs)} left` : '';
    note({
      code: 'progress',
      message: `${what} [${bar}] ${Math.floor(share * 100)} %: ${next} of ${end} records, ${Math.round(perMs * 1000)} a second${left}`,
      hint: '',
    });
  };
};
