import { join } from 'node:path';

/** Where an installation keeps the keys that it made. */
export const keysFolder = (dataFolder: string): string => join(dataFolder, 'keys');
