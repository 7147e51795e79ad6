import type { Slot } from '../core/markers/marker.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { DeadLetter } from '../core/dead-letters.ts';
import { letterState } from '../core/dead-letters.ts';
import type { CircumstanceRow } from '../core/circumstances.ts';
import { circumstanceModel } from '../core/circumstances.ts';
import { circumstanceLine } from '../core/noted-view.ts';
import type { OperationRow } from '../core/operations.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import { policyModel } from '../core/policy-records.ts';
import type { DecisionRow, NameRow } from '../core/read-models.ts';
import { positionKey } from '../core/read-models.ts';
import { readRow } from '../core/row-text.ts';
import type { AttemptLine, SlotState } from '../core/slot-state.ts';
import type { Line, Present } from '../core/views.ts';
import {
  currentLines,
  deadLetterLine,
  decisionLine,
  nameLine,
  operationLine,
  policyLine,
  timelineLine,
} from '../core/views.ts';
import { parsePosition } from './query.ts';

type Query = ReadonlyMap<string, string>;

/** A list that can be asked for: which rows, which of them, and as which lines. */
export type List = {
  readonly model: string;
  /** Names of filters beside `limit`, `after` and `at-least`. */
  readonly filters: readonly string[];
  readonly prefix: (query: Query) => string;
  /** The row key that `after` stands for; undefined: it can be none. */
  readonly keyAfter: (after: string) => string | undefined;
  readonly nextAfter: (key: string) => string;
  readonly lines: (row: string, query: Query, present: Present) => readonly Line[];
};

const placeFilters = ['namespace', 'environment', 'component', 'target'] as const;

/** A target that is absent is asked for as the empty one. */
const isThere = (query: Query, place: { readonly [Name in keyof Slot]: string | null }): boolean =>
  placeFilters.every((name) => {
    const wanted = query.get(name);
    return wanted === undefined || wanted === (place[name] ?? (name === 'target' ? '' : null));
  });

const isEqual = (query: Query, name: string, value: string): boolean =>
  (query.get(name) ?? value) === value;

const wherever = (): string => '';

const byPosition: Pick<List, 'keyAfter' | 'nextAfter'> = {
  keyAfter: (after) => {
    const position = parsePosition(after);
    return position === undefined ? undefined : positionKey(position);
  },
  nextAfter: (key) => String(Number(key)),
};

const afterCharsMax = 4096;

const byName: Pick<List, 'keyAfter' | 'nextAfter'> = {
  keyAfter: (after) => (after.length <= afterCharsMax ? after : undefined),
  nextAfter: (key) => key,
};

/** What stands in the slots that begin with the parts that were named. */
const slotPrefix = (query: Query): string => {
  const parts = [];
  for (const name of ['namespace', 'environment', 'component'] as const) {
    const part = query.get(name);
    if (part === undefined) break;
    parts.push(part);
  }
  const [namespace = '', environment = '', component = ''] = parts;
  const key = slotKey({ namespace, environment, component, target: null });
  return parts.length === 0 ? '' : `${key.split('/').slice(0, parts.length).join('/')}/`;
};

export const currentList: List = {
  model: 'slot',
  filters: placeFilters,
  prefix: slotPrefix,
  ...byName,
  lines: (row, query, present) => {
    const state = readRow<SlotState>('slot', row);
    return isThere(query, state.slot) ? currentLines(state, present) : [];
  },
};

export const timelineList: List = {
  model: 'timeline',
  filters: [...placeFilters, 'deployment', 'order'],
  prefix: wherever,
  ...byPosition,
  lines: (row, query, present) => {
    const line = readRow<AttemptLine>('timeline', row);
    return isThere(query, line) && isEqual(query, 'deployment', line.deployment)
      ? [timelineLine(line, present)]
      : [];
  },
};

export const decisionList: List = {
  model: 'decision',
  filters: [...placeFilters, 'deployment', 'order'],
  prefix: wherever,
  ...byPosition,
  lines: (row, query, present) => {
    const decision = JSON.parse(row) as DecisionRow;
    return isThere(query, decision.slot) && isEqual(query, 'deployment', decision.deployment)
      ? [decisionLine(decision, present)]
      : [];
  },
};

export const deadLetterList: List = {
  model: 'dead-letter',
  filters: ['code', 'state', 'order'],
  prefix: wherever,
  ...byPosition,
  lines: (row, query) => {
    const letter = JSON.parse(row) as DeadLetter;
    return isEqual(query, 'code', letter.code) && isEqual(query, 'state', letterState(letter))
      ? [deadLetterLine(letter)]
      : [];
  },
};

export const changeList: List = {
  model: circumstanceModel,
  filters: [...placeFilters, 'kind', 'deployment', 'order'],
  prefix: wherever,
  ...byPosition,
  lines: (row, query, present) => {
    const change = JSON.parse(row) as CircumstanceRow;
    return isThere(query, change.slot) &&
      isEqual(query, 'kind', change.kind) &&
      isEqual(query, 'deployment', change.deployment ?? '')
      ? [circumstanceLine(change, present)]
      : [];
  },
};

export const operationList: List = {
  model: 'operation',
  filters: ['kind', 'order'],
  prefix: wherever,
  ...byPosition,
  lines: (row, query, present) => {
    const operation = JSON.parse(row) as OperationRow;
    return isEqual(query, 'kind', operation.kind) ? [operationLine(operation, present)] : [];
  },
};

/** Documents themselves are asked for one by one. */
export const policyList: List = {
  model: policyModel,
  filters: ['order'],
  prefix: wherever,
  ...byPosition,
  lines: (row, _query, present) => [policyLine(JSON.parse(row) as PolicyRow, present)],
};

const nameList = (model: string, seenWith: 'components' | 'environments'): List => ({
  model,
  filters: [],
  prefix: wherever,
  ...byName,
  lines: (row) => [nameLine(JSON.parse(row) as NameRow, seenWith)],
});

export const environmentList: List = nameList('environment', 'components');
export const componentList: List = nameList('component', 'environments');
