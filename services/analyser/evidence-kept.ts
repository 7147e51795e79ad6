import type { AnalysisState } from '../core/canary/analysis/analysis-state.ts';
import {
  evidenceLeft,
  keptText,
  readKept,
  withKept,
} from '../core/canary/attempts/kept-evidence.ts';
import type { KeptEvidence } from '../core/canary/attempts/kept-evidence.ts';
import type { Slot } from '../core/markers/marker.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { Stop } from '../ports/clock.ts';
import type { AnalyserPorts } from './ports.ts';
import { keepSealed, readSealed } from './sealed.ts';
import type { TrustedKeys } from './trusted-keys.ts';

// Evidence of attempts that are over: kept by whoever owns the partition, read by whoever opens the next analysis.

/** How long an opening waits for the evidence of an attempt that has just ended. */
const waitMsMax = 3_000;
const lookAgainMs = 100;

export type EvidenceKept = {
  /** Keeps what an analysis leaves, if it leaves anything. Never throws: the next attempt is an independent one then. */
  readonly keep: (analysis: AnalysisState) => Promise<void>;
  /**
   * What was kept of these artifacts in this slot. Waits a little for that of `awaited`, analyses of earlier attempts
   * of which one may only just have ended; undefined: nothing is kept.
   */
  readonly find: (
    slot: Slot,
    artifacts: string,
    awaited: readonly string[],
    stop: Stop,
  ) => Promise<KeptEvidence | undefined>;
};

export const openEvidenceKept = (ports: AnalyserPorts, keys: TrustedKeys): EvidenceKept => {
  const nameOf = (slot: Slot): string =>
    ports.tools.crypto.sha256Hex(ports.tools.text.encodeUtf8(slotKey(slot)));

  const read = async (slot: Slot): Promise<readonly KeptEvidence[]> => {
    const text = await readSealed(ports, await keys.forKeys([]), 'evidence', nameOf(slot));
    return text === undefined ? [] : readKept(text, ports.clock.nowMs());
  };

  const keep = async (analysis: AnalysisState): Promise<void> => {
    if (evidenceLeft(analysis, []) === undefined) return;
    const { namespace, environment, component, target } = analysis.opening;
    const slot = { namespace, environment, component, target };
    const before = await read(slot);
    const left = evidenceLeft(analysis, before);
    if (left === undefined) return;
    const done = await keepSealed(
      ports,
      'evidence',
      nameOf(slot),
      keptText(withKept(before, left)),
    );
    if (!done.ok)
      ports.tell({ event: 'not-kept', what: 'evidence', message: done.problem.message });
  };

  return {
    keep: (analysis) =>
      keep(analysis).catch((cause: unknown) =>
        ports.tell({ event: 'not-kept', what: 'evidence', message: String(cause) }),
      ),
    find: async (slot, artifacts, awaited, stop) => {
      for (let waitedMs = 0; ; waitedMs += lookAgainMs) {
        const kept = (await read(slot)).find((one) => one.artifacts === artifacts);
        const newest = awaited.at(-1);
        const isThere = newest === undefined || kept?.analysis === newest;
        if (isThere || waitedMs >= waitMsMax || stop.aborted) return kept;
        await ports.clock.sleep(lookAgainMs, stop);
      }
    },
  };
};
