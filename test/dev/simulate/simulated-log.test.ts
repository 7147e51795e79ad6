import { openChance } from '../../../services/dev/simulate/chance.ts';
import { openLife, openScheduler, settleTurns } from '../../../services/dev/simulate/scheduler.ts';
import type { Scheduler } from '../../../services/dev/simulate/scheduler.ts';
import { openSimulatedLog } from '../../../services/dev/simulate/simulated-log.ts';
import { recordLogContract } from '../../contract/record-log.contract.ts';

// The simulated log, with nothing going wrong, is a log like the others.

/** A scheduler that takes one call after the other by itself, as chance has it. */
const openRunning = (): { readonly scheduler: Scheduler; readonly stop: () => void } => {
  const scheduler = openScheduler({
    startMs: 1_000,
    chance: openChance(7, 0),
    turnOf: () => 'runs',
    crash: () => undefined,
    impatience: () => 0,
    settle: settleTurns,
    trace: undefined,
  });
  let isOver = false;
  const go = async (): Promise<void> => {
    while (!isOver) await scheduler.step();
  };
  void go();
  return {
    scheduler,
    stop: () => {
      isOver = true;
    },
  };
};

recordLogContract(
  'simulated record log',
  async () => {
    const { scheduler, stop } = openRunning();
    const simulated = openSimulatedLog({
      name: 'test',
      partitions: 2,
      scheduler,
      brokerMs: () => Date.now(),
      batchRecordsMax: 200,
      copied: ({ key, headers, value }) => ({
        key: Uint8Array.from(key),
        headers: headers.map((header) => ({ ...header, value: Uint8Array.from(header.value) })),
        value: Uint8Array.from(value),
      }),
      broker: openLife('broker'),
    });
    let processes = 0;
    const reopen = (): ReturnType<typeof simulated.open> =>
      simulated.open(openLife(`process ${(processes += 1)}`));
    const log = reopen();
    return {
      log,
      reopen: async () => reopen(),
      close: async () => {
        await log.close();
        stop();
      },
    };
  },
  { timesMayGoBack: true },
);
