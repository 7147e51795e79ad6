import type { Json } from '../core/canonical.ts';
import type { Deployment } from '../core/deployment.ts';
import type { Position } from '../core/log/record.ts';
import type { DeadLetter } from '../core/dead-letters.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import { policyModel } from '../core/policy-records.ts';
import { address, markerKey } from '../core/projection.ts';
import { readNoted } from '../core/noted-view.ts';
import { positionKey } from '../core/read-models.ts';
import type { MarkerRow } from '../core/row-forms/marker.ts';
import { readRow } from '../core/row-text.ts';
import type { AttemptLine } from '../core/slot-state.ts';
import type { RetentionRow } from '../core/retention.ts';
import { retentionKey, tiersOf } from '../core/retention.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Line, Present } from '../core/views.ts';
import {
  deadLetterLine,
  deploymentView,
  keyLine,
  policyView,
  presentOf,
  retentionLine,
} from '../core/views.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { List } from './lists.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import { atLeastOf, isNewestFirst, limitMax, limitOf } from './query.ts';
import type { AsOf, ReadSide } from './read-side.ts';
import { isSameState, positionOf } from './read-side.ts';

/** How long a reader waits for a position that the read models do not hold yet. */
export const atLeastWithinMs = 5000;
/** Rows that one request looks at; a filter that finds little answers with what it has and where to go on. */
const rowsScannedMax = 10_000;
const pageRowsMax = limitMax;
const pageRowsMin = 50;

/** The last position that an answer holds: what it says follows from the records up to there. */
const positionHeader = 'plimsoll-position';
const nextHeader = 'plimsoll-next';

type Answer = Promise<Result<HttpResponse, Problem>>;

/** Names that every list takes beside its filters. */
export const listQuery: readonly string[] = ['limit', 'after', 'at-least'];

export const getList = async (reads: ReadSide, list: List, request: HttpRequest): Answer => {
  const { query } = request;
  const limit = limitOf(query);
  if (!limit.ok) return limit;
  const newestFirst = isNewestFirst(query);
  if (!newestFirst.ok) return newestFirst;
  const after = query.get('after');
  const keyAfter = after === undefined ? undefined : list.keyAfter(after);
  if (after !== undefined && keyAfter === undefined)
    return refuse('query-invalid', 'after must be what `next` of an answer said');
  const waited = await waitAtLeast(reads, request);
  if (!waited.ok) return waited;
  const scanned = await scan(reads, list, query, limit.value, newestFirst.value, keyAfter);
  if (!scanned.ok) return scanned;
  const { asOf, lines, lastKey } = scanned.value;
  const next = lastKey === null ? null : list.nextAfter(lastKey);
  return ok(listResponse(request, asOf, lines, next));
};

type Scanned = {
  readonly asOf: AsOf;
  readonly lines: readonly Line[];
  /** Where to go on; null at the end. */
  readonly lastKey: string | null;
};

const scan = async (
  reads: ReadSide,
  list: List,
  query: HttpRequest['query'],
  limit: number,
  newestFirst: boolean,
  keyAfter: string | undefined,
): Promise<Result<Scanned, Problem>> => {
  const rowsMax = Math.min(Math.max(limit, pageRowsMin), pageRowsMax);
  const lines: Line[] = [];
  let present: Present | undefined;
  let first: AsOf | undefined;
  let lastKey = keyAfter;
  for (let rowsScanned = 0; ;) {
    const page = await reads.page(list.model, {
      prefix: list.prefix(query),
      newestFirst,
      rowsMax,
      ...(lastKey === undefined ? {} : { after: lastKey }),
    });
    if (!page.ok) return page;
    const { asOf, rows } = page.value;
    first ??= asOf;
    // An answer is of one state: what a later one says is for the next request.
    if (!isSameState(asOf, first)) return ok({ asOf: first, lines, lastKey: lastKey ?? null });
    // Read after the rows: it can only know of more compromised keys than they do, never of fewer.
    if (present === undefined) {
      const read = await readPresent(reads);
      if (!read.ok) return read;
      present = read.value;
    }
    for (const { key, value } of rows) {
      if (lines.length >= limit) return ok({ asOf, lines, lastKey: lastKey ?? null });
      lines.push(...list.lines(value, query, present));
      lastKey = key;
    }
    rowsScanned += rows.length;
    if (rows.length < rowsMax) return ok({ asOf, lines, lastKey: null });
    if (rowsScanned >= rowsScannedMax) return ok({ asOf, lines, lastKey: lastKey ?? null });
  }
};

const readPresent = async (reads: ReadSide): Promise<Result<Present, Problem>> => {
  const keys = await reads.trust();
  return keys.ok ? ok(presentOf(reads.nowMs(), [...keys.value.trust.keys.values()])) : keys;
};

export const getKeys = async (reads: ReadSide, request: HttpRequest): Answer => {
  const waited = await waitAtLeast(reads, request);
  if (!waited.ok) return waited;
  const keys = await reads.trust();
  if (!keys.ok) return keys;
  const lines = [...keys.value.trust.keys.values()]
    .toSorted((a, b) => a.addedAt - b.addedAt)
    .map(keyLine);
  return ok(listResponse(request, keys.value.asOf, lines, null));
};

export const getRetention = async (reads: ReadSide, request: HttpRequest): Answer => {
  const waited = await waitAtLeast(reads, request);
  if (!waited.ok) return waited;
  const read = await reads.rows([{ model: 'retention', key: retentionKey }]);
  if (!read.ok) return read;
  const present = await readPresent(reads);
  if (!present.ok) return present;
  const { asOf, rows } = read.value;
  const row = rows.get(address('retention', retentionKey));
  const tiers = tiersOf(row === undefined ? undefined : readRow<RetentionRow>('retention', row));
  const lines = tiers.map((tier) => retentionLine(tier, present.value));
  return ok(listResponse(request, asOf, lines, null));
};

/** A deployment with its whole history, by its own id or by that of a marker of it. */
export const getDeployment = async (reads: ReadSide, request: HttpRequest, id: string): Answer => {
  const waited = await waitAtLeast(reads, request);
  if (!waited.ok) return waited;
  const keys = await reads.trust();
  if (!keys.ok) return keys;
  // A marker is known by its id and its signer; whoever asks knows the id alone.
  const principals = new Set([...keys.value.trust.keys.values()].map(({ principal }) => principal));
  const asked = [
    { model: 'deployment', key: id },
    { model: 'forgotten', key: id },
    ...[...principals].map((principal) => ({ model: 'marker', key: markerKey(id, principal) })),
  ];
  const direct = await reads.rows(asked);
  if (!direct.ok) return direct;
  const { asOf, rows } = direct.value;
  const [own, forgotten, ...markers] = asked.map(({ model, key }) => rows.get(address(model, key)));
  const named = markers.find((row) => row !== undefined);
  if (own !== undefined) return deploymentResponse(reads, asOf, own);
  if (forgotten !== undefined) return missing(asOf, `the deployment ${id} was forgotten`);
  if (named === undefined) return missing(asOf, `no deployment and no marker ${id} is known`);
  // The index says where the attempt was opened, and the line of that attempt is whose it is.
  const { openedAt } = readRow<MarkerRow>('marker', named);
  if (openedAt === null) return missing(asOf, `the marker ${id} is about no deployment`);
  const lineKey = positionKey(openedAt);
  const lines = await reads.rows([{ model: 'timeline', key: lineKey }]);
  if (!lines.ok) return lines;
  const line = lines.value.rows.get(address('timeline', lineKey));
  if (line === undefined) return missing(asOf, `the deployment of the marker ${id} was forgotten`);
  const { deployment } = readRow<AttemptLine>('timeline', line);
  const read = await reads.rows([{ model: 'deployment', key: deployment }]);
  if (!read.ok) return read;
  const row = read.value.rows.get(address('deployment', deployment));
  return row === undefined
    ? missing(read.value.asOf, `no deployment ${deployment} is known`)
    : deploymentResponse(reads, read.value.asOf, row);
};

const deploymentResponse = async (reads: ReadSide, asOf: AsOf, row: string): Answer => {
  const present = await readPresent(reads);
  if (!present.ok) return present;
  const deployment = readRow<Deployment>('deployment', row);
  const readTexts: Parameters<typeof readNoted<Problem>>[0] = async (keys) => {
    const read = await reads.rows(keys);
    return read.ok ? ok(read.value.rows) : read;
  };
  const noted = await readNoted(readTexts, deployment.id, present.value);
  if (!noted.ok) return noted;
  return itemResponse(reads, asOf, row, () => ({
    ...deploymentView(deployment, present.value),
    ...noted.value,
  }));
};

export const getDeadLetter = (reads: ReadSide, request: HttpRequest, position: string): Answer =>
  rowAt(reads, request, position, 'dead-letter', 'is no dead letter', (row) =>
    deadLetterLine(JSON.parse(row) as DeadLetter),
  );

export const getPolicy = (reads: ReadSide, request: HttpRequest, position: string): Answer =>
  rowAt(reads, request, position, policyModel, 'sets no policies', (row, present) =>
    policyView(JSON.parse(row) as PolicyRow, present),
  );

/** The row of a model whose rows have positions for keys; `lacking` says what a record without one is not. */
const rowAt = async (
  reads: ReadSide,
  request: HttpRequest,
  position: string,
  model: string,
  lacking: string,
  view: (row: string, present: Present) => Line,
): Answer => {
  const waited = await waitAtLeast(reads, request);
  if (!waited.ok) return waited;
  const key = positionKey(Number(position));
  const read = await reads.rows([{ model, key }]);
  if (!read.ok) return read;
  const { asOf, rows } = read.value;
  const row = rows.get(address(model, key));
  return row === undefined
    ? missing(asOf, `the record at position ${position} ${lacking}`)
    : itemResponse(reads, asOf, row, view);
};

const missing = (asOf: AsOf, message: string): Result<never, Problem> =>
  fail({ code: 'not-found', message, more: { position: positionOf(asOf) } });

const itemResponse = async (
  reads: ReadSide,
  asOf: AsOf,
  row: string,
  view: (row: string, present: Present) => Line,
): Answer => {
  const present = await readPresent(reads);
  if (!present.ok) return present;
  const position = positionOf(asOf);
  return ok({
    status: 200,
    headers: { 'content-type': 'application/json', [positionHeader]: String(position) },
    body: JSON.stringify({ position, item: view(row, present.value) }),
  });
};

const waitAtLeast = async (
  reads: ReadSide,
  request: HttpRequest,
): Promise<Result<void, Problem>> => {
  const atLeast = atLeastOf(request);
  if (!atLeast.ok) return atLeast;
  if (atLeast.value === null) return ok(undefined);
  const reached = await reads.waitFor(atLeast.value, atLeastWithinMs);
  return reached.ok ? ok(undefined) : reached;
};

const listResponse = (
  request: HttpRequest,
  asOf: AsOf,
  items: readonly Line[],
  next: string | null,
): HttpResponse => {
  const position: Position = positionOf(asOf);
  const headers = {
    [positionHeader]: String(position),
    ...(next === null ? {} : { [nextHeader]: encodeURIComponent(next) }),
    vary: 'accept',
  };
  if (wantsLines(request))
    return {
      status: 200,
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
      body: items.map((item) => `${JSON.stringify(item as Json)}\n`).join(''),
    };
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ position, items, next }),
  };
};

const wantsLines = ({ header }: HttpRequest): boolean =>
  (header('accept') ?? '')
    .split(',')
    .some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === 'application/x-ndjson');
