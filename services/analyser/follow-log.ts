import { canaryAttempts, copiesOf, openingOf } from '../core/canary/canary-attempts.ts';
import type { OpeningTools } from '../core/canary/canary-attempts.ts';
import type { Deployment } from '../core/deployment.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import { slotKey } from '../core/markers/slot.ts';
import { address } from '../core/projection.ts';
import { readRow } from '../core/row-text.ts';
import type { Sample } from '../core/samples/sample.ts';
import type { SlotState } from '../core/slot-state.ts';
import type { Stop } from '../ports/clock.ts';
import type { RowKey } from '../ports/read-model-store.ts';
import { appendSamples } from './append-samples.ts';
import { startAt } from './following.ts';
import type { Follower } from './following.ts';
import { Halted } from './halted.ts';
import type { AnalyserPorts } from './ports.ts';
import { rowsWhenAt } from './read-models.ts';

/** How long a batch waits for the projector before the subscription is given up and begun again. */
const projectorWaitMs = 20_000;
/** Analyses that this process remembers to have opened, so that it does not say it again with every marker. */
const openedRememberedMax = 10_000;

/**
 * Tells the samples what the log says of canaries: which analyses open, and the records that they obey. It believes
 * the read models alone; of the records it takes only which deployments to look at. Whatever it says twice after a
 * restart, the first copy stands.
 */
export const followLog = (ports: AnalyserPorts, stop: Stop): Follower => {
  const opened = new Set<string>();

  const rowsAt = async (next: Position, keys: readonly RowKey[]): Promise<Rows> => {
    const rows = await rowsWhenAt(ports, stop, next, projectorWaitMs, keys);
    if (!rows.ok) throw new Halted(rows.problem.message);
    return rows.value.rows;
  };

  const openings = (deployment: Deployment, rows: Rows, tools: OpeningTools): readonly Sample[] =>
    canaryAttempts(deployment).flatMap((attempt) => {
      const slot = rows.get(address('slot', slotKey(attempt.plan.slot)));
      const state = slot === undefined ? undefined : readRow<SlotState>('slot', slot);
      const opening = openingOf(tools, deployment, attempt, state);
      if (opening === undefined || opened.has(opening.analysis)) return [];
      if (opened.size >= openedRememberedMax) opened.clear();
      opened.add(opening.analysis);
      ports.tell({
        event: 'analysis-opened',
        analysis: opening.analysis,
        deployment: deployment.id,
        attempt: attempt.number,
      });
      return [opening];
    });

  return {
    startFrom: (_partition, hint) => startAt(ports.log, 0, hint),
    onBatch: async ({ records }) => {
      const next = (records.at(-1)?.position ?? -1) + 1;
      const ids = [...new Set(records.flatMap((record) => deploymentIn(ports, record)))];
      const deploymentKeys = ids.map((key): RowKey => ({ model: 'deployment', key }));
      const places = new Set(
        deploymentsIn(await rowsAt(next, deploymentKeys)).flatMap((deployment) =>
          canaryAttempts(deployment).map(({ plan }) => slotKey(plan.slot)),
        ),
      );
      if (places.size === 0) return next;
      // Read again beside the slots: what runs and what holds must be of one moment.
      const slotKeys = [...places].map((key): RowKey => ({ model: 'slot', key }));
      const rows = await rowsAt(next, [...deploymentKeys, ...slotKeys]);
      const { tools, audience, policy, clock } = ports;
      const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
      const opening: OpeningTools = { digest, audience, policy, nowMs: clock.nowMs() };
      const copied = records.map(({ position, appendedAtMs, value }) => ({
        position,
        appendedAtMs,
        digest: tools.crypto.sha256Hex(value),
      }));
      const said = deploymentsIn(rows).flatMap((deployment): readonly Sample[] => [
        ...openings(deployment, rows, opening),
        ...canaryAttempts(deployment).flatMap((attempt) =>
          copiesOf(opening, deployment, attempt, copied),
        ),
      ]);
      await appendSamples(ports, stop, said);
      return next;
    },
    // What was remembered may not have been appended.
    onLost: () => opened.clear(),
  };
};

type Rows = ReadonlyMap<string, string>;

const deploymentsIn = (rows: Rows): readonly Deployment[] =>
  [...rows]
    .filter(([at]) => at.startsWith(address('deployment', '')))
    .map(([, row]) => readRow<Deployment>('deployment', row));

const deploymentIn = ({ tools }: AnalyserPorts, record: LogRecord): readonly string[] => {
  const deployment = tools.codec.prefix(record.value)?.deployment;
  return deployment === undefined || deployment === null ? [] : [deployment];
};
