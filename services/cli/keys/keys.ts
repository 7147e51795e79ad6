import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { KeyCommand } from '../commands/keys.ts';
import { markCompromised, retireKey, trustKey } from './key-changes.ts';
import { newKey } from './key-new.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';

/** `plimsoll keys …`: files of keys, and whom the log trusts. */
export const runKeys = async (
  ports: CliPorts,
  name: Exclude<KeyCommand, 'keys list'>,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> =>
  name === 'keys new'
    ? printed(ports, isJson, newKey(ports, given), keyMadeText)
    : (onlyAtHand(ports, name) ??
      printed(ports, isJson, keyChanges[name](ports, given), keyChangedText));

const keyChanges = {
  'keys trust': trustKey,
  'keys retire': retireKey,
  'keys compromised': markCompromised,
};

const printed = async <Value extends object>(
  ports: CliPorts,
  isJson: boolean,
  work: Promise<Result<Value, CliProblem>>,
  textOf: (value: Value) => readonly string[],
): Promise<Result<void, CliProblem>> => {
  const done = await work;
  if (!done.ok) return done;
  if (isJson) printLines(ports.terminal, [done.value]);
  else printText(ports.terminal, textOf(done.value));
  return ok(undefined);
};

const keyMadeText = (made: {
  readonly key: string;
  readonly principal: string;
  readonly file: string;
  readonly publicFile: string;
}): readonly string[] => [
  `key ${made.key} of ${made.principal}: ${made.file} (keep it secret)`,
  `an administrator trusts it with: plimsoll keys trust ${made.publicFile} --role=emitter --environment=NAME --component=NAME`,
];

const keyChangedText = (changed: {
  readonly key: string;
  readonly principal: string;
  readonly kind: string;
  readonly delivery: string;
  readonly position: number;
}): readonly string[] => [
  changed.delivery === 'duplicate'
    ? `already so: ${changed.kind} for ${changed.key} of ${changed.principal} (position ${changed.position})`
    : `${changed.kind}: ${changed.key} of ${changed.principal} (position ${changed.position}; it counts from the next one on)`,
];
