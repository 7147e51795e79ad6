import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { by, trusts } from '../../support/given.ts';
import { changed, planned, policySet } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const anyPolicy = '"policies":[{"component":"*","environment":"*"}],"version":2';
const closing = (closed: string): string => `{"closed":${closed},${anyPolicy}}`;

const deskClosed = (closed: string, options: DeskOptions = {}): Promise<Desk> =>
  openDesk({
    folder: join(scratch, randomUUID()),
    steps: [
      trusts('ops', { roles: ['operator'] }),
      by('ops', policySet(closing(closed)), { marker: 'the one that counts' }),
    ],
    ...options,
  });

const call = (word: string, environment: string, component = 'checkout'): readonly string[] => [
  ...['release', word, '--target-version=1'],
  ...[`--environment-name=${environment}`, `--component-name=${component}`],
];

test.each([
  ['plan', false],
  ['plan', true],
  ['log', false],
  ['log', true],
] as const)(
  'release %s (through a gateway: %s) opens no name that the policy does not list',
  async (word, isRemote) => {
    const desk = await deskClosed('{"environments":["production","review/*"]}', { isRemote });
    const before = (await desk.house.records()).length;
    const slip = await desk.plimsoll(...call(word, 'prodution'));
    expect(slip.exit).toBe(3);
    expect(slip.err).toEqual([
      'plimsoll: the policy at position 3 knows no environment "prodution" [name-closed]',
      expect.stringMatching(
        /^ +did you mean "production"\? Else have it added to closed\.environments; plimsoll policy show 3 shows the list$/,
      ),
    ]);
    expect(await desk.house.records()).toHaveLength(before);
    expect((await desk.plimsoll(...call(word, 'production'))).exit).toBe(0);
    expect((await desk.plimsoll(...call('log', 'review/cart', 'any'))).exit).toBe(0);
  },
);

test.each([
  ['incident', 'incident-opened', 'open', 'resolve'],
  ['migration', 'migration-started', 'start', 'finish'],
] as const)(
  'what was begun before the list was closed may be ended: %s',
  async (what, kind, begin, end) => {
    const desk = await openDesk({
      folder: join(scratch, randomUUID()),
      steps: [
        trusts('ops', { roles: ['operator', 'emitter'] }),
        by('ops', changed(kind, 'INC-7')),
        by('ops', policySet(closing('{"environments":["staging"]}'))),
      ],
    });
    const place = ['--environment-name=production', '--component-name=checkout'];
    expect((await desk.plimsoll(what, begin, 'INC-8', ...place)).exit).toBe(3);
    const ended = await desk.plimsoll(what, end, 'INC-7', ...place, '--json');
    expect([ended.exit, ended.out.join('\n')]).toEqual([
      0,
      expect.not.stringContaining('unmatched'),
    ]);
  },
);

test.each([
  ['change flag', ['change', 'flag', 'new-basket', '--to-version=2']],
  ['incident open', ['incident', 'open', 'INC-7']],
  ['label', ['label', 'tier:1']],
  ['emit', ['emit', 'config-changed', '--name=limits']],
])('%s names no place that the policy does not list', async (_name, args) => {
  for (const isRemote of [false, true]) {
    const desk = await deskClosed('{"environments":["production"]}', { isRemote });
    const at = (environment: string): readonly string[] => [
      ...args,
      ...[`--environment-name=${environment}`, '--component-name=checkout'],
    ];
    const slip = await desk.plimsoll(...at('prodution'));
    expect([slip.exit, slip.err[0]]).toEqual([
      3,
      'plimsoll: the policy at position 3 knows no environment "prodution" [name-closed]',
    ]);
    expect((await desk.plimsoll(...at('production'))).exit).toBe(0);
  }
});

test('a list of components closes components alone', async () => {
  const desk = await deskClosed('{"components":["checkout"]}');
  expect((await desk.plimsoll(...call('log', 'anywhere'))).exit).toBe(0);
  const other = await desk.plimsoll(...call('log', 'anywhere', 'chekout'));
  expect([other.exit, other.err[0]]).toEqual([
    3,
    'plimsoll: the policy at position 3 knows no component "chekout" [name-closed]',
  ]);
});

test('what stands on the log all the same stays there, and can be ended', async () => {
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [
      trusts('ops', { roles: ['operator'] }),
      by('local', planned('1')),
      by('ops', policySet(closing('{"environments":["elsewhere"]}'))),
    ],
  });
  const [line = '{}'] = (await desk.plimsoll('timeline', '--json')).out;
  const { deployment } = JSON.parse(line) as { readonly deployment: string };
  const end = ['release', 'update', '--status=SUCCESS', `--deployment=${deployment}`];
  expect((await desk.plimsoll(...end)).exit).toBe(0);
});

test.each([false, true])(
  'without a list a first-seen name is made, and said with the nearest (gateway: %s)',
  async (isRemote) => {
    const desk = await openDesk({ folder: join(scratch, randomUUID()), isRemote });
    const first = await desk.plimsoll(...call('plan', 'production'));
    expect([first.exit, first.err]).toEqual([0, []]);
    const slip = await desk.plimsoll(...call('log', 'prodution', 'checkouts'));
    expect(slip.exit).toBe(0);
    expect(slip.err.join(' ')).toContain(
      'environment "prodution" is used for the first time; the nearest known name is "production"',
    );
    expect(slip.err.join(' ')).toContain(
      'component "checkouts" is used for the first time; the nearest known name is "checkout"',
    );
    const again = await desk.plimsoll(...call('log', 'prodution', 'checkouts'), '--json');
    expect([again.err, jsonOf(again)['delivery']]).toEqual([[], 'stored']);
  },
);

test('a projector that folds the marker at once hides nothing of it', async () => {
  const desk = await openDesk({ folder: join(scratch, randomUUID()) });
  const beside = desk.elsewhere({
    change: (ports) => ({
      ...ports,
      atHand: async (onProgress) => {
        const opened = await ports.atHand(onProgress);
        if (!opened.ok) return opened;
        const { log } = opened.value;
        const append: typeof log.append = async (...args) => {
          const appended = await log.append(...args);
          await ports.atHand(() => undefined);
          return appended;
        };
        return { ...opened, value: { ...opened.value, log: { ...log, append } } };
      },
    }),
  });
  await beside.plimsoll(...call('log', 'production'));
  const slip = await beside.plimsoll(...call('log', 'prodution'));
  expect([slip.exit, slip.err.join(' ')]).toEqual([
    0,
    expect.stringContaining('environment "prodution" is used for the first time'),
  ]);
});
