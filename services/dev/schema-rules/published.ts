import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, parseJson } from '../../adapters/avro/json.ts';
import { writeWhole } from '../write-whole.ts';

const listName = 'published.json';

/** File name to SHA-256 (hex) of the file. What is in it was sent into the world and stays as it was. */
export type Published = { readonly [file: string]: string };

/** Published files that changed or went, and files that are not in the list: one sentence each. */
export function publishedFaults(folder: string): readonly string[] {
  const published = readPublished(folder);
  if (published === undefined) return [`${listName} is not a list of files and SHA-256 digests`];
  const present = digests(folder);
  return [
    ...Object.entries(published).flatMap(([file, digest]) => {
      if (present[file] === digest) return [];
      return present[file] === undefined
        ? [`${file} was published and is gone: records on logs need it to be read`]
        : [
            `${file} was published and has changed: put it back, and write what is new as the next version`,
          ];
    }),
    ...Object.keys(present)
      .filter((file) => published[file] === undefined)
      .map(
        (file) => `${file} is not published: node services/dev/check-schemas.ts --publish adds it`,
      ),
  ];
}

/** Adds the files that are not listed yet and answers their names. What is listed stays. */
export function publish(folder: string): readonly string[] {
  const published = readPublished(folder);
  if (published === undefined) throw new Error(`${listName} cannot be read`);
  const present = digests(folder);
  const added = Object.keys(present).filter((file) => published[file] === undefined);
  if (added.length === 0) return [];
  const all = { ...present, ...published };
  const sorted = Object.fromEntries(
    Object.keys(all)
      .toSorted()
      .map((file) => [file, all[file]]),
  );
  writeWhole(join(folder, listName), `${JSON.stringify(sorted, null, 2)}\n`);
  return added;
}

/** Undefined where the list is not what it should be; an absent list is an empty one. */
function readPublished(folder: string): Published | undefined {
  const path = join(folder, listName);
  if (!existsSync(path)) return {};
  const list = parseJson(readFileSync(path, 'utf8'))?.value;
  if (!isObject(list)) return undefined;
  const isDigest = (value: unknown): boolean =>
    typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
  return Object.values(list).every(isDigest) ? (list as Published) : undefined;
}

const digests = (folder: string): Published =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.avsc'))
      .toSorted()
      .map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex'),
      ]),
  );
