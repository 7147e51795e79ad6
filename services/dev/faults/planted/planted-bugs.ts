import { simulatedBugs } from '../../simulate/planted/bugs.ts';
import { bugsOnRealParts } from './on-real-parts.ts';
import type { PlantedBug } from './planted-bug.ts';

/** All of them: those that simulated schedules catch, and those that only real parts show. */
export const plantedBugs: readonly PlantedBug[] = [...simulatedBugs, ...bugsOnRealParts];
