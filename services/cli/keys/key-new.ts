import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

export type KeyMade = {
  readonly key: string;
  readonly principal: string;
  readonly file: string;
  /** The half that an administrator gets. */
  readonly publicFile: string;
};

/** Makes a key. It can sign nothing before an administrator trusts it. */
export const newKey = async (
  ports: Pick<CliPorts, 'keys' | 'log' | 'settings'>,
  given: Given,
): Promise<Result<KeyMade, CliProblem>> => {
  const { keys } = ports;
  const principal = given.value('principal') ?? '';
  const out = given.value('out');
  if (out === null) {
    const ready = await dataFolderReady(ports, 'name a file: --out=FILE');
    if (!ready.ok) return ready;
  }
  const path = out ?? keys.pathOf(principal.replace(/[^A-Za-z0-9._-]/g, '-'));
  const made = await keys.create({ principal, path });
  if (!made.ok) return refuse(made.problem.code, made.problem.message, made.problem.hint);
  const { key, publicPath } = made.value;
  return ok({ key: key.keyId, principal, file: made.value.path, publicFile: publicPath });
};

/** What has no file of its own goes to the data folder, which the first command makes. */
export const dataFolderReady = async (
  { log, settings }: Pick<CliPorts, 'log' | 'settings'>,
  otherwise: string,
): Promise<Result<void, CliProblem>> => {
  if (settings.url !== null)
    return refuse('out-missing', 'with PLIMSOLL_URL there is no data folder here', otherwise);
  const opened = await log();
  return opened.ok ? ok(undefined) : opened;
};
