import { beforeEach, expect, test } from 'vitest';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { keepSealed, readSealed, sealedTextMax } from '../../services/analyser/sealed.ts';
import type { KeyState } from '../../services/core/trust/trust.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { keyOf, tools } from '../support/given.ts';
import { keyState } from '../support/key-state.ts';
import { audience } from '../support/markers.ts';
import { value } from '../support/records.ts';

const signer = keyOf('analyser');
let store: ReadModelStore;
beforeEach(() => {
  store = createMemoryReadModelStore({ orderedModels: [] });
});
const keep = async (text: string, name = '3'): Promise<void> =>
  value(await keepSealed({ audience, store, tools, signer }, 'snapshot', name, text));
const read = (
  change: Partial<KeyState> = {},
  name = '3',
  of: string = audience,
): Promise<string | undefined> =>
  readSealed(
    { audience: of, store, tools },
    new Map([[signer.keyId, keyState(signer, change)]]),
    'snapshot',
    name,
  );
const long = (letter: string, chunks: number): string => letter.repeat(chunks * 60_000 - 1);

test('what was kept is read, in the place of what was kept before, longer or shorter', async () => {
  expect(await read()).toBeUndefined();
  for (const text of ['', 'a', long('b', 4), long('c', 2), 'd']) {
    await keep(text);
    expect(await read()).toBe(text);
  }
  // Nothing is left of the longer ones.
  expect(value(await store.aside.scan({ rowsMax: 100 }))).toHaveLength(2);
});

test('a store that changes, mixes or renames it has nothing', async () => {
  await keep(long('a', 2));
  const entries = value(await store.aside.scan({ rowsMax: 100 }));
  await keep(long('b', 2));
  const [, first] = entries;
  value(await store.aside.write([{ key: first?.key ?? '', value: first?.value ?? '' }]));
  expect(await read()).toBeUndefined();

  value(
    await store.aside.write(
      entries.map(({ key, value: text }) => ({ key: key.replace('/3', '/4'), value: text })),
    ),
  );
  expect(await read({}, '4')).toBeUndefined();
  // As it was before it is good again: an older one does no harm.
  value(await store.aside.write(entries));
  expect(await read()).toBe(long('a', 2));
});

test.each(['', '{}', 'null', '{"chunks":1e9}', '{"chunks":-1,"keyId":"","signature":""}'])(
  'of the head %j nothing is believed',
  async (head) => {
    value(await store.aside.write([{ key: 'snapshot/3', value: head }]));
    expect(await read()).toBeUndefined();
  },
);

test('it counts by a key of an analyser in good standing, for its own audience', async () => {
  await keep('a');
  expect(await read({ retiredAt: 5 })).toBeUndefined();
  expect(await read({ compromised: { at: 5, since: 4 } })).toBeUndefined();
  expect(await read({ roles: ['emitter'] })).toBeUndefined();
  expect(await read({}, '3', 'staging')).toBeUndefined();
});

test('what is too large is refused, and what was kept stays', async () => {
  await keep('a');
  const kept = await keepSealed(
    { audience, store, tools, signer },
    'snapshot',
    '3',
    'b'.repeat(sealedTextMax + 1),
  );
  expect(kept).toMatchObject({ ok: false, problem: { code: 'too-large' } });
  expect(await read()).toBe('a');
});
