import type { Admitted } from '../core/admit-record.ts';
import { admitRecord } from '../core/admit-record.ts';
import type { NewRecord, Position } from '../core/log/record.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import { policyModel } from '../core/policy-records.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { readRow } from '../core/row-text.ts';
import { goesOnAt } from '../core/sealed-log.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import type { ReadSide } from './read-side.ts';
import { positionOf } from './read-side.ts';

/** What the gateway makes of a signed marker, by the read models as they are. */
export type Verdict = Admitted & {
  /** The last position that the read models held when they were asked. */
  readonly heldUpTo: Position;
};

type AdmissionPorts = Pick<GatewayPorts, 'tools' | 'audience' | 'clock'> & {
  readonly reads: ReadSide;
};

export const admitMarker = async (
  { tools, audience, clock, reads }: AdmissionPorts,
  record: NewRecord,
): Promise<Result<Verdict, Problem>> => {
  const keys = await reads.trust();
  if (!keys.ok) return keys;
  const { trust, asOf } = keys.value;
  const admitted = await admitRecord(
    { tools, audience, trust, next: asOf.checkpoint.next, nowMs: clock.nowMs() },
    {
      rows: async (wanted) => {
        const read = await reads.rows(wanted);
        return read.ok ? ok(read.value.rows) : read;
      },
      newestPolicy: () => newestPolicy(reads),
    },
    record,
  );
  if (!admitted.ok) return admitted;
  const { value: answer } = admitted;
  if (answer.ok) return ok({ ...answer.value, heldUpTo: positionOf(asOf) });
  const { problem } = answer;
  return fail(problem.code === 'log-sealed' ? { ...problem, ...sealedHint(trust) } : problem);
};

const newestPolicy = async (reads: ReadSide): Promise<Result<PolicyRow | undefined, Problem>> => {
  const newest = await reads.page(policyModel, { newestFirst: true, rowsMax: 1 });
  if (!newest.ok) return newest;
  const [row] = newest.value.rows;
  return ok(row && readRow<PolicyRow>(policyModel, row.value));
};

/** Whoever is refused by a log that was sealed is told where it went on, and what whoever runs this gateway has to do. */
const sealedHint = ({ sealed }: Trust): Pick<Problem, 'hint'> =>
  sealed === null
    ? {}
    : {
        hint: `send it to a gateway of the log that this one went on as; this gateway: ${goesOnAt(sealed.note)}, and start it again`,
      };
