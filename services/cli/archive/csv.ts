import type { Json } from '../../core/canonical.ts';
import { plainText } from '../terminal/display.ts';

/**
 * One line of CSV (RFC 4180: CRLF at the end, quotes doubled). A text that a spreadsheet would take for a formula gets
 * an apostrophe before it, and what could steer a terminal is escaped: the texts are a stranger's.
 */
export const csvLine = (cells: readonly Json[]): string => `${cells.map(cell).join(',')}\r\n`;

const formulaStart = /^[\s]*[=+\-@]/;

const cell = (value: Json): string => {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = plainText(typeof value === 'string' ? value : JSON.stringify(value));
  const harmless = formulaStart.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};
