import type { JsonFields } from '../../core/json-text.ts';
import { jsonFieldsIn } from '../../core/json-text.ts';
import type { Text } from '../../core/markers/crypto.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { CliProblem, ExitCode } from '../problem.ts';
import { problem, problemTold } from '../problem.ts';

type Answer = Awaited<ReturnType<HttpClient>>;

/** The JSON object of a gateway's answer, or its problem (RFC 9457) as one of ours. */
export const readAnswer = (text: Text, answer: Answer): Result<JsonFields, CliProblem> => {
  if (!answer.ok)
    return fail(
      problem('unreachable', answer.problem.message, 'is the gateway up? See PLIMSOLL_URL'),
    );
  const { status, body } = answer.value;
  const json = jsonFieldsIn(text.decodeUtf8(body) ?? '');
  if (status < 200 || status >= 300) return fail(readProblem(status, json ?? {}));
  return json === undefined
    ? fail(
        problem(
          'unreachable',
          'the answer is no JSON object',
          'see PLIMSOLL_URL: is it a gateway?',
        ),
      )
    : ok(json);
};

const readProblem = (status: number, { code, detail, hint }: JsonFields): CliProblem => {
  const name = typeof code === 'string' ? code : `http-${status}`;
  return problemTold(
    {
      code: name,
      message: typeof detail === 'string' ? detail : `the gateway answered ${status}`,
      hint: typeof hint === 'string' ? hint : hintOf(status),
    },
    exitOfStatus(status),
  );
};

const hintOf = (status: number): string =>
  status === 404
    ? 'plimsoll timeline, current and changes list what there is'
    : 'see the log of the gateway';

const exitOfStatus = (status: number): ExitCode => {
  if (status === 401 || status === 403) return 5;
  if (status === 404) return 4;
  if (status === 409) return 3;
  return status >= 500 || status === 429 ? 6 : 2;
};
