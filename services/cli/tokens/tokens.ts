import type { CallerToken } from '../../core/trust/caller-tokens.ts';
import {
  callerTokenLine,
  isExpiredToken,
  parseCallerTokens,
} from '../../core/trust/caller-tokens.ts';
import { isoTime, isoTimeOrNull } from '../../core/instant.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { utcMsOf } from '../../core/utc-time.ts';
import type { Line } from '../../core/views.ts';
import type { TokenCommand } from '../commands/tokens.ts';
import { dataFolderReady } from '../keys/key-new.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';
import { printLines, printText } from '../terminal/output.ts';

type Ports = Pick<CliPorts, 'clock' | 'log' | 'settings' | 'terminal' | 'tokens' | 'tools'>;

/** `plimsoll tokens …`: the list of those who may send markers without a key. */
export const runTokens = async (
  ports: Ports,
  name: TokenCommand,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const done = name === 'tokens new' ? await newToken(ports, given) : await listTokens(ports);
  if (!done.ok) return done;
  if (isJson) printLines(ports.terminal, done.value.lines);
  else printText(ports.terminal, done.value.text);
  return ok(undefined);
};

type Told = { readonly lines: readonly Line[]; readonly text: readonly string[] };

const newToken = async (ports: Ports, given: Given): Promise<Result<Told, CliProblem>> => {
  const { settings, tools, clock } = ports;
  const expires = given.value('expires');
  const expiresAtMs = expires === null ? null : utcMsOf(expires);
  if (expires !== null && (expiresAtMs === null || expiresAtMs <= clock.nowMs()))
    return refuse(
      'option-invalid',
      `--expires=${JSON.stringify(expires.slice(0, 64))} is no time to come`,
      'write it in UTC, such as 2027-01-31T00:00:00Z',
    );
  if (settings.tokensFile === null) {
    const ready = await dataFolderReady(ports, 'name the list: PLIMSOLL_TOKENS=FILE');
    if (!ready.ok) return ready;
  }
  const list = await ports.tokens();
  const written = list.newToken();
  const token: CallerToken = {
    name: given.value('name') ?? '',
    digest: tools.crypto.sha256HexOfText(written),
    environments: given.values('environment'),
    components: orAll(given.values('component')),
    kinds: orAll(given.values('kind')),
    expiresAtMs,
  };
  const line = callerTokenLine(token);
  // What this writes the gateway must be able to read: its rules are asked, not repeated.
  const read = parseCallerTokens(line);
  if (!read.ok || read.value.length !== 1)
    return refuse(
      'option-invalid',
      read.ok ? 'a name holds the end of a line' : read.problem.message,
      'plimsoll tokens new --help shows one',
    );
  const known = await list.read();
  if (!known.ok) return refuse(known.problem.code, known.problem.message, known.problem.hint);
  if (known.value.some(({ name }) => name === token.name))
    return refuse(
      'token-exists',
      `${list.path} has a token ${token.name} already`,
      'take another name, or take its line out first',
    );
  const appended = await list.append(line);
  if (!appended.ok)
    return refuse(appended.problem.code, appended.problem.message, appended.problem.hint);
  return ok({
    lines: [{ token: written, file: list.path, ...tokenLine(token, clock.nowMs()) }],
    text: [
      `token ${token.name}: ${written}`,
      `  it is shown once: put it into the secrets of your CI; ${list.path} keeps its SHA-256`,
      `  ${scopeText(token, clock.nowMs())}`,
      ...curlText(settings.url ?? `http://${settings.host}:${settings.port}`, token),
    ],
  });
};

const orAll = (values: readonly string[]): readonly string[] =>
  values.length === 0 ? ['*'] : values;

const curlText = (url: string, { environments, components }: CallerToken): readonly string[] => {
  const body = {
    kind: 'logged',
    environment: firstName(environments) ?? 'production',
    component: firstName(components) ?? 'checkout',
    version: '2.0.0',
  };
  return [
    `curl ${url}/v1/markers -H "Authorization: Bearer $PLIMSOLL_TOKEN" -H "Idempotency-Key: $RUN_ID" \\`,
    `  -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`,
  ];
};

const firstName = (scope: readonly string[]): string | undefined =>
  scope.find((one) => !one.endsWith('*'));

const listTokens = async ({ tokens, clock }: Ports): Promise<Result<Told, CliProblem>> => {
  const list = await tokens();
  const known = await list.read();
  if (!known.ok) return refuse(known.problem.code, known.problem.message, known.problem.hint);
  const nowMs = clock.nowMs();
  return ok({
    lines: known.value.map((token) => tokenLine(token, nowMs)),
    text:
      known.value.length === 0
        ? [`no tokens in ${list.path}: plimsoll tokens new makes one`]
        : known.value.map((token) => `${token.name}: ${scopeText(token, nowMs)}`),
  });
};

const tokenLine = (token: CallerToken, nowMs: number): Line => ({
  name: token.name,
  digest: `sha256:${token.digest}`,
  environments: token.environments,
  components: token.components,
  kinds: token.kinds,
  expiresAt: isoTimeOrNull(token.expiresAtMs),
  expired: isExpiredToken(token, nowMs),
});

const scopeText = (token: CallerToken, nowMs: number): string =>
  [
    `environments ${token.environments.join(', ')}`,
    `components ${token.components.join(', ')}`,
    `kinds ${token.kinds.join(', ')}`,
    token.expiresAtMs === null
      ? 'until its line is taken out'
      : `${isExpiredToken(token, nowMs) ? 'EXPIRED' : 'until'} ${isoTime(token.expiresAtMs)}`,
  ].join('; ');
