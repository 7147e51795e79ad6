import type { Shape } from '../../core/markers/codec.ts';
import { kinds } from '../../core/markers/kinds.ts';
import type { Envelope, Kind, Marker, MarkerId } from '../../core/markers/marker.ts';
import type { FieldProblem } from '../../core/markers/parse-marker.ts';
import { parseMarker } from '../../core/markers/parse-marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { FieldSecret } from '../../core/secrets/screen-body.ts';
import { screenBody, secretHint, secretsInBody } from '../../core/secrets/screen-body.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Screening } from './screening.ts';

/** The option that a marker's field comes from. Only the first part that matches counts. */
const optionOfField: readonly (readonly [path: RegExp, written: string])[] = [
  [/^version$/, '--target-version'],
  [/^digest$/, '--digest'],
  [/^slot\.namespace$/, '--namespace'],
  [/^slot\.environment$/, '--environment-name'],
  [/^slot\.component$/, '--component-name'],
  [/^slot\.target$/, '--target'],
  [/^name$/, '<deploy-name>'],
  [/^strategy$/, '--strategy'],
  [/^canaryShare$/, '--canary-share'],
  [/^colour$/, '--colour'],
  [/^phase$/, '<name>'],
  [/^fromVersion$/, '--from-version'],
  [/^toVersion$/, '--to-version'],
  [/^url$/, '--url'],
  [/^statusReported$/, '--status'],
  [/^source$/, '--source'],
  [/^deployment$/, '--deployment'],
  [/^key\.principal$/, 'the principal of the key file'],
  [/^key\.roles/, '--role'],
  [/^key\.environments/, '--environment'],
  [/^key\.components/, '--component'],
  [/^key\.kinds/, '--kind'],
  [/^keyId$/, '<key-id>'],
  [/^since$/, '--since'],
  [/^details\.riskFlags/, '--risk'],
  [/^details\.functionVersion/, '--function-version'],
  [/^details\.functionAlias/, '--function-alias'],
  [/^details\.([a-z]+?)s?(?=$|[.[])/, '--$1'],
];

/** What every marker of a person says of itself that is about no deployment. */
export const envelopeOf = ({
  ids,
  settings,
  host,
  clock,
}: Pick<CliPorts, 'ids' | 'settings' | 'host' | 'clock'>): Envelope & {
  readonly deployment: null;
} => ({
  marker: ids.uuidV7() as MarkerId,
  deployment: null,
  audience: settings.audience,
  source: `plimsoll/${host}`,
  occurredAt: clock.nowMs(),
  producer: null,
  sequence: null,
  attempt: null,
});

/** A body as a marker, or the fault in the words of the command line. A secret in it is refused or written over. */
export const toMarker = (
  kind: Kind,
  body: Body,
  reasonOption: ReasonOption,
  screening?: Screening,
): Result<Marker, CliProblem> => {
  const shape: Shape = kinds[kind].shape;
  const screened = withoutSecrets(body, reasonOption, screening);
  if (!screened.ok) return screened;
  const parsed = parseMarker(shape, screened.value);
  return parsed.ok ? parsed : fieldRefused(parsed.problem, reasonOption);
};

type ReasonOption = '--failure-reason' | '--reason';

/** The body without secrets, or the field that holds one. */
export const withoutSecrets = (
  body: Body,
  reasonOption: ReasonOption,
  screening: Screening | undefined,
): Result<Body, CliProblem> => {
  if (screening === undefined) {
    const [secret] = secretsInBody(body);
    return secret === undefined ? ok(body) : holdsSecret(secret, reasonOption, '');
  }
  const { body: masked, found, left, isLeftInName } = screenBody(body, screening);
  if (left !== undefined)
    return holdsSecret(left, reasonOption, isLeftInName ? '' : ', or let --redact write over it');
  screening.tell(found);
  return ok(masked);
};

const holdsSecret = (
  secret: FieldSecret,
  reasonOption: ReasonOption,
  hint: string,
): Result<never, CliProblem> =>
  refuse(
    'secret-found',
    `${spokenPath(secret.path, reasonOption)} holds what looks like a secret: ${secret.kind}, ${secret.masked}`,
    `${secretHint(secret)}nothing was written; take it out${hint}. If it was shown in a log, change it`,
  );

const fieldRefused = (
  { code, path, message }: FieldProblem,
  reasonOption: string,
): Result<never, CliProblem> => {
  const written = path === 'reason' ? reasonOption : writtenAs(path);
  const what = message.startsWith(path) ? message.slice(path.length) : ` ${message}`;
  return refuse(code, `${written}${what}`, 'nothing was written; mend it and call again');
};

const spokenPath = (path: string, reasonOption: ReasonOption): string =>
  path === 'reason' ? reasonOption : writtenAs(path);

const writtenAs = (path: string): string => {
  for (const [pattern, written] of optionOfField) {
    const match = pattern.exec(path);
    if (match !== null) return `${written.replace('$1', match[1] ?? '')}${placeInList(path)}`;
  }
  return path;
};

/** `details.labels[20].value` is said as ` (number 21)`. */
const placeInList = (path: string): string => {
  const index = /\[([0-9]+)\]/.exec(path)?.[1];
  return index === undefined ? '' : ` (number ${Number(index) + 1})`;
};
