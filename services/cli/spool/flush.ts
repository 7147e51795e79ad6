import { mayExport } from '../../core/telemetry/export/exporter-named.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Deliver } from '../../ports/delivery.ts';
import type { SpoolElsewhere } from '../../ports/spool.ts';
import { openDeadline } from '../../sdk/deadline.ts';
import type { Deadline } from '../../sdk/deadline.ts';
import { deliverByHttp } from '../../sdk/deliver-http.ts';
import type { Flushed, FlushPorts, FlushSummary } from '../../sdk/flush-spool.ts';
import { flushSpool } from '../../sdk/flush-spool.ts';
import { lateCause } from '../../sdk/send-or-keep.ts';
import { readSigner } from '../release/emit.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText, spanText } from '../terminal/display.ts';
import { readTimeout } from '../terminal/duration.ts';
import { printLines, printText } from '../terminal/output.ts';
import { openProgress } from '../terminal/progress.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, problemTold, refuse } from '../problem.ts';
import type { FlushedTelemetry } from './flushed-telemetry.ts';
import { batchesOfLog } from './from-log.ts';

const timeoutMsDefault = 300_000;
const eachWithinMs = 10_000;

/** Delivers what the spool holds, or the log of a CI job. Undefined: all of it is on the log. */
export const flush = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<CliProblem | undefined> => {
  const timeoutMs = readTimeout(given, timeoutMsDefault);
  if (!timeoutMs.ok) return timeoutMs.problem;
  const path = given.value('from-log');
  if (path !== null && ['refused', 'expired', 'elsewhere'].some((name) => given.has(name)))
    return problem(
      'option-invalid',
      '--refused, --expired and --elsewhere are about the spool, and --from-log about a file',
      'call twice',
    );
  const deadline = openDeadline(ports, ports.sinceStartMs() + timeoutMs.value);
  const telemetry = await telemetryOf(ports, given.value('telemetry'));
  const cause =
    path === null
      ? await flushOwn(ports, given, isJson, deadline, telemetry?.onFlushed)
      : await flushLog(ports, given, isJson, deadline, path);
  await telemetry?.tell();
  return cause;
};

/** Delivers what waits, for a command that needs it there, and prints nothing. Null: nothing is known to wait that would be sent. */
export const flushSilently = async (
  ports: CliPorts,
  given: Given,
  withinMs: number,
): Promise<Result<FlushSummary, CliProblem> | null> => {
  const deadline = openDeadline(ports, ports.sinceStartMs() + withinMs);
  const { spool } = ports;
  const entries = await deadline.before(0, spool.waiting());
  if (entries === undefined) return fail(problemTold(lateCause, waits));
  if (!entries.ok || entries.value.length === 0) return null;
  const way = await openWay(ports, given, deadline);
  if (!way.ok) return way;
  const summary = await flushSpool({ ...way.value, spool }, entries.value, {
    from: 'waiting',
    markersMax: Number.POSITIVE_INFINITY,
    withinMs: () => Math.min(eachWithinMs, deadline.leftMs()),
    withExpired: false,
  });
  return summary.delivered + summary.refused + summary.waiting === 0 ? null : ok(summary);
};

const telemetryOf = async (
  ports: CliPorts,
  path: string | null,
): Promise<FlushedTelemetry | undefined> =>
  path === null || !mayExport(ports.env)
    ? undefined
    : (await import('./flushed-telemetry.ts')).openFlushedTelemetry(ports, path);

const flushOwn = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
  deadline: Deadline,
  onFlushed?: (flushed: Flushed) => void,
): Promise<CliProblem | undefined> => {
  const from = given.has('refused') ? 'refused' : 'waiting';
  const chosen = await chooseSpool(ports, given);
  if (!chosen.ok) return chosen.problem;
  const spool = chosen.value;
  const entries = await spool[from]();
  if (!entries.ok) return spoolProblem(entries.problem);
  if (entries.value.length === 0) {
    if (!isJson) printText(ports.terminal, ['nothing waits in the spool']);
    return undefined;
  }
  const way = await openWay(ports, given, deadline);
  if (!way.ok) return way.problem;
  const told = teller(ports, isJson, entries.value.length);
  const summary = await flushSpool({ ...way.value, spool }, entries.value, {
    from,
    markersMax: Number.POSITIVE_INFINITY,
    withinMs: () => Math.min(eachWithinMs, deadline.leftMs()),
    withExpired: given.has('expired'),
    onFlushed: (flushed) => {
      told(flushed);
      onFlushed?.(flushed);
    },
  });
  return conclude(ports, isJson, summary, 0);
};

/** This log's own, or with `--elsewhere` that of another address, whose markers are to go here. */
const chooseSpool = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<SpoolElsewhere['spool'], CliProblem>> => {
  const wanted = given.value('elsewhere');
  if (wanted === null) {
    await noteElsewhere(ports);
    return ok(ports.spool);
  }
  const others = await ports.spool.elsewhere();
  if (!others.ok) return fail(spoolProblem(others.problem));
  const isMeant = ({ label, name, audience }: SpoolElsewhere): boolean =>
    [label, name].includes(wanted) || label === `${wanted} (${audience})`;
  const [found, ...more] = others.value.filter(isMeant);
  const known = others.value.map(({ label }) => label).join(', ');
  if (found === undefined)
    return refuse(
      'not-found',
      `nothing was kept for ${wanted}`,
      known === '' ? 'plimsoll spool list shows what is there' : `there is: ${known}`,
    );
  if (more.length > 0)
    return refuse('option-invalid', `${wanted} is more than one`, `name one of: ${known}`);
  const { audience, label, spool } = found;
  if (audience !== ports.settings.audience)
    return refuse(
      'option-invalid',
      `what was kept for ${label} is signed for the audience ${audience}, and this log is of ${ports.settings.audience}`,
      `PLIMSOLL_AUDIENCE=${audience} names its own`,
    );
  return ok(spool);
};

/** What was kept for another log is not sent to this one by itself. */
const noteElsewhere = async ({ spool, note }: CliPorts): Promise<void> => {
  const others = await spool.elsewhere();
  if (!others.ok) return;
  for (const { label, markers } of others.value.filter((other) => other.markers > 0))
    note({
      code: 'spooled-elsewhere',
      message: `${markers} ${markers === 1 ? 'marker waits' : 'markers wait'} for ${label}`,
      hint: 'plimsoll flush with PLIMSOLL_URL or PLIMSOLL_LOG as they were then delivers them; where that log has moved here, plimsoll flush --elsewhere=ADDRESS',
    });
};

const flushLog = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
  deadline: Deadline,
  path: string,
): Promise<CliProblem | undefined> => {
  const { tools, readPieces, spoolNow } = ports;
  let way: Omit<FlushPorts, 'spool'> | undefined;
  let total: FlushSummary = nothingFlushed;
  let damaged = 0;
  const told = teller(ports, isJson, Number.POSITIVE_INFINITY);
  try {
    for await (const batch of batchesOfLog(tools, spoolNow, readPieces(path))) {
      damaged += batch.damaged;
      if (batch.entries.length === 0) continue;
      if (way === undefined) {
        const opened = await openWay(ports, given, deadline);
        if (!opened.ok) return opened.problem;
        way = opened.value;
      }
      const flushed = await flushSpool({ ...way, spool: batch.spool }, batch.entries, {
        from: 'waiting',
        markersMax: Number.POSITIVE_INFINITY,
        withinMs: () => Math.min(eachWithinMs, total.isOver ? 0 : deadline.leftMs()),
        withExpired: true,
        keysWaiting: total.keysWaiting,
        onFlushed: told,
      });
      total = addedUp(total, flushed);
    }
  } catch (error) {
    return problem(
      'file-invalid',
      `${path}: ${error instanceof Error ? error.message : String(error)}`,
      'name the file with the log of the job, or - for standard input',
    );
  }
  const found = total.delivered + total.refused + total.waiting;
  if (found + damaged === 0)
    ports.note({
      code: 'nothing-found',
      message: `there is no line plimsoll-marker:v1:… in ${path}`,
      hint: '',
    });
  return conclude(ports, isJson, total, damaged);
};

const nothingFlushed: FlushSummary = {
  delivered: 0,
  refused: 0,
  expired: 0,
  waiting: 0,
  cause: null,
  keysWaiting: new Set(),
  isOver: false,
};

const addedUp = (a: FlushSummary, b: FlushSummary): FlushSummary => ({
  delivered: a.delivered + b.delivered,
  refused: a.refused + b.refused,
  expired: a.expired + b.expired,
  waiting: a.waiting + b.waiting,
  cause: b.cause ?? a.cause,
  keysWaiting: b.keysWaiting,
  isOver: a.isOver || b.isOver,
});

/** The key that says how long markers waited, and the log or the gateway that takes them. */
const openWay = async (
  ports: CliPorts,
  given: Given,
  deadline: Deadline,
): Promise<Result<Omit<FlushPorts, 'spool'>, CliProblem>> => {
  const { gateway, tools, settings } = ports;
  const way =
    gateway === null
      ? await wayAtHand(ports, deadline)
      : ok(deliverByHttp(gateway, tools.text, settings.logId));
  if (!way.ok) return way;
  const signer = await readSigner(ports, given);
  if (!signer.ok) return signer;
  const deliver: Deliver = async (record, withinMs) =>
    (await deadline.before(deadline.leftMs() - withinMs, way.value(record, withinMs))) ?? {
      outcome: 'away',
      ...lateCause,
      mayBeStored: true,
    };
  return ok({ tools, audience: settings.audience, signer: signer.value, deliver });
};

const wayAtHand = async (
  ports: CliPorts,
  deadline: Deadline,
): Promise<Result<Deliver, CliProblem>> => {
  const { openDoorAtHand } = await import('../release/deliver.ts');
  const door = await openDoorAtHand(ports, (work) => deadline.before(deadline.leftMs() / 2, work));
  return door.ok ? ok(door.value.deliver) : door;
};

const teller = (ports: CliPorts, isJson: boolean, end: number): ((flushed: Flushed) => void) => {
  const progress = openProgress(ports, 'delivering', 'markers');
  let next = 0;
  return (flushed) => {
    progress({ next: ++next, end });
    if (isJson) printLines(ports.terminal, [flushed]);
    else if (flushed.delivery !== 'waiting') printText(ports.terminal, [sentence(flushed)]);
  };
};

const words: { readonly [Word in Flushed['delivery']]: string } = {
  stored: 'delivered',
  duplicate: 'delivered (it was there already)',
  refused: 'refused',
  waiting: 'waits',
  expired: 'too old to be sent without --expired',
};

const sentence = ({ marker, kind, delivery, code, message, position, waitedMs }: Flushed): string =>
  plainText(
    [
      `${words[delivery]}: ${kind ?? 'marker'} ${marker}`,
      ...(position === null ? [] : [`position ${position}`]),
      ...(waitedMs === null ? [] : [`waited ${spanText(waitedMs)}`]),
      ...(message === null ? [] : [`${message} [${code ?? ''}]`]),
    ].join(', '),
  );

const conclude = (
  ports: CliPorts,
  isJson: boolean,
  { delivered, refused, expired, waiting, cause }: FlushSummary,
  damaged: number,
): CliProblem | undefined => {
  if (!isJson)
    printText(ports.terminal, [
      [
        `${delivered} delivered`,
        ...(refused === 0 ? [] : [`${refused} refused`]),
        ...(expired === 0 ? [] : [`${expired} too old to be sent without --expired`]),
        ...(damaged === 0 ? [] : [`${damaged} damaged`]),
        `${waiting} still waiting`,
      ].join(', '),
    ]);
  if (waiting > 0) {
    const { code, message, hint } = cause ?? lateCause;
    const told = problemTold({ code, message: `${waiting} still wait: ${message}`, hint }, waits);
    // What holds back what waits is an outage, or somebody's key; never a reason to think that it was refused.
    return told;
  }
  if (refused > 0)
    return problem(
      'markers-refused',
      `${refused} refused by a rule`,
      'plimsoll spool list says why; plimsoll flush --refused tries again, plimsoll spool drop removes',
    );
  return damaged === 0
    ? undefined
    : problem(
        'line-damaged',
        `${damaged} ${damaged === 1 ? 'line plimsoll-marker:v1:… holds' : 'lines plimsoll-marker:v1:… hold'} no marker`,
        'was the log cut off, or were its long lines?',
      );
};

const waits = 6;

export const spoolProblem = ({
  code,
  message,
}: {
  readonly code: 'spool-failed' | 'spool-full' | 'spool-damaged';
  readonly message: string;
}): CliProblem => problem(code, message, 'see PLIMSOLL_SPOOL');
