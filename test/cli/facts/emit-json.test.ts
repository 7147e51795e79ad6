import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../../services/core/markers/kinds.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// Any marker that an emitter may sign, told in JSON.

const scratch = scratchFolder();
const place = { environment: 'production', component: 'checkout' };

const emit = async (
  told: unknown,
  ...args: readonly string[]
): Promise<{ readonly desk: Desk; readonly told: string }> => {
  const text = typeof told === 'string' ? told : JSON.stringify(told);
  const desk = await openDesk({ folder: join(scratch, randomUUID()), files: { '-': text } });
  return { desk, told: await say(desk, ...args) };
};

const say = async ({ plimsoll }: Desk, ...args: readonly string[]): Promise<string> => {
  const said = await plimsoll('emit', ...args, '--json');
  if (said.exit !== 0) {
    const { code } = JSON.parse(said.err.at(-1) ?? '{}') as { readonly code: string };
    return `${said.exit} ${code}`;
  }
  const receipt = jsonOf(said);
  expect(faultsOf('receipt', receipt)).toEqual([]);
  const { delivery, kind } = receipt as { readonly [field: string]: string | null };
  return `${delivery} ${kind}`;
};

/** What has to be told beside kind and place; updates name a deployment. */
const more: { readonly [kind: string]: object } = {
  planned: { version: '2.0.0' },
  logged: { version: '2.0.0' },
  recorded: { version: '2.0.0' },
  released: { version: '2.0.0' },
  label: { details: { labels: [{ name: 'team', value: 'payments' }] } },
  'flag-changed': { name: 'new-basket' },
  'config-changed': { name: 'limits' },
  'secret-changed': { name: 'db-password', toVersion: '4' },
  'migration-started': { name: 'add-column' },
  'migration-finished': { name: 'add-column', outcome: 'failed' },
  'incident-opened': { name: 'INC-7' },
  'incident-resolved': { name: 'INC-7' },
};

describe('emit', () => {
  test.each(Object.keys(more))(
    'takes a %s, its kind by option, by word and in the JSON',
    async (kind) => {
      const told = { ...place, ...more[kind] };
      expect((await emit(told, `--kind=${kind}`)).told).toBe(`stored ${kind}`);
      expect((await emit(told, kind, '--from-json=-')).told).toBe(`stored ${kind}`);
      expect((await emit({ ...told, kind })).told).toBe(`stored ${kind}`);
    },
  );

  test('has tried every kind that an emitter may say without a deployment before it', () => {
    const emitted = Object.entries(kinds).flatMap(([kind, { role, shape }]) =>
      role === 'emitter' && shape !== 'update' ? [kind] : [],
    );
    const gone = ['undeployed', 'support-ended'];
    expect(emitted.filter((kind) => !gone.includes(kind)).toSorted()).toEqual(
      Object.keys(more).toSorted(),
    );
  });

  test('an update is of the last plan from here, or of the one that it names', async () => {
    const { desk } = await emit({ phase: 'bake' });
    const plan = ['--environment-name=production', '--component-name=checkout'];
    await desk.plimsoll('release', 'plan', 'eu', ...plan, '--target-version=2.0.0');
    expect(await say(desk, 'phase-advanced')).toBe('4 deployment-unknown');
    await desk.plimsoll('release', 'plan', ...plan, '--target-version=2.0.0');
    expect(await say(desk, 'phase-advanced')).toBe('stored phase-advanced');
    const eu = desk.elsewhere({ files: { '-': '{"kind":"started","run":"eu"}' } });
    expect(await say(eu)).toBe('stored started');
  });

  test.each([
    ['no JSON', 'nothing', [], '2 file-invalid'],
    ['no object', [1], [], '2 file-invalid'],
    ['a kind that nobody knows', { ...place, kind: 'wondered' }, [], '2 kind-unknown'],
    [
      'two kinds',
      { ...place, kind: 'logged', version: '1' },
      ['--kind=recorded'],
      '2 field-invalid',
    ],
    ['what an operator says', { ...place, kind: 'freeze', reason: 'x' }, [], '2 kind-unknown'],
    ['what is missing', { ...place, kind: 'logged' }, [], '2 field-invalid'],
    [
      'what no schema has',
      { ...place, kind: 'logged', version: '1', colour: 'x' },
      [],
      '2 field-invalid',
    ],
    [
      'a secret',
      { ...place, kind: 'incident-opened', name: 'INC-1', reason: 'AKIAIOSFODNN7EXAMPLZ' },
      [],
      '2 secret-found',
    ],
    ['more than a marker', `{"kind":"logged","x":"${'x'.repeat(70_000)}"}`, [], '2 file-invalid'],
  ])('%s is refused, and nothing is written', async (_what, told, args, answer) => {
    const { desk, told: said } = await emit(told, ...args);
    expect(said).toBe(answer);
    expect(await desk.house.records()).toHaveLength(2);
  });
});
