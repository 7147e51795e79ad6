import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readAtHand } from './reader-at-hand.ts';
import { readThrough } from './reader-gateway.ts';
import type { Reader } from './reader.ts';

/** Whoever answers questions: the gateway that PLIMSOLL_URL names, else the log at hand, folded to its end. */
export const openReader = async (ports: CliPorts): Promise<Result<Reader, CliProblem>> => {
  if (ports.gateway !== null) return ok(readThrough(ports.gateway, ports));
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  return atHand.ok ? ok(readAtHand(atHand.value, ports.clock.nowMs())) : atHand;
};

/** Refuses commands that work on the log and the read models themselves; a gateway does not do them for others. */
export const onlyAtHand = (
  { gateway }: Pick<CliPorts, 'gateway'>,
  name: string,
): Result<never, CliProblem> | undefined =>
  gateway === null
    ? undefined
    : refuse(
        'not-through-gateway',
        `plimsoll ${name} works on the log itself, and PLIMSOLL_URL names a gateway`,
        'call it where the log is at hand (PLIMSOLL_LOG), without PLIMSOLL_URL',
      );
