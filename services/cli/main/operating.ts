import { openPlanRetention } from '../../replay/plan-retention.ts';
import { openPlanRedrive } from '../../replay/redrive.ts';
import { foldToEnd } from '../../projector/catch-up.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import type { CliPorts } from '../ports.ts';

/** What becomes of dead letters is asked of the projector's own fold, over the read models at hand. */
export const planRedriveOn =
  ({ settings, tools, clock }: Foundation): CliPorts['planRedrive'] =>
  ({ log, store, generation, state }) =>
    openPlanRedrive(
      {
        ...{ log, store, tools, clock, foldToEnd },
        audience: settings.audience,
        pinnedLogId: settings.logId,
      },
      { generation, state },
    );

/** By the clock, or by the log's time where that is ahead: the fold goes by the log's. */
export const planRetentionOn =
  ({ clock }: Foundation): CliPorts['planRetention'] =>
  ({ store, generation, state }) =>
    openPlanRetention(store, {
      generation,
      state,
      nowMs: Math.max(clock.nowMs(), state.logTimeMs),
    });
