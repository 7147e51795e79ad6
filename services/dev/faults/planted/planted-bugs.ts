import { bugsOnRealParts } from './on-real-parts.ts';
import type { PlantedBug } from './planted-bug.ts';

/** All of them. */
export const plantedBugs: readonly PlantedBug[] = bugsOnRealParts;
