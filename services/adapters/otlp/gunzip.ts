import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fail, ok } from '../../core/result.ts';
import type { Gunzip } from '../../ports/otlp.ts';

const unpack = promisify(gunzip);

export const gunzipCapped: Gunzip = async (bytes, outputBytesMax) => {
  try {
    return ok(await unpack(bytes, { maxOutputLength: outputBytesMax }));
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return fail({ code: 'gzip-bomb', message: `unpacks to more than ${outputBytesMax} bytes` });
    }
    if (code.startsWith('Z_'))
      return fail({ code: 'gzip-broken', message: 'not gzip, or cut off' });
    throw fault;
  }
};
