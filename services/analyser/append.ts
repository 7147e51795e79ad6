import type { NewRecord } from '../core/log/record.ts';
import type { Clock, Stop } from '../ports/clock.ts';
import type { Appended, RecordLog } from '../ports/record-log.ts';
import { Halted } from './halted.ts';

const retryMsFirst = 100;
const retryMsMax = 5_000;

/**
 * Appends the same bytes until the log says that it has them: a second copy does no harm to whoever reads them.
 * Throws `Halted` when the log refuses, or when it is told to stop.
 */
export const appendSurely = async (
  clock: Clock,
  stop: Stop,
  log: RecordLog,
  partition: number,
  records: readonly NewRecord[],
): Promise<readonly Appended[]> => {
  for (let retryMs = retryMsFirst; ; retryMs = Math.min(retryMs * 2, retryMsMax)) {
    if (stop.aborted) throw new Halted('stopped');
    const appended = await log.append(partition, records);
    if (appended.ok) return appended.value;
    const { code, message } = appended.problem;
    switch (code) {
      case 'unreachable':
      case 'unknown':
        await clock.sleep(retryMs, stop);
        break;
      case 'refused':
      case 'corrupt':
        throw new Halted(`${log.name}: ${message}`);
    }
  }
};
