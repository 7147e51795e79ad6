import { listMax } from '../../core/markers/limits.ts';
import type { Details, Slot } from '../../core/markers/marker.ts';
import { maskSecrets } from '../../core/secrets/find-secrets.ts';
import type { Line } from '../../core/views.ts';
import type { Git, GitCommit } from '../../ports/git.ts';
import type { Reader } from '../reading/reader.ts';
import { plainText } from '../terminal/display.ts';

// What a deployment brings: commits, pull requests and tickets between the version that holds the slot and this one.

const commitsMax = 50;
const pullRequestsMax = 20;
const ticketsMax = 20;
const titleMax = 120;
/** Of a commit's message, in which pull requests and tickets are looked for. */
const messageMax = 4000;

export type ChangesAsked = {
  readonly slot: Slot;
  /** What is deployed: its version, and its commit. */
  readonly version: string;
  readonly commit: string;
  /** The deployment that a plan opens or says again; null: it is not known yet. */
  readonly deployment: string | null;
  /** Beginnings of tickets, such as `SHOP-` or `#`; empty: any such as ABC-123. */
  readonly ticketPrefixes: readonly string[];
  /** The commit to count from; null: that of the version that holds the slot. */
  readonly since: string | null;
  readonly withinMs: number;
};

export type Changes = Pick<Details, 'changes' | 'tickets'>;

/** Null: nobody can tell, or nothing stands there yet. Whatever fails on the way is no fault of the deployment's. */
export const changesSince = async (
  reader: Reader | null,
  git: Pick<Git, 'commitsBetween'>,
  asked: ChangesAsked,
): Promise<Changes | null> => {
  const before = reader === null ? null : await plannedBefore(reader, asked);
  if (before !== null) return before;
  const from = asked.since ?? (reader === null ? null : await liveCommit(reader, asked));
  if (from === null || from === asked.commit) return null;
  const commits = await git.commitsBetween(from, asked.commit, {
    commitsMax,
    withinMs: asked.withinMs,
  });
  return commits === null ? null : changesOf(commits, asked.ticketPrefixes);
};

/** A plan that is said again says what it said: what it brought may hold the slot by now. */
const plannedBefore = async (
  reader: Reader,
  { deployment, version }: ChangesAsked,
): Promise<Changes | null> => {
  if (deployment === null) return null;
  const shown = await reader.show(deployment);
  const attempts = shown.ok ? (shown.value['attempts'] as readonly Attempt[] | undefined) : [];
  const same = attempts?.findLast((attempt) => attempt.version === version)?.details;
  return same === undefined ? null : { changes: same.changes ?? [], tickets: same.tickets ?? [] };
};

type Attempt = {
  readonly attempt?: number;
  readonly version?: string;
  readonly details?: Partial<Details>;
};

/** The commit of the version that holds the slot; of several the last. */
const liveCommit = async (reader: Reader, { slot }: ChangesAsked): Promise<string | null> => {
  const current = await reader.list('current', { filter: slot });
  if (!current.ok) return null;
  const held = current.value.findLast((line) => (line['target'] ?? null) === slot.target);
  if (held === undefined) return null;
  const { version } = held;
  if (typeof version === 'string' && /^[0-9a-f]{40}$/.test(version)) return version;
  return commitOf(reader, held);
};

const commitOf = async (reader: Reader, held: Line): Promise<string | null> => {
  const { deployment } = held;
  const shown = typeof deployment === 'string' ? await reader.show(deployment) : undefined;
  if (shown?.ok !== true) return null;
  const attempts = shown.value['attempts'] as readonly Attempt[] | undefined;
  const commit = attempts?.find(({ attempt }) => attempt === held['attempt'])?.details?.commit;
  return commit ?? null;
};

/** Each once, in the order of the commits. Secrets in messages are written over. */
export const changesOf = (
  commits: readonly GitCommit[],
  ticketPrefixes: readonly string[],
): Changes => {
  const messages = commits.map(({ subject, body }) =>
    maskSecrets(`${subject}\n${body}`.slice(0, messageMax)),
  );
  const requests = messages.flatMap(pullRequestsIn);
  const tickets = messages.flatMap((message) => ticketsIn(message, ticketPrefixes));
  return {
    changes: [
      ...commits.map(({ id }, at) => ({
        type: 'commit',
        id,
        title: titleOf(messages[at] ?? ''),
        url: null,
      })),
      ...[...new Set(requests)]
        .slice(0, pullRequestsMax)
        .map((id) => ({ type: 'pull-request', id, title: null, url: null })),
    ],
    tickets: [...new Set(tickets)].slice(0, ticketsMax),
  };
};

const titleOf = (message: string): string | null => {
  const line = plainText(message.split('\n', 1)[0]?.trim() ?? '').slice(0, titleMax);
  return line === '' ? null : line.toWellFormed();
};

/** As GitHub, Azure DevOps, Bitbucket and GitLab write them when they merge. */
const pullRequestPatterns: readonly RegExp[] = [
  /^Merge pull request #([0-9]{1,9})\b/,
  /^[^\n]*\(#([0-9]{1,9})\)[ \t]*(?:\n|$)/,
  /^Merged PR ([0-9]{1,9}):/,
  /^Merged in [^\n]*\(pull request #([0-9]{1,9})\)/,
  /^See merge request [^\s!]*!([0-9]{1,9})[ \t]*$/m,
];

const pullRequestsIn = (message: string): readonly string[] =>
  pullRequestPatterns.flatMap((pattern) => pattern.exec(message)?.[1] ?? []);

/** Standards and algorithms are written alike. */
const noTickets: ReadonlySet<string> = new Set(
  'AES BASE CVE CWE ECMA HTTP IEC IEEE ISO MD RFC RSA SHA TLS UCS US UTF'.split(' '),
);

const ticketsIn = (message: string, prefixes: readonly string[]): readonly string[] => {
  if (prefixes.length > 0)
    return prefixes.flatMap((prefix) =>
      message
        .split(prefix)
        .slice(1)
        .flatMap((rest) => {
          const digits = /^[0-9]{1,9}(?![0-9])/.exec(rest)?.[0];
          return digits === undefined ? [] : [`${prefix}${digits}`];
        }),
    );
  return [...message.matchAll(/(?<![\w-])([A-Z][A-Z0-9]{1,9})-[0-9]{1,7}(?![\w-])/g)].flatMap(
    ([ticket, project = '']) => (noTickets.has(project) ? [] : [ticket]),
  );
};

/** What was given comes first, and what is known of itself fills the room that is left. */
export const withChanges = (details: Details, { changes, tickets }: Changes): Details => {
  const known = new Set(details.changes.map(({ type, id }) => `${type} ${id}`));
  const others = changes.filter(({ type, id }) => !known.has(`${type} ${id}`));
  return {
    ...details,
    changes: [
      ...details.changes,
      ...others.slice(0, Math.max(0, listMax - details.changes.length)),
    ],
    tickets: details.tickets.length > 0 ? details.tickets : tickets,
  };
};
