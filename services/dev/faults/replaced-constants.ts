// Loaded with --import before the product's own main: it changes a few constants of the product while they are
// read, so that a campaign has short leases and can run another version of the fold, and production knows no such
// setting. What it cannot find is an error: a campaign that silently ran with production's times would mislead.
import { registerHooks } from 'node:module';

export type Replacement = {
  /** The end of the module's path. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

/** Environment of a process with replaced constants. */
export const replacementsVariable = 'FAULTS_REPLACED';

const replacements = JSON.parse(
  process.env[replacementsVariable] ?? '[]',
) as readonly Replacement[];

if (replacements.length > 0)
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const here = replacements.filter(({ file }) => url.endsWith(file));
      if (here.length === 0) return loaded;
      let source = Buffer.from(loaded.source as string | Uint8Array).toString('utf8');
      for (const { file, from, to } of here) {
        if (!source.includes(from)) throw new Error(`${file} does not hold ${from}`);
        source = source.replace(from, to);
      }
      return { ...loaded, source };
    },
  });
