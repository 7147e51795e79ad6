import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { by, trusts } from '../../support/given.ts';
import { planned, policySet, run } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const document =
  '{"policies":[{"component":"*","environment":"production","require":["owner","tickets","digest"]}],"version":2}';

const aDesk = (options: DeskOptions = {}): Promise<Desk> =>
  openDesk({
    folder: join(scratch, randomUUID()),
    steps: [
      trusts('ops', { roles: ['operator'] }),
      by('ops', policySet('{"policies":[],"version":2}'), { marker: 'an earlier one' }),
      by('ops', policySet(document), { marker: 'the one that counts' }),
    ],
    ...options,
  });

const place = ['--environment-name=production', '--component-name=checkout'];
const artifact = `--digest=sha256:${'a'.repeat(64)}`;

test.each([
  ['plan', false],
  ['plan', true],
  ['log', false],
  ['log', true],
] as const)(
  'release %s (through a gateway: %s) is refused without what the policy requires',
  async (word, isRemote) => {
    const desk = await aDesk({ isRemote });
    const before = (await desk.house.records()).length;
    const command = ['release', word, ...place, '--target-version=2.0.0'];
    const said = await desk.plimsoll(...command, artifact);
    expect(said.exit).toBe(3);
    expect(said.err).toEqual([
      'plimsoll: the policy at position 4 requires owner, tickets of what is deployed to production (component checkout) [fields-required]',
      expect.stringMatching(
        /^ +give --owner, --ticket; plimsoll policy show 4 shows what is required$/,
      ),
    ]);
    expect(await desk.house.records()).toHaveLength(before);
    const whole = [...command, artifact, '--owner=payments', '--ticket=CHG-7'];
    expect((await desk.plimsoll(...whole)).exit).toBe(0);
    expect(await desk.house.records()).toHaveLength(before + 1);
  },
);

test('elsewhere nothing is required', async () => {
  const desk = await aDesk();
  const staging = ['--environment-name=staging', '--component-name=checkout'];
  const said = await desk.plimsoll('release', 'plan', ...staging, '--target-version=2.0.0');
  expect(said.exit).toBe(0);
});

test.each([false, true])(
  'what stands on the log all the same counts, and show says what it lacks (gateway: %s)',
  async (isRemote) => {
    const desk = await openDesk({
      folder: join(scratch, randomUUID()),
      isRemote,
      steps: [
        trusts('ops', { roles: ['operator'] }),
        by('ops', policySet(document), { marker: 'the one that counts' }),
        by('ci', planned('2.0.0')),
        by('ops', policySet('{"policies":[],"version":2}'), { marker: 'a later one' }),
      ],
    });
    const shown = await desk.plimsoll('show', run('7'));
    expect(shown.exit).toBe(0);
    expect(shown.out.join('\n')).toContain('checkout 2.0.0 to production, planned');
    expect(shown.err.join('\n')).toContain(
      'attempt 1 lacks owner, tickets, digest, which the policy at position 3 requires',
    );
    expect((await desk.plimsoll('show', run('7'), '--json')).out).toHaveLength(1);
  },
);
