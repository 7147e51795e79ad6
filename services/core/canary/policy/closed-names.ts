import type { Position } from '../../log/record.ts';
import type { Slot } from '../../markers/marker.ts';
import { nearest } from '../../nearest.ts';
import type { PolicyDocument } from './placed-policy.ts';
import { takesName } from '../../name-pattern.ts';

// A first-seen environment or component is made by whoever names it, unless a document closes the list.

/** Why a place may not be used, with what to do about it. */
export type ClosedName = { readonly message: string; readonly hint: string };

/** Why the document of policies that was set at a position does not take the place, or undefined. */
export const closedNameIn = (
  { closed }: PolicyDocument,
  position: Position,
  { environment, component }: Slot,
): ClosedName | undefined =>
  fault('environment', environment, closed?.environments, position) ??
  fault('component', component, closed?.components, position);

const fault = (
  what: 'environment' | 'component',
  name: string,
  allowed: readonly string[] | undefined,
  position: Position,
): ClosedName | undefined => {
  if (allowed === undefined || allowed.some((pattern) => takesName(pattern, name)))
    return undefined;
  const near = nearest(name, allowed);
  return {
    message: `the policy at position ${position} knows no ${what} ${JSON.stringify(name)}`,
    hint: `${near === undefined ? '' : `did you mean ${JSON.stringify(near)}? Else `}have it added to closed.${what}s; plimsoll policy show ${position} shows the list`,
  };
};
