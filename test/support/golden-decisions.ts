import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mayObey } from '../../services/core/canary/obey/obey.ts';
import { noPolicySet } from '../../services/core/canary/obey/policy-standing.ts';
import type { ObeyedAct, PolicyStanding } from '../../services/core/canary/obey/question.ts';
import type { Refusal } from '../../services/core/canary/obey/refusal.ts';
import { readDecisionRows } from '../../services/core/canary/obey/rows.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { Result } from '../../services/core/result.ts';
import { ok } from '../../services/core/result.ts';
import { loadState } from '../../services/projector/project.ts';
import { fold, portsOf, tools } from './given.ts';
import type { GoldenLog } from './golden-logs.ts';
import { value } from './records.ts';

// Golden decisions: a small log, a question about one of its records, and whether it may be obeyed.

export type Asked = {
  /** Of the record that may be a decision. */
  readonly position: number;
  /** By the clock of whoever would act. */
  readonly nowMs: number;
  readonly pinnedLogId: string | null;
  readonly policy: Partial<PolicyStanding>;
  /** Markers of decisions that were obeyed already. */
  readonly obeyed: readonly string[];
};

export type GoldenDecision = {
  readonly name: string;
  readonly about: string;
  readonly audience: string;
  readonly records: GoldenLog['records'];
  readonly asked: Asked;
  /** The code of the refusal, or what may be done. */
  readonly expect: { readonly code: string } | { readonly act: object };
};

export const goldenDecisionsFolder: string = join(import.meta.dirname, '..', 'golden', 'decisions');

export const goldenDecisions = (side: 'obeyed' | 'refused'): readonly GoldenDecision[] =>
  readdirSync(join(goldenDecisionsFolder, side))
    .toSorted()
    .map((file) => ({
      ...(JSON.parse(
        readFileSync(join(goldenDecisionsFolder, side, file), 'utf8'),
      ) as GoldenDecision),
      name: file.replace(/\.json$/, ''),
    }));

/** The whole way: the records are checked and folded, the rows are read, the question is asked. */
export const askAbout = async (
  records: readonly LogRecord[],
  { position, nowMs, pinnedLogId, policy, obeyed }: Asked,
): Promise<Result<ObeyedAct, Refusal>> => {
  const { store } = await fold(records);
  const { trust } = value(await loadState(portsOf(store), 'g')) ?? raise();
  const { rows, logTimeMs } = value(
    await readDecisionRows(async (keys) => ok(value(await store.rows('g', keys)).rows), position),
  );
  return mayObey({
    position,
    rows,
    keys: trust.keys,
    logId: trust.logId,
    pinnedLogId,
    policy: { ...noPolicySet, ...policy },
    digest: (text) => tools.crypto.sha256Hex(tools.text.encodeUtf8(text)),
    logTimeMs,
    nowMs,
    isObeyed: (marker) => obeyed.includes(marker),
  });
};

const raise = (): never => {
  throw new Error('nothing was folded');
};
