import type { Receipt } from '../../core/markers/http-wire.ts';
import type { Emittable } from '../../core/markers/marker.ts';
import { markerLine } from '../../core/spool/marker-line.ts';
import type { DeliveryRefused } from '../../ports/delivery.ts';
import type { Cause, Sent } from '../../sdk/send-or-keep.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problemTold } from '../problem.ts';
import type { Note } from '../terminal/note.ts';
import { printMarkerLine } from '../terminal/output.ts';
import { isCi } from '../../sdk/ci/ci-job.ts';
import { exitOfFault } from './refusal-exit.ts';

// What is said of a marker that nobody took, and of one that a rule refused.

type Kept = Extract<Sent, { readonly outcome: 'spooled' | 'unkept' }>;

/**
 * Says that a marker was kept and why; in a CI, whose disk goes with the job, and where no disk took it, as a line of the
 * log that holds it whole. With `--strict` the outage is a problem all the same.
 */
export const tellKept = (
  ports: Pick<CliPorts, 'env' | 'note' | 'terminal' | 'tools' | 'spool' | 'isJson'>,
  { deployment, marker, kind }: Emittable,
  sent: Kept,
  isStrict: boolean,
): { readonly receipt: Receipt; readonly problem: CliProblem | undefined } => {
  const { cause, outcome, bytes } = sent;
  const receipt: Receipt = {
    ...{ deployment, attempt: null, marker, kind },
    delivery: 'spooled',
    code: outcome === 'spooled' ? cause.code : sent.problem.code,
    position: null,
  };
  const isLate = cause.code !== 'async';
  if (!isStrict && (isLate || outcome === 'unkept')) ports.note(keptNote(ports.spool.place, sent));
  if (outcome === 'unkept' || isCi(ports.env))
    printMarkerLine(ports.terminal, ports.isJson, markerLine(ports.tools.text, bytes));
  return { receipt, problem: isStrict && isLate ? strictProblem(sent) : undefined };
};

const keptNote = (place: string, sent: Kept): Note => {
  const { message } = sent.cause;
  return sent.outcome === 'spooled'
    ? {
        code: 'spooled',
        message: `not delivered, kept in ${place}: ${message}`,
        hint: 'the next command sends it, or plimsoll flush',
      }
    : {
        code: sent.problem.code,
        message: `not delivered (${message}), and no disk keeps it (${sent.problem.message})`,
        hint: 'only the line plimsoll-marker:v1:… holds it: keep this log, plimsoll flush --from-log=FILE delivers it',
      };
};

const strictProblem = (sent: Kept): CliProblem => {
  const { code, message, hint } = sent.cause;
  const where =
    sent.outcome === 'spooled'
      ? 'it is kept, and sent by the next command or plimsoll flush'
      : `no disk keeps it (${sent.problem.message}): only the line plimsoll-marker:v1:… holds it`;
  return outage({ code, message: `${message}; ${where}`, hint });
};

/** An outage where there is nothing that could be kept. */
export const nothingKept = ({ code, message }: Cause): CliProblem =>
  outage({
    code,
    message: `there is no key yet, and the log that makes one cannot be opened: ${message}; nothing was stored or kept`,
    hint: 'call again; plimsoll keys list opens it beforehand, and PLIMSOLL_KEY names a key that is there',
  });

const unreachable = 6;

const outage = (cause: Cause): CliProblem => problemTold(cause, unreachable);

/** A rule's no as a command says it. */
export const refusalProblem = ({ code, message, hint, fault }: DeliveryRefused): CliProblem =>
  problemTold({ code, message, hint }, exitOfFault[fault]);

/** What lay in the spool, and was refused when it was sent. */
export const refusedNote = (count: number): Note => ({
  code: 'spooled-refused',
  message: `${count === 1 ? 'a marker' : `${count} markers`} from the spool ${count === 1 ? 'was' : 'were'} refused`,
  hint: 'plimsoll spool list says why',
});
