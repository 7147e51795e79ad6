import type { Json } from '../core/canonical.ts';
import type { CheckProblem } from '../core/check/check-record.ts';
import type { CircumstanceRefusal } from '../core/circumstances.ts';
import type { RefusedCommand } from '../core/decide.ts';
import type { RefusalCode } from '../core/lifecycle.ts';
import type { HttpWireProblem } from '../core/markers/http-wire.ts';
import { codeHeader } from '../core/markers/http-wire.ts';
import type { Result } from '../core/result.ts';
import { fail } from '../core/result.ts';
import type { TrustProblem } from '../core/trust/trust.ts';
import type { HttpResponse } from '../ports/http.ts';
import type { GzipProblem, MetricsProblem } from '../ports/otlp.ts';
import type { StoreProblem } from '../ports/read-model-store.ts';
import type { AppendProblem } from '../ports/record-log.ts';

/** Everything that a gateway can say no with. */
export type ProblemCode =
  | CheckProblem['code']
  | RefusalCode
  | CircumstanceRefusal['code']
  | RefusedCommand['code']
  | TrustProblem['code']
  | HttpWireProblem['code']
  | MetricsProblem['code']
  | GzipProblem['code']
  | 'append-unknown'
  | 'behind'
  | 'body-cut-off'
  | 'body-too-large'
  | 'busy'
  | 'conflict'
  | 'deployment-ambiguous'
  | 'content-encoding-unsupported'
  | 'content-type-unsupported'
  | 'fields-required'
  | 'name-closed'
  | 'place-frozen'
  | 'gate-closed'
  | 'host-unknown'
  | 'json-not-taken'
  | 'log-corrupt'
  | 'log-refused'
  | 'log-sealed'
  | 'log-unreachable'
  | 'foreign-log'
  | 'method-not-allowed'
  | 'not-found'
  | 'not-ready'
  | 'not-yet'
  | 'query-invalid'
  | 'query-unknown'
  | 'seal-misplaced'
  | 'secret-found'
  | 'source-not-allowed'
  | 'store-corrupt'
  | 'store-unreachable'
  | 'signer-untrusted'
  | 'token-expired'
  | 'token-missing'
  | 'token-unknown'
  | 'too-many';

export type Problem = {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
  /** Further members of the answer, for instance the position that was reached. */
  readonly more?: { readonly [name: string]: Json };
};

const phrases = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
} as const;

type Status = keyof typeof phrases;

const statuses: { readonly [Code in ProblemCode]: Status } = {
  // The request as HTTP.
  'host-unknown': 421,
  'not-found': 404,
  'method-not-allowed': 405,
  'query-unknown': 400,
  'query-invalid': 400,
  'body-cut-off': 400,
  'body-too-large': 413,
  'content-type-unsupported': 415,
  'content-encoding-unsupported': 415,
  'json-not-taken': 415,
  'gzip-bomb': 413,
  'gzip-broken': 400,
  // The record: its bytes and headers.
  'value-too-large': 413,
  'key-too-large': 431,
  'headers-too-many': 431,
  'header-too-large': 431,
  'header-missing': 400,
  'header-malformed': 400,
  'header-mismatch': 400,
  'body-malformed': 400,
  'body-too-deep': 400,
  'body-not-canonical': 400,
  'schema-unknown': 422,
  'kind-unknown': 422,
  'kind-wrong-shape': 422,
  'field-invalid': 422,
  'key-weak': 422,
  'secret-found': 422,
  // Who signed it, and what that key may do.
  'key-unknown': 403,
  'key-retired': 403,
  'key-compromised': 403,
  'signature-weak': 403,
  'signature-bad': 403,
  'waited-bad': 403,
  'role-missing': 403,
  'token-unnamed': 403,
  'kind-not-allowed': 403,
  'audience-wrong': 403,
  'out-of-scope': 403,
  // What it would do to what stands.
  'deployment-ambiguous': 409,
  'deployment-unknown': 404,
  'deployment-ended': 409,
  'deployment-taken': 409,
  'planned-by-key': 409,
  'planned-differently': 409,
  overtaken: 409,
  'foreign-log': 409,
  'fields-required': 409,
  'name-closed': 409,
  'slot-differs': 409,
  'decision-misplaced': 409,
  'history-full': 409,
  'gate-closed': 409,
  'not-deployed': 404,
  'not-released': 404,
  'place-frozen': 409,
  'labels-full': 409,
  'freezes-full': 409,
  conflict: 409,
  'log-not-opened': 409,
  'log-already-open': 409,
  'log-sealed': 409,
  'seal-misplaced': 409,
  'wrong-log': 409,
  'key-exists': 409,
  'key-ended': 409,
  // Telemetry.
  'token-missing': 401,
  'token-unknown': 401,
  'token-expired': 401,
  'source-not-allowed': 403,
  'otlp-malformed': 400,
  'otlp-wrong-shape': 400,
  'otlp-too-deep': 400,
  'otlp-too-large': 413,
  // What the gateway stands on.
  busy: 503,
  behind: 503,
  'not-ready': 503,
  'not-yet': 504,
  'too-many': 429,
  'signer-untrusted': 503,
  'log-unreachable': 503,
  'append-unknown': 504,
  'log-refused': 507,
  'log-corrupt': 503,
  'store-unreachable': 503,
  'store-corrupt': 503,
};

export const statusOf = (code: ProblemCode): number => statuses[code];

const retryAfterSeconds = '1';

/** Told to those who may send the same again. */
export const retryAfter: { readonly 'retry-after': string } = { 'retry-after': retryAfterSeconds };

/** Told to those whom nobody knows (RFC 9110, 11.6.1): how to say who they are. */
export const challenge: { readonly 'www-authenticate': string } = { 'www-authenticate': 'Bearer' };

/** RFC 9457. `code` is ours and does not change; `detail` is for people. */
export const problemResponse = (problem: Problem): HttpResponse => {
  const status = statuses[problem.code];
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      [codeHeader]: problem.code,
      ...(status === 503 || status === 429 ? retryAfter : {}),
      ...(status === 401 ? challenge : {}),
    },
    body: JSON.stringify({
      ...problem.more,
      type: 'about:blank',
      title: phrases[status],
      status,
      code: problem.code,
      detail: problem.message,
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    }),
  };
};

export const refuse = (code: ProblemCode, message: string, hint?: string): Result<never, Problem> =>
  fail({ code, message, ...(hint === undefined ? {} : { hint }) });

export const appendRefused = ({ code, message }: AppendProblem): Result<never, Problem> => {
  switch (code) {
    case 'unreachable':
      return refuse('log-unreachable', message, 'nothing was written; send the same bytes again');
    case 'unknown':
      return refuse(
        'append-unknown',
        message,
        'it may lie on the log; send the same bytes again: a marker is taken once',
      );
    case 'refused':
      return refuse('log-refused', message, 'nothing was written');
    case 'corrupt':
      return refuse('log-corrupt', message, 'nothing was written; an operator must look');
  }
};

export const storeFailed = ({ code, message }: StoreProblem): Result<never, Problem> =>
  refuse(code === 'corrupt' ? 'store-corrupt' : 'store-unreachable', message);
