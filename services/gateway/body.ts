import type { Result } from '../core/result.ts';
import type { HttpRequest } from '../ports/http.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

/** The body up to a size, or what is wrong with it in the gateway's words. */
export const bodyOf = async (
  request: HttpRequest,
  bytesMax: number,
  tooLarge: 'value-too-large' | 'body-too-large',
): Promise<Result<Uint8Array, Problem>> => {
  const body = await request.body(bytesMax);
  if (body.ok) return body;
  switch (body.problem) {
    case 'too-large':
      return refuse(tooLarge, `the body has more than ${bytesMax} bytes`);
    case 'cut-off':
      return refuse('body-cut-off', 'the connection ended before the body did');
    case 'busy':
      return refuse('busy', 'too many bodies are being read at once', 'nothing was written');
  }
};
