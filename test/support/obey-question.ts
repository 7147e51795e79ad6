import { noPolicySet } from '../../services/core/canary/obey/policy-standing.ts';
import type { ObeyQuestion } from '../../services/core/canary/obey/question.ts';
import { readDecisionRows } from '../../services/core/canary/obey/rows.ts';
import type { DecisionRow } from '../../services/core/read-models.ts';
import { ok } from '../../services/core/result.ts';
import { loadState } from '../../services/projector/project.ts';
import { canary, decides, decision, digestOf, firstPosition } from './decisions.ts';
import { given, openedAtMs, portsOf } from './given.ts';
import { value } from './records.ts';

/** Whether the first decision about the canary is to be obeyed, asked a minute later of rows that the fold wrote. */
export const questionAbout = async (
  kind: 'promote' | 'roll-back',
): Promise<ObeyQuestion & { readonly row: DecisionRow }> => {
  const { store } = await given(...canary, await decides(decision(kind)));
  const state = value(await loadState(portsOf(store), 'g'));
  const { rows, logTimeMs } = value(
    await readDecisionRows(
      async (keys) => ok(value(await store.rows('g', keys)).rows),
      firstPosition,
    ),
  );
  if (state === undefined || rows.decision === undefined) throw new Error('nothing was folded');
  return {
    position: firstPosition,
    rows,
    row: rows.decision,
    keys: state.trust.keys,
    logId: state.trust.logId,
    pinnedLogId: null,
    policy: noPolicySet,
    digest: digestOf,
    logTimeMs,
    nowMs: openedAtMs + 60_000,
    isObeyed: () => false,
  };
};
