import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../services/cli/commands.ts';
import { flagsOfKind, tellableKinds } from '../../../services/cli/facts/emit-flags.ts';
import {
  commandsWithFlags,
  kindHelp,
  shapeFields,
} from '../../../services/cli/main/emit-command.ts';
import { parseCommandLine } from '../../../services/cli/terminal/arguments.ts';
import { withDefaults } from '../../../services/cli/terminal/defaults.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { value } from '../../support/records.ts';

// Flags of `emit`, made from the schemas. That they say what JSON says is a law: emit-flags.property.test.ts.

const scratch = scratchFolder();
const kinds = tellableKinds();
const place = ['--environment=production', '--component=checkout'];

const desk = (json?: object): Promise<Desk> =>
  openDesk({
    folder: join(scratch, randomUUID()),
    ...(json === undefined ? {} : { files: { '-': JSON.stringify(json) } }),
  });

/** Code, message and hint of a line that is refused with exit code 2. */
const refusal = async (json: object | undefined, ...args: readonly string[]): Promise<string> => {
  const said = await (await desk(json)).plimsoll('emit', ...args, '--json');
  expect(said.exit).toBe(2);
  const { code, message, hint } = JSON.parse(said.err.at(-1) ?? '{}') as {
    readonly [part: string]: string;
  };
  return `${code}: ${message} | ${hint}`;
};

/** What has to be said before a kind can be. */
const earlier: { readonly [kind: string]: readonly string[] } = {
  undeployed: ['recorded', '--version=2.0.0'],
  'support-ended': ['released', '--version=2.0.0'],
  'migration-finished': ['migration-started', '--name=add-column'],
  'incident-resolved': ['incident-opened', '--name=INC-7'],
};

/** Words of a shell line without quotes. */
const argsOf = (line: string): readonly string[] => line.trim().split(' ').slice(1);

describe.each(kinds)('plimsoll emit --kind=%s --help', (kind) => {
  const help = kindHelp('emit', ['emit', `--kind=${kind}`, '--help']) ?? '';
  const lines = help.split('\n');

  test('fits on one screen, and names every flag', () => {
    expect(lines.length).toBeLessThanOrEqual(50);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    for (const { name } of flagsOfKind(kind, shapeFields())) expect(help).toContain(`  --${name}`);
  });

  test('has an example with all that is required, which is taken', async () => {
    const example = argsOf(lines.find((line) => line.startsWith('  plimsoll emit')) ?? '');
    const { plimsoll } = await desk();
    if (example.includes('--run=default'))
      await plimsoll('release', 'plan', '--component-name=shop', '--target-version=2.0.0');
    const before = earlier[kind];
    if (before !== undefined) await plimsoll('emit', ...before, '--component=shop');
    const said = await plimsoll(...example, '--json');
    expect([example, said.err]).toEqual([example, []]);
    expect(jsonOf(said)).toMatchObject({ kind, code: null });
  });

  test('is found by each way to ask for it', () => {
    expect(kindHelp('emit', ['emit', kind, '--help'])).toBe(help);
    expect(kindHelp('emit', ['emit', '--help', '--kind', kind])).toBe(help);
    expect(kindHelp(`emit ${kind}`, ['help', 'emit', kind])).toBe(help);
  });
});

test('what no emitter says has no help of its own', () => {
  for (const kind of ['freeze', 'promote', 'wondered', '']) {
    expect(kindHelp('emit', ['emit', `--kind=${kind}`])).toBeUndefined();
    expect(kindHelp(`emit ${kind}`, [])).toBeUndefined();
  }
});

test('a flag means one thing: in its kind, in all kinds, and beside the options of emit', () => {
  const own = commands.find(({ name }) => name === 'emit')?.options.map(({ name }) => name) ?? [];
  const forms = new Map<string, string>();
  for (const kind of kinds) {
    const flags = flagsOfKind(kind, shapeFields());
    const names = [...own, ...flags.flatMap(({ name, others = [] }) => [name, ...others])];
    expect(new Set(names).size).toBe(names.length);
    for (const { name, value: form, isRepeatable } of flags) {
      const told = JSON.stringify([form === null, isRepeatable === true]);
      expect([name, forms.get(name) ?? told]).toEqual([name, told]);
      forms.set(name, told);
    }
  }
});

describe('emit with flags', () => {
  test('takes numbers, shares in per cent, pairs and JSON, in whole names and short ones', async () => {
    const { plimsoll } = await desk();
    const said = await plimsoll(
      ...['emit', 'planned', '--slot.environment=production', '--component', 'checkout'],
      ...['--version=2.0.0', '--strategy=canary', '--canary-share=25%', '--rollback'],
      ...[
        '--details.labels=team=payments',
        '--labels=a=b=c',
        '--labels=tier:1',
        '--tickets=CHG-1',
        '--tickets=CHG-2',
      ],
      ...['--changes={"type":"commit","id":"9c1f0de"}', '--occurred-at=2026-01-02T03:04:05Z'],
      '--json',
    );
    expect(said.err).toEqual([]);
    const { deployment } = jsonOf(said) as { readonly deployment: string };
    const [line] = (await plimsoll('show', deployment, '--json')).out;
    const { attempts } = JSON.parse(line ?? '{}') as { readonly attempts: readonly unknown[] };
    expect(attempts[0]).toMatchObject({
      environment: 'production',
      component: 'checkout',
      version: '2.0.0',
      rollback: true,
      canaryShare: 0.25,
    });
  });

  test.each([
    ['where the flags tell all', ['logged', ...place, '--version=1'], 0],
    ['for a kind that is none', ['nope'], 2],
  ])('reads no standard input %s', async (_what, args, exit) => {
    const { plimsoll } = await openDesk({
      folder: join(scratch, randomUUID()),
      change: (ports) => ({
        ...ports,
        readPieces: () => {
          throw new TypeError('nobody writes there');
        },
      }),
    });
    expect((await plimsoll('emit', ...args)).exit).toBe(exit);
  });

  test('labels may have a colon, as everywhere', async () => {
    const { plimsoll } = await desk();
    await plimsoll(
      'emit',
      'label',
      ...place,
      '--labels=tier:1',
      '--labels=a:b=c',
      '--labels=c=d:e',
    );
    const [line] = (await plimsoll('changes', '--json')).out;
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      labels: [
        { name: 'tier', value: '1' },
        { name: 'a', value: 'b=c' },
        { name: 'c', value: 'd:e' },
      ],
    });
  });

  test('is worth more than the JSON beside it', async () => {
    const { plimsoll } = await desk({
      kind: 'logged',
      slot: { environment: 'staging', component: 'checkout' },
      version: '1.0.0',
    });
    const told = ['--environment=production', '--version=2.0.0'];
    expect((await plimsoll('emit', '--from-json=-', ...told)).exit).toBe(0);
    expect(JSON.parse((await plimsoll('current', '--json')).out[0] ?? '{}')).toMatchObject({
      environment: 'production',
      component: 'checkout',
      version: '2.0.0',
    });
  });

  test('is told what it may have meant', async () => {
    expect(await refusal({}, 'logged', '--compnent=shop')).toBe(
      'option-unknown: plimsoll emit has no option "--compnent" | did you mean --component?',
    );
    expect(await refusal({}, 'logged', '--detail.commit=9c1f')).toContain(
      'did you mean --details.commit?',
    );
    expect(await refusal({}, 'loged', ...place)).toContain('did you mean logged?');
    expect(await refusal({}, 'logged', '--phase=bake')).toBe(
      'option-unknown: plimsoll emit --kind=logged has no option --phase | plimsoll emit --kind=logged --help lists them',
    );
    expect(await refusal(undefined, ...place)).toContain('kind-unknown: no kind is named');
    expect(await refusal({}, 'nope')).toContain('kind-unknown: "nope" is no kind');
    expect(await refusal({}, 'log-opened')).toContain('kind-unknown: "log-opened" is no kind');
    expect(await refusal({}, 'logged', '--kind=recorded', ...place)).toContain('two kinds');
  });

  test.each([
    ['a share that is none', 'planned', '--canary-share=some', 'write a number'],
    ['a pair without =', 'logged', '--links=run', 'NAME=VALUE'],
    ['a pair without a value', 'logged', '--labels=team=', 'NAME=VALUE'],
    ['parts that are no JSON', 'logged', '--changes=commit', '{"type": "…", "id": "…"'],
    ['JSON that ends too soon', 'logged', '--labels={"name"', '{"name": "…", "value": "…"}'],
    ['a time that is none', 'logged', '--occurred-at=yesterday', ''],
    ['an outcome that no migration has', 'migration-finished', '--outcome=well', ''],
  ])('%s is refused', async (_what, kind, flag, hint) => {
    const more = kind === 'migration-finished' ? '--name=add-column' : '--version=1';
    const said = await refusal(undefined, kind, ...place, more, flag);
    expect(said).toMatch(/^(?:option|field)-invalid: /);
    expect(said).toContain(hint);
  });

  test('takes a run or an id, not both', async () => {
    const both = ['--run=eu', '--deployment=019333b7-7d1e-7a2b-8c3d-123456789abc'];
    expect(await refusal(undefined, 'started', ...both)).toContain('two names for one thing');
  });

  test('what a settings file says is not told beside JSON', () => {
    const request = value(parseCommandLine(['emit', 'logged', '--version=1'], commandsWithFlags()));
    if (request.ask !== 'run') throw new TypeError('no command');
    const { command, given } = request;
    const defaults = { 'component-name': { value: 'shop', line: 1 } };
    expect(withDefaults(command, given, defaults).has('component')).toBe(false);
  });
});
