import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { HttpRequest } from '../ports/http.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

type Query = HttpRequest['query'];

/** A name that is misspelt is refused: an answer without its filter would be taken for the filtered one. */
export const refuseUnknown = (query: Query, names: readonly string[]): Result<void, Problem> => {
  for (const name of query.keys())
    if (!names.includes(name))
      return refuse(
        'query-unknown',
        `${JSON.stringify(name.slice(0, 64))} is not asked for here`,
        names.length === 0 ? 'there is nothing to ask for' : `names: ${names.join(', ')}`,
      );
  return ok(undefined);
};

const limitDefault = 100;
export const limitMax = 1000;

export const limitOf = (query: Query): Result<number, Problem> => {
  const limit = query.get('limit');
  if (limit === undefined) return ok(limitDefault);
  return /^[1-9][0-9]{0,3}$/.test(limit) && Number(limit) <= limitMax
    ? ok(Number(limit))
    : refuse('query-invalid', `limit must be 1 to ${limitMax}`);
};

export const isNewestFirst = (query: Query): Result<boolean, Problem> => {
  switch (query.get('order')) {
    case undefined:
    case 'oldest':
      return ok(false);
    case 'newest':
      return ok(true);
    default:
      return refuse('query-invalid', 'order must be oldest or newest');
  }
};

const atLeastHeader = 'plimsoll-at-least';

/** The position that the answer must hold, where the caller names one. */
export const atLeastOf = ({ query, header }: HttpRequest): Result<Position | null, Problem> => {
  const text = query.get('at-least') ?? header(atLeastHeader);
  if (text === undefined) return ok(null);
  const position = parsePosition(text);
  return position === undefined
    ? refuse('query-invalid', 'at-least must be a position: a whole number, not negative')
    : ok(position);
};

export const parsePosition = (text: string): Position | undefined =>
  /^(?:0|[1-9][0-9]{0,11})$/.test(text) ? Number(text) : undefined;
