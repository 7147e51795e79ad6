import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ciNames } from '../../../services/cli/init/ci-snippets.ts';
import { parseSettingsFile } from '../../../services/core/settings-file.ts';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { plimsoll as plimsollIn } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

const repository = async (
  files: readonly string[] = [],
): Promise<Desk & { readonly folder: string; readonly read: (path: string) => string }> => {
  const folder = join(scratch, randomUUID());
  mkdirSync(join(folder, '.git'), { recursive: true });
  for (const path of files) mkdirSync(join(folder, path), { recursive: true });
  const desk = await openDesk({ folder, repository: 'git@github.com:shop/checkout.git' });
  return { ...desk, folder, read: (path) => readFileSync(join(folder, path), 'utf8') };
};

const messages = ({ out }: Pick<Said, 'out'>): { readonly [check: string]: string } =>
  Object.fromEntries(
    out.map((line) => {
      const told = JSON.parse(line) as { readonly check: string; readonly message: string };
      expect(faultsOf('doctor-check', told)).toEqual([]);
      return [told.check, told.message];
    }),
  );

const all = ciNames.map((name) => `--ci=${name}`);

describe('plimsoll init', () => {
  test('writes the settings, the deploy script and the snippet of the CI that it finds', async () => {
    const { plimsoll, read, folder } = await repository(['.github/workflows']);
    const told = messages(await plimsoll('init', '--json'));
    expect(told).toMatchObject({
      'plimsoll.yaml': 'written',
      '.plimsoll/deploy.sh': 'written',
      '.plimsoll/github-actions.yml': 'written',
      component: 'checkout, unless --component-name says otherwise',
    });
    expect(told['.plimsoll/circleci.yml']).toBeUndefined();
    expect(parseSettingsFile(read('plimsoll.yaml'))).toMatchObject({
      value: { defaults: { 'component-name': { value: 'checkout' } } },
    });
    expect(statSync(join(folder, '.plimsoll/deploy.sh')).mode & 0o111).toBe(0o111);
  });

  test('called again changes nothing, and leaves alone what somebody changed', async () => {
    const { plimsoll, read, folder } = await repository();
    await plimsoll('init', ...all);
    const before = read('.plimsoll/circleci.yml');
    expect(messages(await plimsoll('init', ...all, '--json'))).toMatchObject({
      '.plimsoll/deploy.sh': 'is there already',
      '.plimsoll/circleci.yml': 'is there already',
    });
    writeFileSync(join(folder, '.plimsoll/circleci.yml'), 'mine: true\n');
    writeFileSync(join(folder, 'plimsoll.yaml'), 'audience: shop\n');
    await plimsoll('init', ...all);
    expect(read('.plimsoll/circleci.yml')).toBe('mine: true\n');
    await plimsoll('init', ...all, '--force');
    expect(read('.plimsoll/circleci.yml')).toBe(before);
    expect(read('plimsoll.yaml')).toBe('audience: shop\n');
  });

  test('checks the settings that it wrote, not those before', async () => {
    const folder = join(scratch, randomUUID());
    mkdirSync(folder);
    const ran = await plimsollIn(folder, ['init', '--component-name=checkout', '--json']);
    const told = messages({ out: ran.out.trim().split('\n') });
    expect(told['settings']).toContain(join(folder, 'plimsoll.yaml'));
  });

  test('with --dry-run writes nothing', async () => {
    const { plimsoll, folder } = await repository();
    const told = messages(await plimsoll('init', '--dry-run', '--json'));
    expect(told['.plimsoll/deploy.sh']).toBe('would be written');
    expect(existsSync(join(folder, '.plimsoll'))).toBe(false);
  });

  test.each([
    ['that leads nowhere yet', '.plimsoll/deploy.sh', 'outside.sh', []],
    ['to a file outside, with --force', '.plimsoll/deploy.sh', 'there.sh', ['--force']],
    ['in the place of the settings file', 'plimsoll.yaml', 'outside.yaml', ['--force']],
    ['in the place of the folder', '.plimsoll', '.', ['--force']],
  ])('does not write through a link %s', async (_what, path, target, args) => {
    const { plimsoll, folder } = await repository();
    const outside = join(scratch, randomUUID());
    mkdirSync(outside);
    writeFileSync(join(outside, 'there.sh'), 'mine');
    if (path.includes('/')) mkdirSync(join(folder, '.plimsoll'));
    symlinkSync(join(outside, target), join(folder, path));
    await plimsoll('init', '--ci=bash', ...args);
    expect(readdirSync(outside)).toEqual(['there.sh']);
    expect(readFileSync(join(outside, 'there.sh'), 'utf8')).toBe('mine');
  });

  test('leaves no half of a file behind, and begins without a key', async () => {
    const { elsewhere, folder } = await repository();
    const begun = await elsewhere({
      env: { PLIMSOLL_KEY: 'keys/missing.json' },
    }).plimsoll('init', '--json');
    expect(begun.exit).toBe(0);
    expect(messages(begun)['key']).toContain('missing.json');
    expect(readdirSync(join(folder, '.plimsoll'))).toEqual(['deploy.sh', 'gate.sh']);
  });

  test('asks nobody: nothing is appended', async () => {
    const { plimsoll, house } = await repository();
    const before = (await house.records()).length;
    await plimsoll('init');
    expect((await house.records()).length).toBe(before);
  });

  test('names a key for each environment, with commands that are taken', async () => {
    const { plimsoll } = await repository();
    const said = await plimsoll('init', '--environment-name=eu', '--environment-name=us', '--json');
    const keys = said.out
      .map((line) => JSON.parse(line) as { readonly check: string; readonly hint: string })
      .filter(({ check }) => check.startsWith('key of '));
    expect(keys.map(({ check }) => check)).toEqual(['key of eu', 'key of us']);
    for (const { hint } of keys)
      for (const command of hint.split('; '))
        expect([command, parseArguments(command.split(' ').slice(1))]).toMatchObject([
          command,
          { ok: true },
        ]);
  });

  test.each([
    ['a name that a shell would read', ['--component-name=a;rm'], 'cannot stand in a snippet'],
    ['a CI that is not known', ['--ci=travis'], 'is not known here'],
    ['a recipe that is not known', ['--recipe=nomad'], 'is not known here'],
  ])('refuses %s', async (_what, args, message) => {
    const { plimsoll, folder } = await repository();
    const said = await plimsoll('init', ...args);
    expect(said.exit).toBe(2);
    expect(said.err.join('')).toContain(message);
    expect(existsSync(join(folder, '.plimsoll'))).toBe(false);
  });
});

describe('the snippets', () => {
  test('deploy to each environment after the one before, each with its own key', async () => {
    const { plimsoll, read } = await repository();
    await plimsoll('init', ...all);
    const circleci = parse(read('.plimsoll/circleci.yml')) as {
      workflows: { deploy: { jobs: readonly { deploy: object }[] } };
    };
    expect(circleci.workflows.deploy.jobs.map(({ deploy }) => deploy)).toEqual([
      { name: 'deploy-staging', environment: 'staging', context: ['plimsoll-staging'] },
      {
        name: 'deploy-production',
        environment: 'production',
        context: ['plimsoll-production'],
        requires: ['deploy-staging'],
      },
    ]);
    expect(parse(read('.plimsoll/github-actions.yml'))).toMatchObject({
      permissions: { contents: 'read' },
      jobs: {
        'deploy-staging': {
          environment: 'staging',
          // A variable of the repository is none of the job's before it is handed to it.
          steps: expect.arrayContaining([
            {
              run: '.plimsoll/install.sh',
              env: { MARKER_PACKAGE: '${{ vars.MARKER_PACKAGE }}' },
            },
          ]),
        },
        'deploy-production': { environment: 'production', needs: 'deploy-staging' },
      },
    });
    expect(parse(read('.plimsoll/gitlab-ci.yml'))).toMatchObject({
      'deploy-production': { environment: 'production', needs: ['deploy-staging'] },
    });
    expect(read('.plimsoll/Jenkinsfile')).toContain("credentialsId: 'plimsoll-production'");
  });

  test('call the deploy script in one way', async () => {
    const { plimsoll, read } = await repository();
    await plimsoll('init', ...all);
    for (const path of ['circleci.yml', 'github-actions.yml', 'gitlab-ci.yml', 'Jenkinsfile'])
      expect(read(`.plimsoll/${path}`)).toMatch(
        /\.plimsoll\/deploy\.sh (?:\w+|<< parameters\.environment >>) "\$\w+" -- \.\/deploy\.sh /,
      );
  });

  test('end with a canary and its gate for the last environment, commented out', async () => {
    const { plimsoll, read } = await repository();
    await plimsoll('init', ...all);
    const commented = (path: string): unknown => {
      const lines = read(path).trimEnd().split('\n');
      const from = lines.findLastIndex((line) => !line.startsWith('#')) + 1;
      const text = lines.slice(from).map((line) => line.slice(2));
      return parse(text.slice(text.indexOf('') + 1).join('\n'));
    };
    const gate = '.plimsoll/gate.sh production --wait=30m';
    const commands = {
      PROMOTE: './promote.sh production',
      ROLL_BACK: './roll-back.sh production',
    };
    expect(commented('.plimsoll/gitlab-ci.yml')).toMatchObject({
      'canary-production': { needs: ['deploy-staging'], variables: { LEAVE_RUNNING: '1' } },
      'gate-production': {
        environment: 'production',
        needs: ['canary-production'],
        variables: commands,
        script: [gate],
      },
    });
    expect(commented('.plimsoll/github-actions.yml')).toMatchObject({
      jobs: {
        'canary-production': { environment: 'production', needs: 'deploy-staging' },
        'gate-production': {
          environment: 'production',
          needs: 'canary-production',
          steps: expect.arrayContaining([
            { run: gate, env: { MARKER_KEY: '${{ secrets.MARKER_KEY }}', ...commands } },
          ]),
        },
      },
    });
    expect(commented('.plimsoll/circleci.yml')).toMatchObject({
      jobs: { canary: { environment: { LEAVE_RUNNING: '1' } }, gate: {} },
      workflows: {
        deploy: {
          jobs: [
            { canary: { name: 'canary-production', requires: ['deploy-staging'] } },
            { gate: { context: ['plimsoll-production'], requires: ['canary-production'] } },
          ],
        },
      },
    });
    expect(read('.plimsoll/Jenkinsfile')).toContain(
      `//       withEnv(['PROMOTE=./promote.sh production', 'ROLL_BACK=./roll-back.sh production']) {`,
    );
  });
});
