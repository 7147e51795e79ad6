import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Given } from './arguments.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

export type KeyMade = {
  readonly key: string;
  readonly principal: string;
  readonly file: string;
  /** The half that an administrator gets. */
  readonly publicFile: string;
};

/** Makes a key. It can sign nothing before an administrator trusts it. */
export const newKey = async (
  { keys }: Pick<CliPorts, 'keys'>,
  given: Given,
): Promise<Result<KeyMade, CliProblem>> => {
  const principal = given.value('principal') ?? '';
  const path = given.value('out') ?? keys.pathOf(principal.replace(/[^A-Za-z0-9._-]/g, '-'));
  const made = await keys.create({ principal, path });
  if (!made.ok) return refuse(made.problem.code, made.problem.message, made.problem.hint);
  const { key, publicPath } = made.value;
  return ok({ key: key.keyId, principal, file: made.value.path, publicFile: publicPath });
};
