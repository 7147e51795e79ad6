import { fileURLToPath } from 'node:url';

/** The folder of the package.json and the schemas that come with this code. A built package has its own in place of this. */
export const packageRoot: string = fileURLToPath(new URL('../../../', import.meta.url));
