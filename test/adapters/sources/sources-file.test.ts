import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openSourcesFile } from '../../../services/adapters/sources/sources-file.ts';
import type {
  SourcesFile,
  SourcesFileEvent,
} from '../../../services/adapters/sources/sources-file.ts';
import { sourcesFileBytesMax } from '../../../services/core/telemetry/sources.ts';
import { eventually } from '../../support/eventually.ts';
import { tools } from '../../support/given.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const folder = scratchFolder();
const [first, second] = ['the-first-token-of-all', 'the-second-token-of-all'];
let files = 0;
const opened: SourcesFile[] = [];
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
});

const written = (text: string, mode = 0o600): string => {
  const path = join(folder, `sources-${files++}`);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
};
const open = async (
  path: string,
  tell: (event: SourcesFileEvent) => void = () => undefined,
): Promise<SourcesFile> => {
  const file = value(await openSourcesFile(path, { crypto: tools.crypto, tell, lookEveryMs: 5 }));
  opened.push(file);
  return file;
};
/** As an editor does it: no reader meets half a file. */
const replace = (path: string, text: string): void => renameSync(written(text), path);

describe('a file of sources', () => {
  test('tells a source by its token, written out or as a digest, and nobody by another', async () => {
    const digest = tools.crypto.sha256HexOfText(second);
    const file = await open(written(`shop ${first}\ncart sha256:${digest} cart\n`));
    expect(file.sourceOf(first)?.name).toBe('shop');
    expect(file.sourceOf(second)).toMatchObject({ name: 'cart', services: new Set(['cart']) });
    for (const wrong of ['', first.slice(1), `${first}x`, digest, `sha256:${digest}`])
      expect(file.sourceOf(wrong)).toBeUndefined();
    expect(file.count()).toBe(2);
  });

  test.skipIf(process.platform === 'win32')('says when others may read it', async () => {
    const text = `shop ${first}`;
    const exposed = [0o600, 0o400, 0o640, 0o604].map(
      async (mode) => (await open(written(text, mode))).isExposed,
    );
    expect(await Promise.all(exposed)).toEqual([false, false, true, true]);
  });

  test('that is changed counts as it is now; one that is spoilt, as it was before', async () => {
    const events: SourcesFileEvent[] = [];
    const path = written(`shop ${first}`);
    const file = await open(path, (event) => events.push(event));
    replace(path, `shop ${second}\ncart ${first}`);
    await eventually('the change counts', () => file.sourceOf(second)?.name === 'shop');
    expect(file.sourceOf(first)?.name).toBe('cart');
    replace(path, `shop ${second}\nshop ${first}`);
    await eventually('the fault is told', () => events.length === 2);
    expect(file.sourceOf(first)?.name).toBe('cart');
    rmSync(path);
    await eventually('that it is gone is told', () => events.length === 3);
    expect(file.sourceOf(first)?.name).toBe('cart');
    replace(path, `shop ${second}`);
    await eventually('it counts again', () => file.sourceOf(first) === undefined);
    expect(events).toMatchObject([
      { event: 'changed', count: 2 },
      { event: 'not-taken', problem: { message: `${path}: line 2: line 1 has the same name` } },
      { event: 'not-taken', problem: { message: `${path}: there is no such file` } },
      { event: 'changed', count: 1 },
    ]);
    expect(JSON.stringify(events)).not.toContain('token-of-all');
  });
});

test.each<[string, () => string, string]>([
  ['that is not there', () => join(folder, 'nowhere'), 'there is no such file'],
  ['that is a folder', () => folder, 'it cannot be read (EISDIR)'],
  ['of nobody', () => written('# nobody'), 'it names no source'],
  ['with a fault', () => written(`a ${first}\nb short`), 'line 2: the token has 5 characters'],
  ['without an end', () => written('#'.repeat(sourcesFileBytesMax + 1)), 'is larger than'],
])('a file %s is refused', async (_name, path, message) => {
  const named = path();
  const refused = await openSourcesFile(named, { crypto: tools.crypto, tell: () => undefined });
  expect(refused).toMatchObject({
    ok: false,
    problem: { code: 'sources-invalid', message: expect.stringContaining(message) },
  });
  expect(JSON.stringify(refused)).toContain(named);
});
