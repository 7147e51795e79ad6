import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { HttpResponse } from '../ports/http.ts';
import type { PublishedSchema } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

const forEver = 'public, max-age=31536000, immutable';

/** The schema file that records name by this digest. A published file never changes. */
export const getSchema = (
  schemas: readonly PublishedSchema[],
  digest: string,
): Result<HttpResponse, Problem> => {
  const schema = schemas.find((one) => one.digest === digest);
  if (schema === undefined) return refuse('not-found', `no schema has the digest ${digest}`);
  return ok({
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': forEver, etag: `"${digest}"` },
    body: schema.text,
  });
};

export const listSchemas = (schemas: readonly PublishedSchema[]): Result<HttpResponse, Problem> =>
  ok({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      items: schemas.map(({ shape, version, digest }) => ({
        shape,
        version,
        digest,
        url: `/v1/schemas/${digest}`,
      })),
    }),
  });
