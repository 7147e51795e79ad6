import { avscType } from '../../adapters/avro/avsc-type.ts';
import { schemaDigest } from '../../adapters/avro/canonical-form.ts';
import { loadSchemas } from '../../adapters/avro/schema-files.ts';
import type { SchemaFile } from '../../adapters/avro/schema-files.ts';
import { parseSchema } from '../../adapters/avro/schema-tree.ts';
import type { RecordNode } from '../../adapters/avro/schema-tree.ts';
import { newestVersion } from '../../core/markers/upcast.ts';
import { resolutionFaults } from './compatibility.ts';
import { envelopeFaults, fileOf } from './envelope.ts';
import { lintFaults } from './lint.ts';

type OpenFile = { readonly file: SchemaFile; readonly node: RecordNode };

/** Everything that is wrong with a folder of schemas, apart from what was published: one sentence each. */
export function schemaFolderFaults(folder: string): readonly string[] {
  const loaded = attempt(() => loadSchemas(folder));
  if (loaded.fault !== undefined) return [loaded.fault];
  const files = loaded.value;
  const opened: OpenFile[] = [];
  const unreadable: string[] = [];
  for (const file of files) {
    const tree = attempt(() => {
      avscType(file.text); // checks what the tree does not keep, for instance that defaults fit
      return parseSchema(file.text);
    });
    if (tree.fault === undefined) opened.push({ file, node: tree.value });
    else unreadable.push(`${fileOf(file)}: ${tree.fault}`);
  }
  return [
    ...unreadable,
    ...opened.flatMap(({ file, node }) =>
      lintFaults(node).map((fault) => `${fileOf(file)}: ${fault}`),
    ),
    ...envelopeFaults(files),
    ...versionFaults(files),
    ...digestFaults(opened.map(({ file }) => file)),
    ...compatibilityFaults(opened),
  ];
}

/** Versions count 1, 2, 3 … up to the one that the rules lift to. */
function versionFaults(files: readonly SchemaFile[]): readonly string[] {
  return [...Map.groupBy(files, (file) => file.shape)].flatMap(([shape, ofShape]) => {
    const versions = ofShape.map((file) => file.version);
    const gap = versions.findIndex((version, index) => version !== index + 1);
    const newest = versions.at(-1) ?? 0;
    return [
      ...(gap === -1 ? [] : [`${shape}.v${gap + 1}.avsc is missing: versions count up from 1`]),
      ...(newest === newestVersion(shape)
        ? []
        : [
            `${shape} has schemas up to version ${newest}, and the upcasters lift to ${newestVersion(shape)}`,
          ]),
    ];
  });
}

/** The digest is how a record names its schema, and defaults and docs are not part of it. */
function digestFaults(files: readonly SchemaFile[]): readonly string[] {
  return [...Map.groupBy(files, (file) => schemaDigest(file.text)).values()]
    .filter((same) => same.length > 1)
    .map(
      (same) =>
        `${same.map(fileOf).join(' and ')} have the same canonical form: bytes cannot tell them apart`,
    );
}

/** Full and transitive: every version of a shape reads what every other one wrote. */
function compatibilityFaults(opened: readonly OpenFile[]): readonly string[] {
  return opened.flatMap((reader) =>
    opened
      .filter((writer) => writer.file.shape === reader.file.shape && writer !== reader)
      .flatMap((writer) =>
        resolutionFaults(reader.node, writer.node).map(
          (fault) => `${fileOf(reader.file)} cannot read ${fileOf(writer.file)}: ${fault}`,
        ),
      ),
  );
}

type Attempt<Value> =
  | { readonly fault: undefined; readonly value: Value }
  | { readonly fault: string };

function attempt<Value>(make: () => Value): Attempt<Value> {
  try {
    return { fault: undefined, value: make() };
  } catch (cause) {
    return { fault: cause instanceof Error ? cause.message : String(cause) };
  }
}
