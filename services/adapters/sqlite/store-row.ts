import { crc32 } from 'node:zlib';
import type { RowKey } from '../../ports/read-model-store.ts';
import { StepProblem } from './problem.ts';

/** A row of a read model as its table holds it. The checksum finds damage that SQLite does not look for. */
export type StoreRow = RowKey & { readonly value: string; readonly checksum: number };

export const rowChecksum = ({ model, key, value }: Omit<StoreRow, 'checksum'>): number =>
  crc32(`${model}\n${key}\n${value}`);

/** The row, if it is the one that was written; else it throws. */
export const checkedRow = (row: StoreRow): StoreRow => {
  if (rowChecksum(row) === row.checksum) return row;
  throw new StepProblem('corrupt', `a row of ${JSON.stringify(row.model)} is not what was written`);
};
