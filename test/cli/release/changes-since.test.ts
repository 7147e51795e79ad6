import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGit } from '../../../services/adapters/git/git.ts';
import { changesOf, withChanges } from '../../../services/cli/release/changes-since.ts';
import type { Details } from '../../../services/core/markers/marker.ts';
import type { Git } from '../../../services/ports/git.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { gitRepository } from '../../support/git-repository.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

type Shop = { readonly desk: Desk; readonly commit: (message: string) => string };

const aShop = async (options: DeskOptions = {}): Promise<Shop> => {
  const folder = join(scratch, randomUUID());
  const { commit } = gitRepository(folder);
  const git: Git = { isHere: () => true, ...openGit(process.env, folder) };
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    git,
    repository: 'git@git.shop.example:shop/checkout.git',
    ...options,
  });
  return { desk, commit };
};

type Told = Pick<Details, 'tickets'> & { readonly changes: readonly string[] };
/** What the marker of these words says that it brings. */
const told = async ({ desk }: Shop, ...words: readonly string[]): Promise<Told> => {
  const said = await desk.plimsoll(...words, '--json');
  expect(said.exit).toBe(0);
  const shown = jsonOf(await desk.plimsoll('show', String(jsonOf(said)['deployment']), '--json'));
  const attempts = shown['attempts'] as readonly { readonly details: Partial<Details> }[];
  const { changes = [], tickets = [] } = attempts.at(-1)?.details ?? {};
  return {
    changes: changes.map(({ type, id, title }) => `${type} ${id}: ${title ?? ''}`),
    tickets,
  };
};

const log = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'log', `--target-version=${version}`],
  ...more,
];
const nothing: Told = { changes: [], tickets: [] };

describe.each([false, true])('what a version brings (through a gateway: %s)', (isRemote) => {
  test('is left out where git breaks in a way that nobody thought of', async () => {
    const shop = await aShop({
      isRemote,
      change: (ports) => ({
        ...ports,
        git: {
          ...ports.git,
          commitsBetween: () => {
            throw new RangeError('not so');
          },
        },
      }),
    });
    shop.commit('First');
    expect(await told(shop, ...log('1'))).toEqual(nothing);
    shop.commit('Second');
    expect(await told(shop, ...log('2'))).toEqual(nothing);
  });

  test('are the commits since the one that stands there, with their requests and tickets', async () => {
    const shop = await aShop({ isRemote });
    shop.commit('First');
    expect(await told(shop, ...log('1'))).toEqual(nothing);
    const second = shop.commit('Faster cart (#12)\n\nCloses SHOP-77, not SHA-256');
    const third = shop.commit('SHOP-78 and SHOP-77: prices');
    expect(await told(shop, ...log('2'))).toEqual({
      changes: [
        `commit ${third}: SHOP-78 and SHOP-77: prices`,
        `commit ${second}: Faster cart (#12)`,
        'pull-request 12: ',
      ],
      tickets: ['SHOP-78', 'SHOP-77'],
    });
  });

  test('is counted for each place by itself', async () => {
    const shop = await aShop({ isRemote });
    shop.commit('First');
    await told(shop, ...log('1', '--environment-name=staging'));
    shop.commit('Second');
    await told(shop, ...log('2', '--environment-name=staging'));
    expect(await told(shop, ...log('2', '--environment-name=production'))).toEqual(nothing);
    expect(await told(shop, ...log('2', '--environment-name=staging', '--target=eu'))).toEqual(
      nothing,
    );
  });

  test('is the same when its plan is said again, after it took the place too', async () => {
    const env = { GITHUB_ACTIONS: 'true', GITHUB_RUN_ID: '7', GITHUB_REPOSITORY: 'shop/checkout' };
    const shop = await aShop({ isRemote, env });
    shop.commit('First');
    await told(shop, ...log('1'));
    shop.commit('Second');
    const plan = ['release', 'plan', '--target-version=2'];
    const first = await told(shop, ...plan);
    expect(first.changes).toHaveLength(1);
    await shop.desk.plimsoll('release', 'update', '--status=SUCCESS');
    const again = jsonOf(await shop.desk.plimsoll(...plan, '--json'));
    expect(again).toMatchObject({ delivery: 'duplicate', code: 'repeat' });
  });

  test('is counted from a commit that was named, or not at all', async () => {
    const shop = await aShop({ isRemote });
    const first = shop.commit('First');
    const second = shop.commit('Second');
    expect(await told(shop, ...log('2', `--since=${first}`))).toMatchObject({
      changes: [`commit ${second}: Second`],
    });
    shop.commit('Third');
    expect(await told(shop, ...log('3', '--since=none'))).toEqual(nothing);
    expect(await told(shop, ...log('4', '--since=HEAD~1'))).toEqual(nothing);
  });

  test('is what was told, where somebody told it', async () => {
    const shop = await aShop({ isRemote });
    shop.commit('First');
    await told(shop, ...log('1'));
    shop.commit('SHOP-1');
    expect(await told(shop, ...log('2', '--change=commit:abc'))).toEqual({
      changes: ['commit abc: '],
      tickets: [],
    });
    shop.commit('SHOP-2');
    expect((await told(shop, ...log('3', '--ticket=CHG-9'))).tickets).toEqual(['CHG-9']);
  });

  test('is unknown where the version that stands there has no commit here', async () => {
    const shop = await aShop({ isRemote });
    shop.commit('First');
    await told(shop, ...log('1', `--commit=${'f'.repeat(40)}`));
    expect(await told(shop, ...log('2'))).toEqual(nothing);
  });
});

test('a git that hangs keeps no marker back', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const git: Git = { isHere: () => true, address: never, head: never, commitsBetween: never };
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    git,
    change: (ports) => ({
      ...ports,
      repositoryAddress: never,
      // What waits for git waits in vain; all else is done at once.
      clock: {
        ...ports.clock,
        sleep: (ms, stop) => (ms < 600 ? Promise.resolve() : ports.clock.sleep(ms, stop)),
      },
    }),
  });
  const said = await desk.plimsoll(...log('1', '--component-name=checkout', '--commit=c0ffee'));
  expect([said.exit, said.out[0]]).toEqual([0, expect.stringMatching(/^logged checkout 1 /)]);
});

describe('commits', () => {
  const commits = (...messages: readonly string[]): Parameters<typeof changesOf>[0] =>
    messages.map((message, at) => {
      const [subject = '', ...body] = message.split('\n');
      return { id: String(at), subject, body: body.join('\n') };
    });

  test.each<[what: string, message: string, requests: readonly string[]]>([
    ['GitHub merges', 'Merge pull request #12 from shop/faster', ['12']],
    ['GitHub squashes', 'Faster cart (#13)', ['13']],
    ['Azure DevOps', 'Merged PR 14: Faster cart', ['14']],
    ['Bitbucket', 'Merged in faster (pull request #15)', ['15']],
    ['GitLab', "Merge branch 'faster' into 'main'\n\nSee merge request shop/checkout!16", ['16']],
    ['a mention', 'Fixes what #12 broke', []],
  ])('name their pull requests: %s', (_what, message, requests) => {
    const { changes } = changesOf(commits(message), []);
    expect(changes.filter(({ type }) => type === 'pull-request').map(({ id }) => id)).toEqual(
      requests,
    );
  });

  test.each<[prefixes: readonly string[], message: string, tickets: readonly string[]]>([
    [[], 'SHOP-77: prices, OPS2-1', ['SHOP-77', 'OPS2-1']],
    [[], 'UTF-8 by RFC-3629, not CVE-2024-1234, x-SHOP-1 or SHOP-1x', []],
    [['#'], 'Closes #12, SHOP-77', ['#12']],
    [['SHOP-', 'CHG'], 'SHOP-77 CHG0031 OPS-1', ['SHOP-77', 'CHG0031']],
  ])('name their tickets (%j): %s', (prefixes, message, tickets) => {
    expect(changesOf(commits(message), prefixes).tickets).toEqual(tickets);
  });

  test('have secrets written over, and titles on one line', () => {
    const key = ['AKIA', 'Z7QW3ERTYU8IOPAS'].join('');
    const { changes } = changesOf(commits(`Remove ${key}\u001b[2J`, 'x'.repeat(5000)), []);
    expect(JSON.stringify(changes)).not.toContain(key);
    expect(changes.map(({ title }) => (title ?? '').length)).toEqual([expect.any(Number), 120]);
    expect(changes[0]?.title).not.toContain('\u001b');
  });

  test('are capped, and leave room for what was given', () => {
    const many = Array.from({ length: 50 }, (_, at) => `Merge pull request #${at}\nSHOP-${at}`);
    const changes = changesOf(commits(...many), []);
    expect([changes.changes.length, changes.tickets.length]).toEqual([70, 20]);
    const given = Array.from({ length: 190 }, (_, at) => ({
      type: 'commit',
      id: `g${at}`,
      title: null,
      url: null,
    }));
    const details = { changes: given, tickets: [] } as unknown as Details;
    expect(withChanges(details, changes).changes).toHaveLength(200);
  });
});
