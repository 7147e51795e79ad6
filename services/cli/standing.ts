import type { Standing } from '../core/decide.ts';
import type { Deployment } from '../core/deployment.ts';
import type { Logged, Planned, Slot, Update } from '../core/markers/marker.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { SlotState } from '../core/slot-state.ts';
import { slotHistory } from '../core/slot-state.ts';
import type { AtHand } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { readRows } from './reading.ts';

/** What the read models say about the deployment and the places of a marker. */
export const readStanding = async (
  atHand: AtHand,
  marker: Planned | Update | Logged,
): Promise<Result<Standing, CliProblem>> => {
  const first = await readRows(atHand, [{ model: 'deployment', key: marker.deployment }]);
  if (!first.ok) return first;
  const deployment = first.value.get('deployment', marker.deployment) as Deployment | undefined;
  const slots = new Map<string, Slot>();
  if (marker.slot !== null) slots.set(slotKey(marker.slot), marker.slot);
  for (const { plan } of deployment?.attempts ?? [])
    if (plan !== null) slots.set(slotKey(plan.slot), plan.slot);
  const slotRows = await readRows(
    atHand,
    [...slots.keys()].map((key) => ({ model: 'slot', key })),
  );
  if (!slotRows.ok) return slotRows;
  const stateOf = (slot: Slot): SlotState | undefined =>
    slotRows.value.get('slot', slotKey(slot)) as SlotState | undefined;
  const holders = [...slots.values()].flatMap((slot) => stateOf(slot)?.holders ?? []);
  const held = await readRows(
    atHand,
    holders.map((holder) => ({ model: 'deployment', key: holder.deployment })),
  );
  if (!held.ok) return held;
  return ok({
    trust: atHand.state.trust,
    deployment,
    slots: (slot) => slotHistory(stateOf(slot)),
    holder: (id) => held.value.get('deployment', id) as Deployment | undefined,
    next: atHand.state.next,
  });
};
