import { promises as disk } from 'node:fs';
import { hash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Slot } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type {
  PlannedHere,
  PlannedHereProblem,
  PlannedHereStore,
} from '../../ports/planned-here.ts';
import { makeFolders } from '../system/make-folders.ts';
import { codeOf } from '../system/error-code.ts';
import { readPlainFile } from '../system/plain-file.ts';

/** Names and a place, each of at most some hundred characters. */
const contentBytesMax = 64 * 1024;
/** Files that are looked at for names. */
const namesMax = 400;
/** Plans of one name that are left lying behind the last one: a reader may just be opening the one before. */
const keptBehind = 2;

/**
 * One small file for each plan of a deploy name, numbered: `<name's digest>.<n>.json`, and `<…>.<n>.ended` once it
 * has ended. A file is written whole under a temporary name and linked into place, which fails where another
 * process was first, and is never changed again: so no lock is needed, and none can be left behind.
 */
export const openPlannedHere = (folder: string): PlannedHereStore => {
  const newest = async (deployName: string): Promise<Found | undefined> => {
    const prefix = `${fileName(deployName)}.`;
    const names = (await listed(folder)).filter((name) => name.startsWith(prefix));
    const number = Math.max(-1, ...names.map((name) => numberOf(prefix, name)));
    if (number < 0) return undefined;
    const path = join(folder, `${prefix}${number}`);
    const content = readContent(await readPlainFile(`${path}.json`, contentBytesMax));
    if (content === undefined) throw new SyntaxError(`${path}.json holds no plan`);
    const hasEnded = names.includes(`${prefix}${number}.ended`);
    const { deployment, slot, version = null } = content;
    return { number, plan: { deployment, slot, version, hasEnded } };
  };

  const write = async (path: string, content: string): Promise<'written' | 'taken'> => {
    const temporary = `${path}.${randomUUID()}.new`;
    await makeFolders(folder);
    try {
      await disk.writeFile(temporary, content, { flag: 'wx' });
      await disk.link(temporary, path);
      return 'written';
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'taken';
      throw error;
    } finally {
      await disk.rm(temporary, { force: true });
    }
  };

  const forget = async (deployName: string, upTo: number): Promise<void> => {
    const prefix = `${fileName(deployName)}.`;
    for (const name of await listed(folder)) {
      const number = name.startsWith(prefix)
        ? numberOf(prefix, name.replace('.ended', '.json'))
        : -1;
      if (number >= 0 && number <= upTo) await disk.rm(join(folder, name), { force: true });
    }
  };

  return {
    names: () =>
      told(folder, async () => {
        const files = (await listed(folder)).filter((name) => name.endsWith('.json'));
        const texts = await Promise.all(
          files
            .slice(0, namesMax)
            .map((name) => readPlainFile(join(folder, name), contentBytesMax)),
        );
        return [...new Set(texts.flatMap((text) => readContent(text)?.deployName ?? []))];
      }),
    last: (deployName) => told(folder, async () => (await newest(deployName))?.plan),
    begin: (deployName, { deployment, slot, version }, after) =>
      told(folder, async () => {
        const before = await newest(deployName);
        // Somebody began one after the plan that we know.
        if (before !== undefined && before.plan.deployment !== after?.deployment)
          return before.plan;
        const number = (before?.number ?? 0) + 1;
        const content = JSON.stringify({ deployName, deployment, slot, version } satisfies Content);
        await write(join(folder, `${fileName(deployName)}.${number}.json`), content);
        await forget(deployName, number - 1 - keptBehind);
        const now = await newest(deployName);
        return now?.plan ?? { deployment, slot, version, hasEnded: false };
      }),
    end: (deployName, deployment) =>
      told(folder, async () => {
        const found = await newest(deployName);
        if (found?.plan.deployment !== deployment || found.plan.hasEnded) return;
        await write(join(folder, `${fileName(deployName)}.${found.number}.ended`), '');
      }),
  };
};

type Content = {
  readonly deployName: string;
  readonly deployment: string;
  readonly slot: Slot;
  /** Left out by releases before. */
  readonly version?: string | null;
};
type Found = { readonly number: number; readonly plan: PlannedHere };

const readContent = (text: string): Content | undefined => {
  const content = JSON.parse(text) as Partial<Content> | null;
  const parts = content?.slot;
  const isWhole =
    typeof content?.deployName === 'string' &&
    typeof content.deployment === 'string' &&
    typeof (content.version ?? '') === 'string' &&
    [parts?.namespace, parts?.environment, parts?.component, parts?.target ?? ''].every(
      (part) => typeof part === 'string',
    );
  return isWhole ? (content as Content) : undefined;
};

/** Any name fits, however long; the file says it in full. */
const fileName = (deployName: string): string => hash('sha256', deployName, 'hex').slice(0, 32);

const numberOf = (prefix: string, name: string): number =>
  Number(/^([1-9][0-9]{0,14})\.json$/.exec(name.slice(prefix.length))?.[1] ?? -1);

const listed = async (folder: string): Promise<readonly string[]> => {
  try {
    return await disk.readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
};

const told = async <Value>(
  folder: string,
  work: () => Promise<Value>,
): Promise<Result<Value, PlannedHereProblem>> => {
  try {
    return ok(await work());
  } catch (error) {
    const isBroken = error instanceof SyntaxError;
    const why = error instanceof Error ? error.message : String(error);
    return fail({ code: isBroken ? 'corrupt' : 'refused', message: `${folder}: ${why}` });
  }
};
