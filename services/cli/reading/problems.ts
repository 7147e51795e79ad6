import type { Expectation } from '../../core/problems/parse-expected.ts';
import { parseExpected } from '../../core/problems/parse-expected.ts';
import type { Severity } from '../../core/problems/problem.ts';
import { placeName, problemLine, severities } from '../../core/problems/problem.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { ProblemQuestion } from '../../ports/problem-view.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText, shortTime } from '../terminal/display.ts';
import { readCount } from '../terminal/duration.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import { printLines, printProblem, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem, ExitCode } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';

const daysDefault = 30;
const daysMax = 3660;
const dayMs = 86_400_000;
const followEveryMs = 5_000;
const gatewayWithinMs = 15_000;
const expectedBytesMax: number = 256 * 1024;

/** What was found, or how a command that watches for it ended: 3 where something is as grave as `--fail-on` says. */
export const runProblems = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  const ended = await watch(ports, given, isJson);
  if (ended.ok) return ended.value ? 3 : 0;
  printProblem(ports.terminal, isJson, ended.problem);
  return ended.problem.exit;
};

/** True where something is as grave as what was asked to fail on. */
const watch = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<boolean, CliProblem>> => {
  const failOn = readFailOn(given);
  if (!failOn.ok) return failOn;
  const asked = await readQuestion(ports, given);
  if (!asked.ok) return asked;
  const told = new Set<string>();
  let isAway = false;
  for (let isFirst = true; ; isFirst = false) {
    const found = await look(ports, asked.value);
    if (!found.ok) {
      // Whoever watches for days outlives a restart of what it asks.
      if (isFirst || !given.has('follow') || found.problem.exit !== 6) return found;
      if (!isAway) ports.note(found.problem);
      isAway = true;
    } else {
      isAway = false;
      const named = found.value.map((line) => ({ line, name: nameOf(line) }));
      print(
        ports,
        isJson,
        named.filter(({ name }) => !told.has(name)).map(({ line }) => line),
      );
      if (isFirst && named.length === 0)
        ports.note({ code: 'empty', message: 'no problems', hint: '' });
      // What went away and comes again is told again.
      told.clear();
      for (const { name } of named) told.add(name);
      const isGrave = failOn.value !== null && isAnyAs(found.value, failOn.value);
      if (isGrave || !given.has('follow')) return ok(isGrave);
    }
    await ports.clock.sleep(followEveryMs, ports.stop);
    if (ports.stop.aborted) return ok(false);
  }
};

const nameOf = (line: Line): string => JSON.stringify([line['code'], line['subject']]);

const isAnyAs = (lines: readonly Line[], grave: Severity): boolean =>
  lines.some((line) => {
    const at = severities.findIndex((severity) => severity === line['severity']);
    return at >= 0 && at <= severities.indexOf(grave);
  });

type Asked = {
  readonly question: (nowMs: number) => ProblemQuestion;
  readonly days: number;
};

const readQuestion = async (ports: CliPorts, given: Given): Promise<Result<Asked, CliProblem>> => {
  const written = given.value('days');
  const days = written === null ? ok(daysDefault) : readCount('days', written, daysMax);
  if (!days.ok) return days;
  const expectations = await readExpectations(ports, given.value('expected'));
  if (!expectations.ok) return expectations;
  const filter: ProblemQuestion['filter'] = {
    namespace: given.value('namespace'),
    environment: given.value('environment-name'),
    component: given.value('component-name'),
    target: given.value('target'),
  };
  return ok({
    days: days.value,
    question: (nowMs) => ({
      nowMs,
      sinceMs: nowMs - days.value * dayMs,
      expectations: expectations.value,
      filter,
    }),
  });
};

const readFailOn = (given: Given): Result<Severity | null, CliProblem> => {
  const written = given.value('fail-on');
  if (written === null || written === 'alarm' || written === 'warning') return ok(written);
  return refuse(
    'option-invalid',
    `--fail-on=${JSON.stringify(written.slice(0, 64))} is neither alarm nor warning`,
    'write --fail-on=alarm or --fail-on=warning',
  );
};

const readExpectations = async (
  ports: CliPorts,
  path: string | null,
): Promise<Result<readonly Expectation[], CliProblem>> => {
  if (path === null) return ok([]);
  if (ports.gateway !== null)
    return refuse(
      'not-through-gateway',
      'the file that --expected names is compared with the read models themselves, and PLIMSOLL_URL names a gateway',
      'call it where the log is at hand (PLIMSOLL_LOG), without PLIMSOLL_URL',
    );
  const text = await ports.readTextFile(path, expectedBytesMax);
  if (!text.ok) return text;
  let json: unknown;
  try {
    json = JSON.parse(text.value);
  } catch (cause) {
    return invalidFile(path, cause instanceof Error ? cause.message : String(cause));
  }
  const parsed = parseExpected(json);
  return parsed.ok ? parsed : invalidFile(path, parsed.problem.message);
};

const invalidFile = (path: string, message: string): Result<never, CliProblem> =>
  refuse(
    'expected-invalid',
    `${path}: ${message}`,
    'for instance {"expected":[{"component":"shop","environments":["production"],"withinMinutes":30}]}',
  );

const look = async (
  ports: CliPorts,
  asked: Asked,
): Promise<Result<readonly Line[], CliProblem>> => {
  const question = asked.question(ports.clock.nowMs());
  if (ports.gateway !== null) return lookThrough(ports.gateway, ports, question, asked.days);
  const found = await ports.problems(question, openProgress(ports, 'folding what is new'));
  if (!found.ok) return found;
  const { problems, cut } = found.value;
  if (cut.length > 0)
    ports.note({
      code: 'cut',
      message: `only the newest rows were looked at of: ${cut.join(', ')}`,
      hint: '--days=COUNT looks back less far',
    });
  return ok(problems.map(problemLine));
};

const lookThrough = async (
  gateway: HttpClient,
  { tools }: Pick<CliPorts, 'tools'>,
  { filter }: ProblemQuestion,
  days: number,
): Promise<Result<readonly Line[], CliProblem>> => {
  const query = Object.entries({ ...filter, days: String(days) }).flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  const answer = await gateway(
    {
      method: 'GET',
      path: `/v1/problems?${query.join('&')}`,
      headers: { accept: 'application/json' },
    },
    gatewayWithinMs,
  );
  const json = readAnswer(tools.text, answer);
  if (!json.ok) return json;
  const { items } = json.value;
  return Array.isArray(items) && items.every(isLine)
    ? ok(items)
    : fail(problem('unreachable', 'the answer is not that of a gateway', 'see PLIMSOLL_URL'));
};

const isLine = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const print = (ports: CliPorts, isJson: boolean, lines: readonly Line[]): void => {
  if (isJson) printLines(ports.terminal, lines);
  else
    printText(
      ports.terminal,
      lines.flatMap((line) => textOf(line, ports.terminal.hasColour)),
    );
};

const red = 31;
const yellow = 33;

/** `ALARM  digest-mismatch  production/shop  (position 7)`, then what it is and what to do. */
const textOf = (line: Line, hasColour: boolean): readonly string[] => {
  const text = (name: string): string | null => {
    const value = line[name];
    return typeof value === 'string' ? value : null;
  };
  const severity = text('severity') ?? '';
  const head = severity.toUpperCase();
  const colour = severity === 'alarm' ? red : severity === 'warning' ? yellow : null;
  const place = {
    namespace: text('namespace'),
    environment: text('environment'),
    component: text('component'),
    target: text('target'),
  };
  const where = Object.values(place).every((part) => part === null) ? '' : placeName(place);
  const at = text('at');
  const rest = [
    text('code') ?? '',
    where === '' ? (text('principal') ?? '') : where,
    at === null ? '' : shortTime(at),
    positionsText(line),
  ].filter((part) => part !== '');
  const painted = hasColour && colour !== null ? `\u001b[${colour}m${head}\u001b[0m` : head;
  return [
    `${painted}  ${plainText(rest.join('  '))}`,
    `  ${plainText(text('message') ?? '')}`,
    `  ${plainText(text('hint') ?? '')}`,
  ];
};

const positionsText = (line: Line): string => {
  const { positions, instances } = line;
  const log = Array.isArray(positions) ? positions.map(String) : [];
  const topic = (Array.isArray(instances) ? instances : []).map((at) => {
    const { partition, position } = at as { readonly [name: string]: unknown };
    return `${String(partition)}/${String(position)}`;
  });
  const parts = [
    ...(log.length === 0 ? [] : [`position${log.length > 1 ? 's' : ''} ${log.join(', ')}`]),
    ...(topic.length === 0 ? [] : [`instances ${topic.join(', ')}`]),
  ];
  return parts.length === 0 ? '' : `(${parts.join('; ')})`;
};
