import type { Position } from './log/record.ts';

/** A position as a key that sorts as the position does. */
export const positionKey = (position: Position): string => String(position).padStart(12, '0');
