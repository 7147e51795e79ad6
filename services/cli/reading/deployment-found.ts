import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { deploymentNamed } from '../release/deployment-of.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Reader } from './reader.ts';

/** Who asks for one deployment means one of late. */
const newestMax = 2000;
const candidatesMax = 8;
const prefixMin = 6;

/**
 * The deployment that a reader's word names: as everywhere its id, or the name that it was planned under from here;
 * else what only one deployment of late has: the beginning of its id, its name, COMPONENT@VERSION, or its component.
 * Where several have it, they are listed. What changes something takes no such word.
 */
export const deploymentFound = async (
  ports: CliPorts,
  reader: Reader,
  given: Given,
  word: string,
): Promise<Result<string, CliProblem>> => {
  const named = await deploymentNamed(ports, given, word);
  if (named.ok) return ok(named.value.id);
  const isWanted = (line: Line): boolean => isNamedBy(line, word);
  const found = await reader.list('timeline', { newestMax, isWanted });
  if (!found.ok) return found;
  const byId = new Map(found.value.map((line) => [textOf(line, 'deployment'), line]));
  const [first] = byId.keys();
  if (first === undefined) return named;
  if (byId.size === 1) return ok(first);
  const candidates = [...byId.values()].toReversed().slice(0, candidatesMax);
  const more = byId.size - candidates.length;
  return refuse(
    'deployment-ambiguous',
    `${byId.size} deployments are meant by ${JSON.stringify(word.slice(0, 64))}`,
    `name one, the newest first: ${candidates.map(candidateText).join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
  );
};

const isNamedBy = (line: Line, word: string): boolean => {
  const id = textOf(line, 'deployment');
  const component = textOf(line, 'component');
  return (
    (word.length >= prefixMin && id.startsWith(word.toLowerCase())) ||
    textOf(line, 'name') === word ||
    component === word ||
    `${component}@${textOf(line, 'version')}` === word
  );
};

const candidateText = (line: Line): string =>
  `${textOf(line, 'deployment')} (${textOf(line, 'component')} ${textOf(line, 'version')} in ${textOf(line, 'environment')}, ${textOf(line, 'status')})`;

const textOf = (line: Line, field: string): string => {
  const value = line[field];
  return typeof value === 'string' ? value : '';
};
