import type { Details, Slot } from '../../core/markers/marker.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import { readAtHand } from '../reading/reader-at-hand.ts';
import { readThrough } from '../reading/reader-gateway.ts';
import type { Reader } from '../reading/reader.ts';
import type { Given } from '../terminal/arguments.ts';
import { changesSince, withChanges } from './changes-since.ts';
import type { Draft } from './draft.ts';

type Asked = {
  readonly draft: Draft;
  readonly given: Given;
  readonly slot: Slot;
  readonly deployment: string | null;
  readonly withinMs: number;
  readonly atHand: AtHand | undefined;
};

/** The draft with what it brings since the version that stands there, or since `--since`. */
export const draftWithChanges = async (
  ports: CliPorts,
  { draft, given, slot, deployment, withinMs, atHand }: Asked,
): Promise<Draft> => {
  const details = draft.fields['details'] as Details;
  const { commit } = details;
  const version = draft.fields['version'];
  if (commit === null || typeof version !== 'string') return draft;
  const reader = readerOf(ports, atHand);
  const changes = await changesSince(reader, ports.git, {
    ...{ slot, version, commit, deployment, withinMs },
    since: given.value('since'),
    ticketPrefixes: given.values('ticket-prefix'),
  });
  return changes === null
    ? draft
    : { ...draft, fields: { ...draft.fields, details: withChanges(details, changes) } };
};

/** Null: the read models are away. */
const readerOf = (ports: CliPorts, atHand: AtHand | undefined): Reader | null => {
  if (atHand !== undefined) return readAtHand(atHand, ports.clock.nowMs());
  return ports.gateway === null ? null : readThrough(ports.gateway, ports);
};
