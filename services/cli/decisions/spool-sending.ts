import { countOf } from '../../core/problems/problem.ts';
import type { Cause } from '../../sdk/send-or-keep.ts';
import { lateCause } from '../../sdk/send-or-keep.ts';
import type { CliPorts } from '../ports.ts';
import { refusedNote } from '../release/kept.ts';
import { flushSilently } from '../spool/flush.ts';
import type { Given } from '../terminal/arguments.ts';

// A gate may wait for a plan that has not left this machine.

/** So long at most a try to send what waits in the spool takes, and so long at least it has. */
const flushWithinMs = 10_000;
const flushForMsMin = 2000;

/**
 * Sends what waits in the spool, as the next emitting command would; that nobody takes it is said once. `stays`: what waits
 * there may be wanted, and is not delivered. `nothing`: there is nothing to wait for.
 */
export const openSpoolSending = (
  ports: CliPorts,
  given: Given,
): ((leftMs: number) => Promise<'nothing' | 'sent' | 'stays'>) => {
  const { spool, note } = ports;
  let isSaid = false;
  const stays = ({ code, message }: Pick<Cause, 'code' | 'message'>): 'stays' => {
    if (!isSaid)
      note({
        code,
        message: `the plan may wait in the spool ${spool.place}, which cannot be sent now: ${message}`,
        hint: '',
      });
    isSaid = true;
    return 'stays';
  };
  return async (leftMs) => {
    const withinMs = Math.min(flushWithinMs, Math.max(flushForMsMin, leftMs));
    const flushed = await flushSilently(ports, given, withinMs);
    if (flushed === null) return 'nothing';
    if (!flushed.ok) return stays(flushed.problem);
    const { delivered, refused, cause } = flushed.value;
    if (refused > 0) note(refusedNote(refused));
    if (delivered === 0) return refused > 0 ? 'nothing' : stays(cause ?? lateCause);
    note({
      code: 'flushed',
      message: `${countOf(delivered, 'marker')} ${delivered === 1 ? 'was' : 'were'} sent from the spool, as nobody knew the deployment`,
      hint: '',
    });
    return 'sent';
  };
};
