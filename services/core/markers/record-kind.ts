import type { LogRecord } from '../log/record.ts';
import { isKind, kinds } from './kinds.ts';
import type { Kind } from './marker.ts';
import { headerNames } from './wire.ts';

const typeBytesMax = 128;

/**
 * The kind as the record's header says it, or undefined. Only to route by: one that lies makes a record that nobody
 * accepts.
 */
export const kindSaid = ({ headers }: Pick<LogRecord, 'headers'>): Kind | undefined => {
  const type = headers.find(({ name }) => name === headerNames.type);
  if (type === undefined || type.value.length > typeBytesMax) return undefined;
  const word = /^plimsoll\.([a-z-]+)\.v[0-9]+$/.exec(String.fromCharCode(...type.value))?.[1];
  return word !== undefined && isKind(word) ? word : undefined;
};

/** Who may sign, and where the log ends: a reader that lacks these takes what it should not. */
export const changesTrust = (kind: Kind): boolean =>
  kind === 'log-sealed' || kinds[kind].shape === 'trust';
