import { asideEntriesMax } from '../core/aside-fault.ts';
import type { AnalysisState } from '../core/canary/analysis/analysis-state.ts';
import {
  judgingKey,
  judgingKeyPrefix,
  judgingNoteOf,
  readJudgingNote,
} from '../core/canary/analysis/judging-note.ts';
import type { AsideWrite } from '../ports/read-model-store.ts';
import type { AnalyserPorts } from './ports.ts';

/** Well below the time for which a note counts. */
const notedEveryMs = 10_000;
/** What a process left that was killed is cleared away by the next one, after this. */
const forgottenAfterMs = 86_400_000;

/**
 * Leaves how the analyses of this process stand, for those who wait for their decisions. Never throws: what the store
 * does not take now is told of by the next note.
 */
export const openJudgingNotes = ({
  store,
  clock,
  tell,
}: Pick<AnalyserPorts, 'store' | 'clock' | 'tell'>): ((
  analyses: readonly AnalysisState[],
) => Promise<void>) => {
  let notedAtMs = Number.NEGATIVE_INFINITY;
  let noted: ReadonlySet<string> = new Set();
  let hasCleared = false;
  let said: string | undefined;

  const write = async (entries: readonly AsideWrite[]): Promise<void> => {
    for (let at = 0; at < entries.length; at += asideEntriesMax) {
      const written = await store.aside.write(entries.slice(at, at + asideEntriesMax));
      if (!written.ok) throw new Error(written.problem.message);
    }
  };
  const abandoned = async (nowMs: number): Promise<readonly AsideWrite[]> => {
    const found = await store.aside.scan({ prefix: judgingKeyPrefix, rowsMax: asideEntriesMax });
    if (!found.ok) throw new Error(found.problem.message);
    return found.value.flatMap(({ key, value }) =>
      nowMs - (readJudgingNote(value)?.atMs ?? 0) > forgottenAfterMs ? [{ key, value: null }] : [],
    );
  };
  const note = async (analyses: readonly AnalysisState[], nowMs: number): Promise<void> => {
    const entries = new Map<string, string | null>([...noted].map((key) => [key, null]));
    for (const analysis of analyses) {
      const told = judgingNoteOf(analysis, nowMs);
      if (told !== undefined)
        entries.set(judgingKey(analysis.opening.analysis), JSON.stringify(told));
    }
    const gone = hasCleared ? [] : await abandoned(nowMs);
    hasCleared = true;
    await write([...gone, ...[...entries].map(([key, value]) => ({ key, value }))]);
    noted = new Set([...entries].flatMap(([key, value]) => (value === null ? [] : [key])));
  };

  return async (analyses) => {
    const nowMs = clock.nowMs();
    // Less than none has passed where the clock was set back.
    if (nowMs >= notedAtMs && nowMs - notedAtMs < notedEveryMs) return;
    notedAtMs = nowMs;
    const message = await note(analyses, nowMs).then(
      () => undefined,
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
    );
    if (message !== undefined && message !== said)
      tell({ event: 'not-kept', what: 'progress', message });
    said = message;
  };
};
