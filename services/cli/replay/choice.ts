import { isKind } from '../../core/markers/kinds.ts';
import type { Kind } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Believed, ReplayChoice } from '../../ports/replaying.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CliPorts } from '../ports.ts';
import { positionAt } from '../reading/position-at.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

/** Share of the remembered signature checks that are made all the same. */
const sampleShareDefault = 0.01;
const seedMax: number = 2 ** 32 - 1;

const choiceOptionNames = [
  ...['from', 'to', 'from-time', 'to-time', 'environment', 'component', 'kind', 'header'],
  ...['full', 'sample', 'seed', 'rate'],
];

/** Which records a replay is to fold, as the command line says it. */
export const readChoice = async (
  { log }: Pick<CliPorts, 'log'>,
  given: Given,
): Promise<Result<ReplayChoice, CliProblem>> => {
  const from = await readEnd(log, given, 'from');
  if (!from.ok) return from;
  const to = await readEnd(log, given, 'to');
  if (!to.ok) return to;
  const kinds = readKinds(given);
  if (!kinds.ok) return kinds;
  const headers = readHeaders(given);
  if (!headers.ok) return headers;
  if (to.value !== null && (to.value < 1 || to.value <= (from.value ?? 0)))
    return refuse(
      'option-invalid',
      `nothing lies before --to and from --from on`,
      'record 0 is always folded, so --to is 1 at least',
    );
  return ok({
    filter: {
      from: from.value === 0 ? null : from.value,
      environments: given.values('environment'),
      components: given.values('component'),
      kinds: kinds.value,
      headers: headers.value,
    },
    to: to.value,
  });
};

const readEnd = async (
  log: CliPorts['log'],
  given: Given,
  name: 'from' | 'to',
): Promise<Result<number | null, CliProblem>> => {
  const written = given.value(name);
  const time = given.value(`${name}-time`);
  if (written !== null && time !== null)
    return refuse(
      'option-invalid',
      `--${name} and --${name}-time say the same in two ways`,
      'give one of them',
    );
  const position = written ?? time;
  if (position === null) return ok(null);
  const opened = await log();
  if (!opened.ok) return opened;
  return positionAt(opened.value, position, time === null ? `--${name}` : `--${name}-time`);
};

const readKinds = (given: Given): Result<readonly Kind[], CliProblem> => {
  const kinds: Kind[] = [];
  for (const word of given.values('kind')) {
    if (!isKind(word))
      return refuse(
        'kind-unknown',
        `--kind=${JSON.stringify(word.slice(0, 64))} is no kind of record`,
        'write it such as planned or succeeded',
      );
    kinds.push(word);
  }
  return ok(kinds);
};

const readHeaders = (given: Given): Result<ReplayChoice['filter']['headers'], CliProblem> => {
  const headers: { name: string; value: string }[] = [];
  for (const written of given.values('header')) {
    const at = written.indexOf('=');
    if (at < 1)
      return refuse(
        'option-invalid',
        `--header=${JSON.stringify(written.slice(0, 64))} has no name and value`,
        'write it such as --header=ce_source=https://ci.example/checkout',
      );
    headers.push({ name: written.slice(0, at), value: written.slice(at + 1) });
  }
  return ok(headers);
};

/** How far remembered signature checks are believed. */
export const readBelieved = (given: Given, chance: number): Result<Believed, CliProblem> => {
  const invalid = (name: string, hint: string): Result<never, CliProblem> =>
    refuse(
      'option-invalid',
      `--${name}=${JSON.stringify((given.value(name) ?? '').slice(0, 64))} is none`,
      hint,
    );
  const sample = given.value('sample');
  const sampleShare = sample === null ? sampleShareDefault : Number(sample);
  if (sample !== null && !(/^[0-9.]{1,12}$/.test(sample) && sampleShare >= 0 && sampleShare <= 1))
    return invalid('sample', 'write a share from 0 to 1, such as 0.05');
  const written = given.value('seed');
  const seed = written === null ? chance : Number(written);
  if (written !== null && !(/^[0-9]{1,10}$/.test(written) && seed <= seedMax))
    return invalid('seed', `write a whole number up to ${seedMax}`);
  return ok({ sampleShare: given.has('full') ? 1 : sampleShare, seed });
};

/** What is resumed goes on as it was begun: saying it otherwise would make rows of two minds. */
export const refuseWithResume = (given: Given): Result<void, CliProblem> => {
  const said = choiceOptionNames.find((name) => given.has(name));
  return said === undefined
    ? ok(undefined)
    : refuse(
        'option-invalid',
        `--${said} does not go with --resume`,
        'a generation is folded on as it was begun; plimsoll replay status shows how',
      );
};
