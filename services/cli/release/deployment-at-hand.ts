import type { Deployment } from '../../core/deployment.ts';
import { hasEnded } from '../../core/lifecycle.ts';
import type { Slot } from '../../core/markers/marker.ts';
import type { AtHand } from '../ports.ts';
import { readRows } from '../reading/reading.ts';

// What the read models say of a deployment that a command is about.

export const hasEndedOnLog = async (atHand: AtHand, id: string): Promise<boolean> => {
  const last = (await deploymentRow(atHand, id))?.attempts.at(-1);
  return last !== undefined && hasEnded(last);
};

export const plannedOnLog = async (atHand: AtHand, id: string): Promise<Slot | null> =>
  (await deploymentRow(atHand, id))?.attempts.findLast(({ plan }) => plan !== null)?.plan?.slot ??
  null;

const deploymentRow = async (atHand: AtHand, id: string): Promise<Deployment | undefined> => {
  const rows = await readRows(atHand, [{ model: 'deployment', key: id }]);
  return rows.ok ? (rows.value.get('deployment', id) as Deployment | undefined) : undefined;
};
