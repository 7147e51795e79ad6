import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import { plainText } from '../terminal/display.ts';
import { openObeying } from './obeying.ts';
import { printLines, printText } from '../terminal/output.ts';
import { readPlace } from '../release/place.ts';
import { textIn } from '../reading/line-fields.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';

/** The version to go back to, for scripts: one word, or a line of JSON. */
export const runLastGood = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const slot = await readPlace(given, ciJob(ports.env), ports.repositoryAddress);
  if (!slot.ok) return slot;
  const obeying = await openObeying(ports);
  if (!obeying.ok) return obeying;
  const found = await obeying.value.lastGood(slot.value);
  if (!found.ok) return found;
  if (isJson) {
    printLines(ports.terminal, [found.value]);
    return ok(undefined);
  }
  const told = [textIn(found.value, 'version'), textIn(found.value, 'digest')];
  printText(ports.terminal, [plainText(told.join(' ').trim())]);
  return ok(undefined);
};
