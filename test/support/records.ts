import type { NewRecord, Position } from '../../services/core/log/record.ts';
import type { Result } from '../../services/core/result.ts';

const utf8 = new TextEncoder();

/** A record whose parts can be told apart from those of any other content. */
export const record = (content: string): NewRecord => ({
  key: utf8.encode(`key of ${content}`),
  headers: [{ name: 'ce_id', value: utf8.encode(`header of ${content}`) }],
  value: utf8.encode(content),
});

/** All bytes of a record in one line, for comparing. */
export const text = ({ key, headers, value }: NewRecord): string =>
  JSON.stringify([
    Buffer.from(key).toString('hex'),
    headers.map((header) => [header.name, Buffer.from(header.value).toString('hex')]),
    Buffer.from(value).toString('hex'),
  ]);

export const positionsOf = (
  records: readonly { readonly position: Position }[],
): readonly Position[] => records.map(({ position }) => position);

/** The value of an outcome that must be good. */
export const value = <Value, Problem>(result: Result<Value, Problem>): Value => {
  if (!result.ok) throw new Error(`expected ok: ${JSON.stringify(result.problem)}`);
  return result.value;
};
