import { relative, resolve, sep } from 'node:path';
import type { OutputChunk, Plugin } from 'rolldown';
import { rolldown } from 'rolldown';
import { repositoryFolder } from '../check-steps.ts';
import type { Edition } from './editions.ts';

/** What was bundled: where npm packages are asked for, and which files a start reads. */
export type Bundled = {
  readonly packages: readonly string[];
  readonly startFiles: readonly string[];
  readonly startBytes: number;
};

/**
 * Bundles an edition into CommonJS files of one folder, `lib`. CommonJS, because a start is what counts: an `import` of
 * node:http reads each of its exports, the WebSocket client among them, and that alone takes as long as Node's own start.
 * Entries share no file: whoever imports the SDK must not run the command.
 */
export const bundle = async (edition: Edition, libFolder: string): Promise<Bundled> => {
  const packages = new Set<string>();
  const unused = new Set([...edition.modules.keys(), verifyWorker.file]);
  let startFiles: readonly OutputChunk[] = [];
  for (const [name, file] of Object.entries(edition.entries)) {
    const written = await bundleEntry(edition, { name, file, libFolder, packages, unused });
    if (name === 'main') startFiles = staticChunks(written, name);
  }
  if (unused.size > 0) throw new Error(`nobody imports ${[...unused].join(', ')} any more`);
  return {
    packages: [...packages].toSorted(),
    startFiles: startFiles.map(({ fileName }) => fileName),
    startBytes: startFiles.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0),
  };
};

type Bundling = {
  readonly name: string;
  readonly file: string;
  readonly libFolder: string;
  /** npm packages that are asked for are added, replaced source files taken away. */
  readonly packages: Set<string>;
  readonly unused: Set<string>;
};

const bundleEntry = async (
  edition: Edition,
  { name, file, libFolder, packages, unused }: Bundling,
): Promise<readonly OutputChunk[]> => {
  const build = await rolldown({
    input: { [name]: resolve(repositoryFolder, file) },
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [inPackage(edition, unused)],
    external: (id) => {
      if (id.startsWith('.') || id.startsWith(sep)) return false;
      if (!id.startsWith('node:')) packages.add(id);
      return true;
    },
    onLog: (level, log, report) => {
      // A service that is loaded with another needs no file of its own.
      if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') report(level, log);
    },
  });
  const output = {
    format: 'cjs',
    dir: libFolder,
    entryFileNames: '[name].js',
    chunkFileNames: `${name}-[name]-[hash].js`,
    comments: false,
    // Names of functions stay, for whoever reads a stack; those of variables are a sixth of what a start reads.
    minify: { compress: true, mangle: { keepNames: true, toplevel: true }, codegen: true },
  } as const;
  // What is loaded at the start goes into one file, also where other files use it, too.
  const apart = chunksOf(await build.generate(output));
  const start = new Set(staticChunks(apart, name).flatMap((chunk) => chunk.moduleIds));
  const groups = [
    { name, test: (id: string) => start.has(id), includeDependenciesRecursively: false },
  ];
  const written = chunksOf(await build.write({ ...output, codeSplitting: { groups } }));
  await build.close();
  return written;
};

const chunksOf = ({
  output,
}: {
  readonly output: readonly { readonly type: string }[];
}): readonly OutputChunk[] => output.filter((file): file is OutputChunk => file.type === 'chunk');

/** The chunk of an entry and all that it loads before it runs. */
const staticChunks = (chunks: readonly OutputChunk[], entry: string): readonly OutputChunk[] => {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set<OutputChunk>();
  const add = (fileName: string): void => {
    const chunk = byName.get(fileName);
    if (chunk === undefined || found.has(chunk)) return;
    found.add(chunk);
    for (const imported of chunk.imports) add(imported);
  };
  add(`${entry}.js`);
  return [...found];
};

/** What is another thing in a package than in the repository. */
const inPackage = ({ modules }: Edition, unused: Set<string>): Plugin => {
  return {
    name: 'in-package',
    load: (id) => {
      const file = relative(repositoryFolder, id).split(sep).join('/');
      unused.delete(file);
      return modules.get(file) ?? null;
    },
    transform: (code, id) => {
      if (!id.endsWith(verifyWorker.file)) return null;
      if (!code.includes(verifyWorker.source)) throw new Error(`${id} names its worker otherwise`);
      return code.replace(verifyWorker.source, verifyWorker.built);
    },
  };
};

const verifyWorker = {
  file: 'services/adapters/ed25519/signature-checking.ts',
  source: "new URL('verify-worker.ts', import.meta.url)",
  built:
    "require('node:url').pathToFileURL(require('node:path').join(__dirname, 'verify-worker.js'))",
};
