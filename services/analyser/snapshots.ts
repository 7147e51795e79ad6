import { lowestOpening } from '../core/canary/analysis/fold-samples.ts';
import type { PartitionState } from '../core/canary/analysis/fold-samples.ts';
import { readSnapshot, snapshotPieces } from '../core/canary/analysis/snapshot.ts';
import type { Snapshot, SnapshotPlace } from '../core/canary/analysis/snapshot.ts';
import type { LogRecord } from '../core/log/record.ts';
import { judgedAlike } from '../core/samples/signers.ts';
import type { Signers } from '../core/samples/signers.ts';
import type { AnalyserPorts } from './ports.ts';
import { snapshotPace } from './paces.ts';
import { keepSealed, readSealed, sealedTextMax } from './sealed.ts';
import type { TrustedKeys } from './trusted-keys.ts';

export type Snapshots = {
  /** The newest of a partition that can be gone on from, or undefined. Never throws. */
  readonly newest: (partition: number) => Promise<Snapshot | undefined>;
  /** A partition was taken over: from here on its records are counted. */
  readonly begin: (partition: number) => void;
  /**
   * So many records were folded, `last` the last of them, and all that they decided is on the log. Keeps the state when
   * it is time to. Answers at once.
   */
  readonly offer: (
    partition: number,
    folded: number,
    last: LogRecord,
    state: PartitionState,
    signers: Signers,
  ) => void;
};

type Pace = { records: number; sinceMs: number; isKeeping: boolean };

export const openSnapshots = (ports: AnalyserPorts, keys: TrustedKeys): Snapshots => {
  const { audience, clock, samples, tools } = ports;
  const { records: recordsMax, ms, msMin } = ports.snapshotPace ?? snapshotPace;
  const paces = new Map<number, Pace>();
  let said: string | undefined;

  const placeOf = (partition: number): SnapshotPlace => ({
    audience,
    samples: samples.name,
    partition,
  });

  const find = async (partition: number): Promise<Snapshot | undefined> => {
    const known = await keys.forKeys([]);
    const text = await readSealed(ports, known, 'snapshot', String(partition));
    const snapshot = text === undefined ? undefined : readSnapshot(placeOf(partition), text);
    if (snapshot === undefined || !judgedAlike(snapshot.signers, known)) return undefined;
    const before = await samples.read(partition, snapshot.position - 1, 1);
    const last = before.ok ? before.value[0] : undefined;
    return last !== undefined && tools.crypto.sha256Hex(last.value) === snapshot.lastDigest
      ? snapshot
      : undefined;
  };

  /** A state does not change when the fold goes on, so there is time: others have their turn after each analysis. */
  const textOf = async (partition: number, snapshot: Snapshot): Promise<string | undefined> => {
    const pieces: string[] = [];
    let length = 0;
    for (const piece of snapshotPieces(placeOf(partition), snapshot)) {
      if (piece === undefined) return undefined;
      pieces.push(piece);
      length += piece.length;
      if (length > sealedTextMax) break;
      await clock.sleep(0);
    }
    return pieces.join('');
  };

  const keep = async (partition: number, snapshot: Snapshot): Promise<void> => {
    const text = await textOf(partition, snapshot);
    const kept =
      text === undefined
        ? 'its state holds a number that cannot be written down'
        : await keepSealed(ports, 'snapshot', String(partition), text).then(
            (done) => (done.ok ? undefined : done.problem.message),
            String,
          );
    if (kept !== undefined && kept !== said)
      ports.tell({ event: 'not-kept', what: 'snapshot', message: kept });
    said = kept;
  };

  return {
    // Without a snapshot the samples say the same.
    newest: (partition) => find(partition).catch(() => undefined),
    begin: (partition) =>
      void paces.set(partition, { records: 0, sinceMs: clock.nowMs(), isKeeping: false }),
    offer: (partition, folded, last, state, signers) => {
      const pace = paces.get(partition);
      if (pace === undefined) return;
      const nowMs = clock.nowMs();
      if (lowestOpening(state) === undefined) {
        // Whoever comes begins behind these records.
        [pace.records, pace.sinceMs] = [0, nowMs];
        return;
      }
      pace.records += folded;
      // Where the clock was set back nobody knows how long it is.
      const sinceMs = nowMs < pace.sinceMs ? ms : nowMs - pace.sinceMs;
      const isDue = sinceMs >= ms || (pace.records >= recordsMax && sinceMs >= msMin);
      if (!isDue || pace.isKeeping) return;
      [pace.records, pace.sinceMs, pace.isKeeping] = [0, nowMs, true];
      const lastDigest = tools.crypto.sha256Hex(last.value);
      const snapshot = { position: last.position + 1, lastDigest, signers, state };
      void keep(partition, snapshot).then(() => (pace.isKeeping = false));
    },
  };
};
