import { describe, expect, test } from 'vitest';
import type { NewRecord } from '../../../services/core/log/record.ts';
import type { InstanceStarted } from '../../../services/core/instances/instance.ts';
import { checkInstance, partitionOfInstance } from '../../../services/core/instances/wire.ts';
import { headerNames } from '../../../services/core/markers/wire.ts';
import type { KeyState } from '../../../services/core/trust/trust.ts';
import { by, given, keyOf, signed, tools, trusts } from '../../support/given.ts';
import { startRecord, started } from '../../support/instances.ts';
import { audience, logged, place } from '../../support/markers.ts';

const keysOf = (...names: readonly string[]): ReadonlyMap<string, KeyState> =>
  new Map(
    names.map((name) => {
      const { keyId, principal, publicKey } = keyOf(name);
      const key: KeyState = {
        id: keyId,
        principal,
        algorithm: 'ed25519',
        publicKey,
        roles: name === 'analyser' ? ['analyser'] : ['emitter'],
        environments: [name === 'stage' ? 'staging' : '*'],
        components: ['*'],
        kinds: [name === 'planner' ? 'planned' : '*'],
        addedAt: 1,
        retiredAt: name === 'leaver' ? 2 : null,
        compromised: name === 'careless' ? { at: 3, since: 1 } : null,
      };
      return [keyId, key];
    }),
  );
const keys = keysOf('node', 'stage', 'analyser', 'planner', 'leaver', 'careless');

const codeOf = (record: NewRecord, forAudience = audience): string => {
  const checked = checkInstance(tools, forAudience, keys, record);
  return checked.ok ? 'accepted' : checked.problem.code;
};

const said = (name: string, over: Partial<InstanceStarted> = {}): Promise<NewRecord> =>
  startRecord(name, 'web-0', over);

test('a start that was signed by a key that may act there is taken as it was said', async () => {
  const checked = checkInstance(tools, audience, keys, await said('node', { zone: 'eu-1' }));
  expect(checked).toMatchObject({ ok: true, value: started('web-0', { zone: 'eu-1' }) });
});

describe('it is refused', () => {
  test.each([
    ['stranger', 'key-unknown'],
    ['leaver', 'key-retired'],
    ['careless', 'key-compromised'],
    ['analyser', 'role-missing'],
    ['planner', 'kind-not-allowed'],
    ['stage', 'out-of-scope'],
  ])('when %s signs it: %s', async (name, code) => {
    expect(codeOf(await said(name))).toBe(code);
  });

  test.each<[string, Partial<InstanceStarted>]>([
    ['no name', { instance: '' }],
    ['a name of two lines', { instance: 'a\nb' }],
    ['a tag where a digest belongs', { digest: 'latest' }],
    ['a deployment that is no id', { deployment: '7' }],
  ])('with %s', async (_what, over) => {
    expect(codeOf(await said('node', over))).toBe('field-invalid');
  });

  test('when a byte was changed, or a header says otherwise', async () => {
    const record = await said('node');
    const value = Uint8Array.from(record.value);
    value[40] = (value[40] ?? 0) ^ 1;
    expect(codeOf({ ...record, value })).toBe('signature-bad');
    const headers = record.headers.map((header) =>
      header.name === headerNames.source
        ? { ...header, value: tools.text.encodeUtf8('/nodes/two') }
        : header,
    );
    expect(codeOf({ ...record, headers })).toBe('header-mismatch');
    expect(codeOf({ ...record, key: tools.text.encodeUtf8('other') })).toBe('header-mismatch');
  });

  test('when it was written for another audience', async () => {
    expect(codeOf(await said('node'), 'staging')).toBe('signature-bad');
    expect(codeOf(await said('node', { audience: 'staging' }))).toBe('signature-bad');
  });

  test('when it is a marker of the log; and the log takes no instance', async () => {
    expect(codeOf(await signed('node', logged(), 'm'))).toBe('signature-bad');
    const house = await given(trusts('node'), { raw: await said('node') }, by('node', logged()));
    expect(house.notes()).toEqual(['signature-bad', 'applied']);
  });
});

test('all instances of a slot go to one partition', async () => {
  const partitions = await Promise.all(
    ['web-0', 'web-1', 'web-2'].map(async (name) =>
      partitionOfInstance(tools.text, await startRecord('node', name)),
    ),
  );
  expect(new Set(partitions).size).toBe(1);
  const elsewhere = await said('node', { slot: place('staging') });
  expect(partitionOfInstance(tools.text, elsewhere)).toBeLessThan(12);
});
