import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { JsonFields } from '../../core/json-text.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import type { Choice, ListName, Reader } from './reader.ts';

const withinMs = 15_000;
const pageLinesMax = 1000;

/** Asks a gateway. Its lines are printed as they come: an older command shows a newer gateway's fields too. */
export const readThrough = (gateway: HttpClient, { tools }: Pick<CliPorts, 'tools'>): Reader => {
  const get = async (path: string): Promise<Result<JsonFields, CliProblem>> =>
    readAnswer(
      tools.text,
      await gateway({ method: 'GET', path, headers: { accept: 'application/json' } }, withinMs),
    );
  const item = async (path: string): Promise<Result<Line, CliProblem>> => {
    const answer = await get(path);
    if (!answer.ok) return answer;
    const line = answer.value['item'];
    return isLine(line) ? ok(line) : strange();
  };
  return {
    list: (name, choice) => allPages(get, name, choice),
    show: (id) => item(`/v1/deployments/${encodeURIComponent(id)}`),
    policy: async (position) => {
      if (position !== null) return item(`/v1/policies/${position}`);
      const newest = await allPages(get, 'policies', { newestMax: 1 });
      if (!newest.ok) return newest;
      const at = newest.value[0]?.['position'];
      if (at === undefined) return ok(null);
      return typeof at === 'number' ? item(`/v1/policies/${at}`) : strange();
    },
    deadLetter: async (position) => {
      const letter = await item(`/v1/dead-letters/${position}`);
      return letter.ok ? ok({ letter: letter.value, record: null }) : letter;
    },
  };
};

const allPages = async (
  get: (path: string) => Promise<Result<JsonFields, CliProblem>>,
  name: ListName,
  choice: Choice,
): Promise<Result<readonly Line[], CliProblem>> => {
  const { newestMax } = choice;
  const isNewest = newestMax !== undefined && choice.after === undefined;
  const lines: Line[] = [];
  let after = choice.after === undefined ? null : String(choice.after);
  for (;;) {
    const missing = (newestMax ?? Number.POSITIVE_INFINITY) - lines.length;
    // Nobody knows how many of a page are wanted.
    const asked = choice.isWanted === undefined ? Math.min(missing, pageLinesMax) : pageLinesMax;
    const page = await get(pathOf(name, choice, asked, isNewest, after));
    if (!page.ok) return page;
    const { items, next } = page.value;
    if (!Array.isArray(items) || !items.every(isLine)) return strange();
    for (const item of items)
      if (
        lines.length < (newestMax ?? Number.POSITIVE_INFINITY) &&
        (choice.isWanted?.(item) ?? true)
      )
        lines.push(item);
    if (
      typeof next !== 'string' ||
      next === after ||
      lines.length >= (newestMax ?? lines.length + 1)
    )
      return ok(isNewest ? lines.toReversed() : lines);
    after = next;
  }
};

const pathOf = (
  name: ListName,
  { filter }: Choice,
  limit: number,
  isNewest: boolean,
  after: string | null,
): string => {
  // These are told all at once.
  if (name === 'keys' || name === 'retention') return `/v1/${name}`;
  const query: readonly (readonly [string, string | null])[] = [
    ...Object.entries(filter ?? {}),
    ['limit', String(limit)],
    ['order', isNewest ? 'newest' : null],
    ['after', after],
  ];
  const asked = query.flatMap(([part, value]) =>
    value === null ? [] : [`${part}=${encodeURIComponent(value)}`],
  );
  return `/v1/${name}?${asked.join('&')}`;
};

const isLine = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const strange = (): Result<never, CliProblem> =>
  fail(problem('unreachable', 'the answer is not that of a gateway', 'see PLIMSOLL_URL'));
