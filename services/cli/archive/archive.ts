import { checkRecord } from '../../core/check/check-record.ts';
import type { LogRecord } from '../../core/log/record.ts';
import type { OperationRow } from '../../core/operations.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { settingsAfterMove } from '../../core/sealed-log.ts';
import { parseLog } from '../../core/settings.ts';
import type { LogSetting } from '../../core/settings.ts';
import type { Line } from '../../core/views.ts';
import type { Archived, ArchiveProblem, Verified } from '../../ports/archive.ts';
import type { MigrationStep } from '../../ports/migrating.ts';
import {
  appendOperation,
  draftOperation,
  maySign,
  readOperator,
} from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import type { ArchiveCommand } from '../commands/archive.ts';
import { plainText } from '../terminal/display.ts';
import { runExport } from './export.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { scanRows } from '../reading/reading.ts';

type Done = Promise<Result<void, CliProblem>>;

export const runArchive = async (
  ports: CliPorts,
  name: ArchiveCommand,
  given: Given,
  isJson: boolean,
): Done => {
  switch (name) {
    case 'archive':
      return onlyAtHand(ports, name) ?? archive(ports, given, isJson);
    case 'archive verify':
      return verify(ports, given, isJson);
    case 'export':
      return onlyAtHand(ports, name) ?? runExport(ports, given);
    case 'migrate':
      return onlyAtHand(ports, name) ?? migrate(ports, given, isJson);
  }
};

const archive = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const folder = given.value('to') ?? '';
  const reason = given.value('reason') ?? 'archive';
  const range = { from: 0, to: 1, digest: '0'.repeat(64) };
  const drafted = draftOperation(ports, { kind: 'log-archived', reason, ...range });
  if (!drafted.ok) return drafted;
  const signer = await readOperator(ports, given.value('key'));
  if (!signer.ok) return signer;
  const opened = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!opened.ok) return opened;
  const { log, state } = opened.value;
  // A sealed log is archived, too; only nothing can be appended to it that would tell of it.
  const isOpen = state.trust.sealed === null;
  const allowed = maySign(state.trust, signer.value, drafted.value);
  if (!allowed.ok) return allowed;
  const written = await ports.archives.write({
    folder,
    log,
    logId: state.trust.logId,
    signer: signer.value,
    isTrace: isTraceOf(ports, opened.value),
    onProgress: openProgress(ports, 'archiving'),
  });
  if (!written.ok) return fail(archiveFailed(written.problem));
  const told = isOpen
    ? await tellOnLog(ports, opened.value, written.value, reason, given.value('key'))
    : ok(null);
  if (!told.ok) return told;
  const line = { ...archivedLine(written.value, folder), operation: told.value };
  if (isJson) printLines(ports.terminal, [line]);
  else printText(ports.terminal, [archivedText(written.value, folder, told.value)]);
  return ok(undefined);
};

/** Records that only tell of an archive run: well signed, by an operator. */
const isTraceOf =
  ({ tools, settings }: CliPorts, { state }: AtHand) =>
  (record: LogRecord): boolean => {
    const checked = checkRecord(tools, settings.audience, state.trust, record);
    return checked.ok && checked.value.marker.kind === 'log-archived';
  };

/**
 * The operation that names what was archived. A run that was killed before this point has archived without telling:
 * so it is looked up whether the log knows the archive as it is now. Answers the operation's position.
 */
const tellOnLog = async (
  ports: CliPorts,
  atHand: AtHand,
  archived: Archived,
  reason: string,
  keyFile: string | null,
): Promise<Result<number | null, CliProblem>> => {
  const rows = await scanRows<OperationRow>(atHand, 'operation', {
    range: { newestFirst: true },
    isWanted: ({ kind, digest }) => kind === 'log-archived' && digest === archived.digest,
    wantedMax: 1,
  });
  if (!rows.ok) return rows;
  if (rows.value[0] !== undefined) return ok(rows.value[0].position);
  const { to, digest, added } = archived;
  const { log, state } = atHand;
  const operation = await appendOperation(
    ports,
    { log, trust: state.trust },
    {
      ...{ kind: 'log-archived', reason, from: 0, to, digest },
      counts: [
        { name: 'records', value: added.records },
        { name: 'files', value: added.files },
      ],
    },
    keyFile,
  );
  return operation.ok ? ok(operation.value.position) : operation;
};

const archivedLine = ({ log, topic, to, digest, added }: Archived, folder: string): Line => ({
  folder,
  log,
  topic,
  to,
  digest,
  added: { ...added },
});

const archivedText = (
  { log, to, added }: Archived,
  folder: string,
  operation: number | null,
): string => {
  const where = `${plainText(folder)} holds log ${log} up to position ${to}`;
  const told = operation === null ? '' : ` (operation at position ${operation})`;
  if (added.records === 0) return `nothing new: ${where}${told}`;
  return `archived ${added.records} records from position ${added.from} on in ${countOf(added.files, 'file')}, ${added.bytes} bytes: ${where}${told}`;
};

const verify = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const { settings } = ports;
  const folder = given.words[0] ?? '';
  const verified = await ports.archives.verify({
    folder,
    pinnedLogId: settings.logId,
    signatures: given.has('signatures'),
    onProgress: openProgress(ports, 'verifying'),
  });
  if (!verified.ok) return fail(archiveFailed(verified.problem));
  if (isJson) printLines(ports.terminal, [verifiedLine(verified.value, folder)]);
  else printText(ports.terminal, verifiedText(verified.value, folder));
  const { strangers } = verified.value;
  if (strangers.length > 0)
    ports.note({
      code: 'strangers',
      message: `files that the manifest does not name: ${strangers.slice(0, 5).join(', ')}${strangers.length > 5 ? ', …' : ''}`,
      hint: 'left by a run that was stopped, or put there by somebody; the next run needs none of them',
    });
  if (settings.logId === null)
    ports.note({
      code: 'log-id-taken',
      message: `the log id ${verified.value.log} was taken from the archive itself`,
      hint: 'set PLIMSOLL_LOG_ID to make sure that it is the log which you mean',
    });
  return unprovenIn(verified.value);
};

const unprovenToldMax = 20;

/** The files are as an operator signed them, and yet nobody vouches for what stands in some places. */
const unprovenIn = ({ signatures }: Verified): Result<void, CliProblem> => {
  if (signatures === null || signatures.unproven.length === 0) return ok(undefined);
  const { unproven, isCut } = signatures;
  const told = unproven
    .slice(0, unprovenToldMax)
    .map(({ position, code }) => `${position} (${code})`);
  const more = unproven.length > told.length || isCut ? ', …' : '';
  return refuse(
    'records-unproven',
    `no trusted signature proves the records at position ${told.join(', ')}${more}`,
    'the log itself may hold hostile or damaged records: if plimsoll dead-letters does not list each of them there, the archive was changed',
  );
};

const verifiedLine = (verified: Verified, folder: string): Line => ({
  folder,
  log: verified.log,
  topic: verified.topic,
  to: verified.to,
  files: verified.files,
  records: verified.records,
  bytes: verified.bytes,
  digest: verified.digest,
  signatures: verified.signatures === null ? null : { ...verified.signatures },
  strangers: verified.strangers,
});

const verifiedText = (
  { log, to, files, records, bytes, digest, signatures }: Verified,
  folder: string,
): readonly string[] => [
  `${plainText(folder)} ${signatures === null || signatures.unproven.length === 0 ? 'is whole' : 'has all its files'}: log ${log}, ${records} records up to position ${to} in ${countOf(files, 'file')}, ${bytes} bytes`,
  `digest ${digest}`,
  ...(signatures === null
    ? []
    : [
        `signatures: ${signatures.good} good${Object.entries(signatures.bad)
          .map(([code, count]) => `, ${count} ${code}`)
          .join('')} (as on the log itself)`,
      ]),
];

const archiveFailed = ({ code, message }: ArchiveProblem): CliProblem =>
  problem(code, message, archiveHints[code]);

const archiveHints: { readonly [Code in ArchiveProblem['code']]: string } = {
  'foreign-archive': 'name the folder of this log, or an empty one; nothing was changed',
  'archive-gap':
    'PLIMSOLL_ARCHIVE=FOLDER gives what the log no longer holds, from an archive of it; nothing was changed',
  'archive-ahead': 'point PLIMSOLL_LOG to the log that was archived; nothing was changed',
  'archive-damaged': 'put a good copy of it in its place, or begin anew in an empty folder',
  'archive-untrusted': 'only an operator whom the log trusts signs an archive: is it a forgery?',
  'archive-missing': 'is PLIMSOLL_AUDIENCE right, and the folder the one that --to named?',
  'archive-busy': 'run it again when the other run has ended',
  'folder-invalid': 'name a folder that you may write to, or one that can be made, by --to',
  refused: 'is the disk not full, and the folder still there?',
  stopped: 'run it again: it goes on where it stopped',
  unreachable: 'is the log up? See PLIMSOLL_LOG',
  corrupt: 'restore the log from a backup',
};

const migrate = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const from = logOption(given, 'from');
  if (!from.ok) return from;
  const to = logOption(given, 'to');
  if (!to.ok) return to;
  const reason = given.value('reason') ?? '';
  const said = { to: 0, digest: '0'.repeat(64) };
  const drafted = draftOperation(ports, { kind: 'log-sealed', reason, ...said });
  if (!drafted.ok) return drafted;
  const signer = await readOperator(ports, given.value('key'));
  if (!signer.ok) return signer;
  const migrated = await ports.migrate({
    from: from.value,
    to: to.value,
    reason,
    signer: signer.value,
    onProgress: openSteps(ports),
  });
  if (!migrated.ok) return migrated;
  const { value } = migrated;
  if (isJson) printLines(ports.terminal, [value]);
  else
    printText(ports.terminal, [
      value.already
        ? `already moved: log ${value.log} goes on at ${plainText(value.to)} since position ${value.position}`
        : `moved log ${value.log} to ${plainText(value.to)}: ${value.copied} records copied, sealed at position ${value.position}`,
      `read models at position ${value.position} on both sides: ${value.rowsDigest}`,
      ...(value.carried === 0
        ? []
        : [`${value.carried} records came after the seal and were appended to the new log`]),
    ]);
  ports.note({
    code: 'moved',
    message: `${settingsAfterMove(value.to)} for every pipeline and service, and start the services again`,
    hint: "keys stay in the old folder's keys/: copy that to the new folder, or name a key by --key or PLIMSOLL_KEY; samples and telemetry were not moved",
  });
  return ok(undefined);
};

const logOption = (given: Given, name: 'from' | 'to'): Result<LogSetting, CliProblem> => {
  const setting = parseLog(given.value(name) ?? '');
  return setting === undefined
    ? refuse(
        'option-invalid',
        `--${name} must be sqlite:FOLDER or kafka://HOST:PORT[,HOST:PORT…]`,
        'for instance --from=sqlite:./plimsoll-data',
      )
    : ok(setting);
};

const stepWords: { readonly [Step in MigrationStep]: string } = {
  copying: 'copying',
  folding: 'comparing the read models of both',
  sealed: 'sealed',
  opened: 'opened',
  carrying: 'carrying late records over',
};

/** Steps that change something are told at once; the others as they take their time. */
const openSteps = (ports: CliPorts): ((step: MigrationStep, next: number, end: number) => void) => {
  const progress = new Map<MigrationStep, ReturnType<typeof openProgress>>();
  return (step, next, end) => {
    if (step === 'sealed' || step === 'opened') {
      const what =
        step === 'sealed' ? `the old log is sealed at position ${end}` : 'the new log is open';
      ports.note({ code: step, message: what, hint: '' });
      return;
    }
    const tell = progress.get(step) ?? openProgress(ports, stepWords[step]);
    progress.set(step, tell);
    tell({ next, end });
  };
};
