import type { CheckTools } from '../../core/check/check-record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Settings } from '../../core/settings.ts';
import type { ArchiveProblem } from '../../ports/archive.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { SeamProblem } from '../archive/seam.ts';

export type ArchivedLogProblem = {
  readonly code: ArchiveProblem['code'] | SeamProblem['code'];
  readonly message: string;
  readonly hint: string;
};

/** The log, with its archive before it where a setting names one. A log that does not fit it is closed again. */
export const withArchive = async (
  { archiveFolder, audience }: Pick<Settings, 'archiveFolder' | 'audience'>,
  tools: CheckTools,
  log: RecordLog,
): Promise<Result<RecordLog, ArchivedLogProblem>> => {
  if (archiveFolder === null) return ok(log);
  const [{ openReader }, { joinArchive }] = await Promise.all([
    import('../archive/reader.ts'),
    import('../archive/seam.ts'),
  ]);
  const reader = await openReader(tools.crypto.sha256Hex, archiveFolder, log.name);
  const joined = reader.ok ? await joinArchive(tools, log, reader.value) : reader;
  if (joined.ok) return joined;
  await log.close();
  const { code, message } = joined.problem;
  const hint = code === 'unreachable' ? 'is the log up? See PLIMSOLL_LOG' : hintFor(code, audience);
  return fail({ code, message, hint });
};

const hintFor = (code: string, audience: string): string => {
  switch (code) {
    case 'archive-missing':
      return `is PLIMSOLL_ARCHIVE the right folder, and ${audience} the right audience?`;
    case 'archive-damaged':
      return 'put a good copy of the archive in its place; plimsoll archive verify tells more';
    case 'corrupt':
      return 'restore the log from a backup';
    case 'seam-gap':
      return 'an archive that was made later would hold them; without it they are lost';
    case 'seam-unproven':
      return 'make sure that it is the archive of this log; its copy must hold what was archived last';
    default:
      return 'PLIMSOLL_ARCHIVE must name the archive of this very log';
  }
};
