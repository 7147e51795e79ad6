import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { LoadedRows } from '../../core/projection.ts';
import { address } from '../../core/projection.ts';
import { readRow } from '../../core/row-text.ts';
import type { RowKey, ScanRange, StoreProblem } from '../../ports/read-model-store.ts';
import type { AtHand } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';

/** Rows by place. Whoever asks for a model knows the type of its rows. */
export type ReadRows = {
  readonly get: (model: string, key: string) => unknown;
  readonly json: (model: string, key: string) => string | undefined;
};

/** Rows as they are stored, all of one state. */
export const rowTexts = async (
  { store, generation }: AtHand,
  keys: readonly RowKey[],
): Promise<Result<LoadedRows, CliProblem>> => {
  const read = await store.rows(generation, keys);
  if (!read.ok) return fail(storeFailed(read.problem));
  return read.value.checkpoint === undefined ? fail(replaced()) : ok(read.value.rows);
};

export const readRows = async (
  atHand: AtHand,
  keys: readonly RowKey[],
): Promise<Result<ReadRows, CliProblem>> => {
  const read = await rowTexts(atHand, keys);
  if (!read.ok) return read;
  const rows = read.value;
  const json = (model: string, key: string): string | undefined => rows.get(address(model, key));
  return ok({
    json,
    get: (model, key) => {
      const row = json(model, key);
      return row === undefined ? undefined : readRow(model, row);
    },
  });
};

const pageRows = 500;

/** Rows of a model that a caller wants, in the order of the range, at most `wantedMax` of them. */
export const scanRows = async <Row>(
  { store, generation }: AtHand,
  model: string,
  options: {
    readonly range?: Omit<ScanRange, 'rowsMax'>;
    readonly isWanted?: (row: Row) => boolean;
    readonly wantedMax?: number;
  } = {},
): Promise<Result<readonly Row[], CliProblem>> => {
  const { range = {}, isWanted = () => true, wantedMax = Number.POSITIVE_INFINITY } = options;
  const found: Row[] = [];
  let after = range.after;
  for (;;) {
    const page = await store.scan(generation, model, {
      ...range,
      rowsMax: pageRows,
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return fail(storeFailed(page.problem));
    if (page.value.checkpoint === undefined) return fail(replaced());
    for (const { value } of page.value.rows) {
      const row = readRow<Row>(model, value);
      if (isWanted(row)) found.push(row);
      if (found.length >= wantedMax) return ok(found);
    }
    if (page.value.rows.length < pageRows) return ok(found);
    after = page.value.rows.at(-1)?.key;
  }
};

const replaced = (): CliProblem =>
  problem('unreachable', 'the read models were replaced just now', 'call again');

const storeFailed = ({ code, message }: StoreProblem): CliProblem =>
  problem(
    code,
    message,
    code === 'corrupt'
      ? 'plimsoll rebuild --reason=TEXT folds them from the log again'
      : 'is the store up? See PLIMSOLL_STORE',
  );
