import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { openTurn } from '../../adapters/system/turn.ts';
import type { AnalyserStatus } from '../../analyser/start.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { ProjectionPorts } from '../../ports/projecting.ts';
import type { ProjectorStatus } from '../../projector/start.ts';
import type { Note } from '../terminal/note.ts';
import type { CliPorts, KeyFiles } from '../ports.ts';
import type { CliProblem, ProblemCode } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { OwnMetrics } from './own-metrics.ts';

// What the parts of the composition root hand to each other. Only main.ts imports this folder.

/** How the services of this process stand, as far as they were started. */
export type Alongside = { projector?: () => ProjectorStatus; analyser?: () => AnalyserStatus };

export type Composition = {
  readonly foundation: Foundation;
  /** The log, opened or made; it says so where it was made. */
  readonly log: CliPorts['log'];
  readonly keys: KeyFiles;
  readonly note: (told: Note) => void;
  /** Aborts when the operator asks to stop. */
  readonly stop: AbortSignal;
};

/** What services need beside it. */
export type ServiceComposition = Composition & {
  readonly alongside: Alongside;
  /** The numbers of the services of this process. */
  readonly metrics: OwnMetrics;
};

export const openProjection = async ({
  foundation: { store, tools, settings, signatureChecking },
  log,
}: Composition): Promise<Result<ProjectionPorts, CliProblem>> => {
  const opened = await log();
  if (!opened.ok) return opened;
  const stored = await store();
  if (!stored.ok) return failed(stored.problem);
  const { audience, logId: pinnedLogId } = settings;
  return ok({
    log: opened.value,
    store: stored.value,
    tools,
    audience,
    pinnedLogId,
    turn: openTurn(),
    ...(signatureChecking === undefined ? {} : { signatureChecking }),
  });
};

/** A problem of what was opened, as commands tell it. */
export const failed = ({
  code,
  message,
  hint,
}: {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
}): Result<never, CliProblem> => refuse(code, message, hint);
