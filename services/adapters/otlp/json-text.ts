import { isUtf8 } from 'node:buffer';
import { fail, ok, type Result } from '../../core/result.ts';
import type { MetricsProblem } from '../../ports/otlp.ts';
import type { MetricsLimits } from './limits.ts';

/** Parses JSON text that may be anything; nothing is built of it before its size and depth were looked at. */
export const parseJson = (
  bytes: Uint8Array,
  limits: Pick<MetricsLimits, 'jsonDepthMax' | 'jsonPartsMax'>,
): Result<unknown, MetricsProblem> => {
  const oversize = oversizeOf(bytes, limits);
  if (oversize !== null) return fail(oversize);
  if (!isUtf8(bytes)) {
    return fail({ code: 'otlp-malformed', message: 'not JSON: not UTF-8', offset: null });
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return ok(JSON.parse(text));
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return notJson(fault.message, text);
  }
};

const JSON_REASON_CHARS_MAX = 200;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET] = [0x5b, 0x5d];
const [OPEN_BRACE, CLOSE_BRACE] = [0x7b, 0x7d];

const COMMA = 0x2c;

/** Whether JSON text nests too deep or has too many parts, looked at before anything is built of it. */
const oversizeOf = (
  bytes: Uint8Array,
  limits: Pick<MetricsLimits, 'jsonDepthMax' | 'jsonPartsMax'>,
): MetricsProblem | null => {
  let depth = 0;
  let parts = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      parts++;
      if (++depth > limits.jsonDepthMax) {
        const message = `JSON is nested deeper than ${limits.jsonDepthMax}`;
        return { code: 'otlp-too-deep', message, offset: at };
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    } else if (byte === COMMA) {
      parts++;
    }
  }
  if (parts <= limits.jsonPartsMax) return null;
  const message = `JSON has ${parts} objects, lists and commas, ${limits.jsonPartsMax} are allowed`;
  return { code: 'otlp-too-large', message, max: limits.jsonPartsMax };
};

/**
 * V8 tells the character in its message, or cites the text around it, or says that the text ended
 * too early.
 */
const notJson = (reason: string, text: string): Result<never, MetricsProblem> => {
  const message = `not JSON: ${reason}`.slice(0, JSON_REASON_CHARS_MAX);
  const character = /at position (\d+)/.exec(reason)?.[1];
  const endedEarly = reason.endsWith('end of JSON input');
  if (character === undefined && !endedEarly) {
    return fail({ code: 'otlp-malformed', message, offset: null });
  }
  const before = character === undefined ? text : text.slice(0, Number(character));
  return fail({ code: 'otlp-malformed', message, offset: Buffer.byteLength(before) });
};
