import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendOperation } from '../../../services/cli/operate/append-operation.ts';
import { createMemoryIds } from '../../../services/adapters/memory/ids.ts';
import type { CliPorts } from '../../../services/cli/ports.ts';
import { fail, ok } from '../../../services/core/result.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import { loadState } from '../../../services/projector/project.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import { openDesk } from '../../support/desk.ts';
import { openGatewayHouse } from '../../support/gateway.ts';
import { by, keyOf, openedAtMs, tools, trusts } from '../../support/given.ts';
import { operated } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

describe('plimsoll operations', () => {
  const aLog = () =>
    openDesk({
      folder: join(scratch, randomUUID()),
      steps: [
        trusts('ops', { roles: ['operator'] }),
        by('ops', operated('retention-set', { environment: 'pr-*', days: 14 })),
        by('ops', operated('generation-switched', { generation: 'g2', to: 4, note: 'from g1' })),
      ],
    });

  test('lists who did what, and why: at hand as through a gateway', async () => {
    const desk = await aLog();
    const atHand = await desk.plimsoll('operations', '--json');
    const lines = atHand.out.map((line) => JSON.parse(line) as object);
    expect(lines.flatMap((line) => faultsOf('operation', line))).toEqual([]);
    expect(lines).toMatchObject([
      { position: 3, kind: 'retention-set', environment: 'pr-*', days: 14, signer: 'ops' },
      {
        position: 4,
        kind: 'generation-switched',
        generation: 'g2',
        reason: 'the test asks for it',
      },
    ]);
    const through = await desk.elsewhere({ isRemote: true }).plimsoll('operations', '--json');
    expect(through.out).toEqual(atHand.out);
  });

  test('tells people what they were about', async () => {
    const { out } = await (await aLog()).plimsoll('operations');
    expect(out.map((line) => line.trimEnd())).toEqual([
      'POSITION  AT (UTC)              KIND                 SIGNER  ABOUT                          REASON',
      '3         2026-11-21 10:00:00Z  retention-set        ops     pr-*; 14 days                  the test asks for it',
      '4         2026-11-21 10:00:00Z  generation-switched  ops     g2; up to position 4; from g1  the test asks for it',
    ]);
  });

  test('says so where there are none', async () => {
    const said = await (
      await openDesk({ folder: join(scratch, randomUUID()) })
    ).plimsoll('operations');
    expect([said.exit, said.out, said.err]).toEqual([0, [], ['plimsoll: no operations']]);
  });
});

describe('an operation of the command line', () => {
  const nowMs = (): number => openedAtMs;
  const ports: Pick<CliPorts, 'settings' | 'host' | 'clock' | 'ids' | 'tools' | 'keys'> = {
    settings: value(parseSettings({})),
    host: 'desk',
    clock: { nowMs, sleep: async () => undefined },
    ids: createMemoryIds('operations', nowMs),
    tools,
    keys: {
      read: async (path) => ok(keyOf(path.replace(/^keys\/|\.json$/g, ''))),
      readPublic: async () => fail({ code: 'key-file-missing', message: '', hint: '' }),
      create: async () => fail({ code: 'key-file-missing', message: '', hint: '' }),
      pathOf: (name) => `keys/${name}.json`,
    },
  };
  const trustOf = async (name: string, roles: readonly ['operator'] | readonly ['emitter']) => {
    const opened = await openGatewayHouse([trusts(name, { roles })]);
    await opened.project();
    const state = value(await loadState({ store: opened.store, tools }, 'g1'));
    if (state === undefined) throw new Error('nothing was folded');
    return { log: opened.log, trust: state.trust, records: opened.records };
  };

  test('is signed, appended, and answered with its position', async () => {
    const { log, trust, records } = await trustOf('ops', ['operator']);
    const appended = await appendOperation(
      ports,
      { log, trust },
      { kind: 'generation-dropped', reason: 'no longer needed', generation: 'g1' },
      'ops.json',
    );
    expect(value(appended)).toMatchObject({ kind: 'generation-dropped', position: 2, behind: [] });
    expect(await records()).toHaveLength(3);
  });

  test('is the same marker when nobody knows whether it was stored', async () => {
    const { log, trust, records } = await trustOf('ops', ['operator']);
    let lost = 1;
    const lossy: RecordLog = {
      ...log,
      append: async (partition, sent) => {
        const appended = await log.append(partition, sent);
        return lost-- > 0 ? fail({ code: 'unknown', message: 'no answer' }) : appended;
      },
    };
    const draft = { kind: 'retention-set', reason: 'why', environment: 'pr-*', days: 1 } as const;
    expect((await appendOperation(ports, { log: lossy, trust }, draft, 'ops.json')).ok).toBe(true);
    const [, , first, second] = await records();
    expect(first?.value).toEqual(second?.value);
  });

  test.each([
    [
      'emitter',
      { kind: 'retention-set', reason: 'why', environment: 'pr-*', days: 1 },
      'role-missing',
    ],
    [
      'operator',
      { kind: 'retention-set', reason: '', environment: 'pr-*', days: 1 },
      'field-invalid',
    ],
    ['operator', { kind: 'retention-set', reason: 'why', environment: 'pr-*' }, 'field-invalid'],
  ] as const)(
    'of the role %s: %j is refused as %s, and nothing is written',
    async (role, draft, code) => {
      const { log, trust, records } = await trustOf('ops', [role] as ['operator']);
      const refused = await appendOperation(ports, { log, trust }, draft, 'ops.json');
      expect(refused).toMatchObject({ ok: false, problem: { code } });
      expect(await records()).toHaveLength(2);
    },
  );
});
