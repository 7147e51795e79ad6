import type { Status } from '../deployment.ts';
import type { Position } from '../log/record.ts';
import { slotKey } from '../markers/slot.ts';
import type { AttemptLine } from '../slot-state.ts';
import type { Absent } from './words.ts';
import { orAbsent, orNull, slotOfKey } from './words.ts';

/** An `AttemptLine` as a list: the place as the slot's key, 0 for what is absent. */
export type PackedLine = readonly [
  deployment: string,
  attempt: number,
  position: Position,
  slot: string | Absent,
  version: string | Absent,
  digest: string | Absent,
  name: string | Absent,
  status: Status,
  statusReported: string | Absent,
  failureReason: string | Absent,
  marks: number,
  startedAt: number | null,
  endedAt: number | null,
  heardAt: number,
  statusPosition: Position,
  /** With the token, where there is one. */
  signer: string | readonly [signer: string, onBehalf: string],
  key: string,
  /** Its position alone where the line's key signed it; 0 for none. */
  plan: Position | readonly [Position, string],
  /** Name, value, name, value. */
  ...links: string[],
];

const rollbackMark = 1;
const unplannedMark = 2;
const conflictMark = 4;

export const packLine = (line: AttemptLine): PackedLine => [
  line.deployment,
  line.attempt,
  line.position,
  slotKeyOf(line),
  orAbsent(line.version),
  orAbsent(line.digest),
  orAbsent(line.name),
  line.status,
  orAbsent(line.statusReported),
  orAbsent(line.failureReason),
  (line.rollback ? rollbackMark : 0) |
    (line.unplanned ? unplannedMark : 0) |
    (line.conflict ? conflictMark : 0),
  line.startedAt,
  line.endedAt,
  line.heardAt,
  line.statusPosition,
  line.onBehalf === null ? line.signer : [line.signer, line.onBehalf],
  line.key,
  line.plan === null
    ? 0
    : line.plan.key === line.key
      ? line.plan.position
      : [line.plan.position, line.plan.key],
  ...(line.links.length === 0 ? noLinks : line.links.flatMap(({ name, value }) => [name, value])),
];

const noLinks: readonly string[] = [];

export const unpackLine = (packed: PackedLine): AttemptLine => {
  const [deployment, attempt, position, slot, version, digest, name, status, ...more] = packed;
  const [statusReported, failureReason, marks, startedAt, endedAt, heardAt, ...last] = more;
  const [statusPosition, signer, key, plan, ...links] = last;
  const place = slot === 0 ? nowhere : slotOfKey(slot);
  return {
    deployment,
    attempt,
    namespace: place.namespace,
    component: place.component,
    environment: place.environment,
    target: place.target,
    version: orNull(version),
    digest: orNull(digest),
    name: orNull(name),
    status,
    statusReported: orNull(statusReported),
    failureReason: orNull(failureReason),
    rollback: (marks & rollbackMark) !== 0,
    unplanned: (marks & unplannedMark) !== 0,
    conflict: (marks & conflictMark) !== 0,
    startedAt,
    endedAt,
    heardAt,
    statusPosition,
    signer: typeof signer === 'string' ? signer : signer[0],
    key,
    onBehalf: typeof signer === 'string' ? null : signer[1],
    plan:
      plan === 0
        ? null
        : typeof plan === 'number'
          ? { position: plan, key }
          : { position: plan[0], key: plan[1] },
    links: pairs(links),
    position,
  };
};

const nowhere = { namespace: null, component: null, environment: null, target: null };

const slotKeyOf = ({ namespace, environment, component, target }: AttemptLine): string | Absent =>
  namespace === null || environment === null || component === null
    ? 0
    : slotKey({ namespace, environment, component, target });

const pairs = (flat: readonly string[]): AttemptLine['links'] => {
  const links: { readonly name: string; readonly value: string }[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    links.push({ name: flat[at] ?? '', value: flat[at + 1] ?? '' });
  return links;
};
