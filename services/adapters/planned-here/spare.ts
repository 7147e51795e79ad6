import { lstat, mkdir } from 'node:fs/promises';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Result } from '../../core/result.ts';
import type {
  PlannedHere,
  PlannedHereProblem,
  PlannedHereStore,
} from '../../ports/planned-here.ts';
import { openPlannedHere } from './folder.ts';

/**
 * What was planned under a folder; and where that takes nothing (full, read only) beside it in the folder for temporary
 * files, so that the next command of the job still knows its plan. Of two plans of a name the one counts whose id is the
 * later: ids made here begin with their time (UUIDv7).
 */
export const openPlannedHereOrSpare = (
  folder: string,
  temporary: string = tmpdir(),
): PlannedHereStore => {
  const main = openPlannedHere(folder);
  const ours = join(temporary, `plimsoll-${process.getuid?.() ?? 'user'}`);
  const spare = openPlannedHere(join(ours, hash('sha256', resolve(folder)).slice(0, 16)));

  /** Anybody may put folders there: only one that is ours, and that nobody else may write to, is believed. */
  const isOurs = async (): Promise<boolean> => {
    const about = await lstat(ours).catch(() => undefined);
    const isMine = about?.uid === (process.getuid?.() ?? about?.uid);
    return about?.isDirectory() === true && isMine && (about.mode & othersMayWrite) === 0;
  };
  const lastSpare = async (deployName: string): Promise<PlannedHere | undefined> => {
    const last = (await isOurs()) ? await spare.last(deployName) : undefined;
    return last?.ok === true ? last.value : undefined;
  };

  return {
    names: main.names,
    last: async (deployName) => {
      const [last, other] = [await main.last(deployName), await lastSpare(deployName)];
      if (other === undefined) return last;
      const isLater = !last.ok || (last.value?.deployment ?? '') < other.deployment;
      return isLater ? { ok: true, value: other } : last;
    },
    begin: async (deployName, plan, after) => {
      const other = await lastSpare(deployName);
      // What is known may be the spare's, of which the folder itself has never heard.
      const isSpare = other !== undefined && other.deployment === after?.deployment;
      const own = isSpare ? await main.last(deployName) : undefined;
      const begun = await main.begin(deployName, plan, own?.ok === true ? own.value : after);
      if (begun.ok || begun.problem.code !== 'refused') return begun;
      await mkdir(ours, { mode: 0o700 }).catch(() => undefined);
      if (!(await isOurs())) return begun;
      const kept = await spare.begin(deployName, plan, other);
      return kept.ok ? kept : begun;
    },
    end: async (deployName, deployment): Promise<Result<void, PlannedHereProblem>> => {
      const ended = await main.end(deployName, deployment);
      const other = await lastSpare(deployName);
      return other?.deployment === deployment ? spare.end(deployName, deployment) : ended;
    },
  };
};

const othersMayWrite = 0o022;
