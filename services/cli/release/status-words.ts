import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { nearest } from '../../core/nearest.ts';

export type StatusKind = 'started' | 'succeeded' | 'failed' | 'canceled';

/** How the field spells a status: CircleCI, GitHub, GitLab, Jenkins, Argo, Spinnaker, OpenTelemetry. */
const spellings: { readonly [Kind in StatusKind]: readonly string[] } = {
  started: ['running', 'in_progress', 'inprogress', 'started', 'deploying', 'progressing'],
  succeeded: [
    'success',
    'succeeded',
    'successful',
    'passed',
    'completed',
    'complete',
    'finished',
    'healthy',
  ],
  failed: [
    'failed',
    'failure',
    'error',
    'errored',
    'timed_out',
    'timedout',
    'terminal',
    'degraded',
  ],
  canceled: ['canceled', 'cancelled', 'aborted', 'abort', 'stopped'],
};

const kindOf: ReadonlyMap<string, StatusKind> = new Map(
  (Object.keys(spellings) as StatusKind[]).flatMap((kind) =>
    spellings[kind].map((word) => [word, kind] as const),
  ),
);

/** The kind of marker that a status word means, in any case, with spaces, dashes or underscores. */
export const readStatus = (written: string): Result<StatusKind, CliProblem> => {
  const word = written
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
  const kind = kindOf.get(word);
  if (kind !== undefined) return ok(kind);
  const near = nearest(word, [...kindOf.keys()]);
  return refuse(
    'status-unknown',
    `--status=${JSON.stringify(written.slice(0, 64))} is no status${
      near === undefined ? '' : `; did you mean ${near.toUpperCase()}?`
    }`,
    `allowed, in any case: ${[...kindOf.keys()].map((known) => known.toUpperCase()).join(', ')}`,
  );
};
