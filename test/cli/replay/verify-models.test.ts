import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { VerifierStatus } from '../../../services/ports/verifying.ts';
import { ok } from '../../../services/core/result.ts';
import { measureVerifier } from '../../../services/replay/verify-measurements.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { by } from '../../support/given.ts';
import { logged, planned, succeeded } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { plant } from '../../support/verifier.ts';

const scratch = scratchFolder();

const aDesk = async (change?: DeskOptions['change']): Promise<Desk> => {
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [by('ci', logged('1.0.0')), by('ci', planned()), by('ci', succeeded())],
    ...(change === undefined ? {} : { change }),
  });
  // Any reader folds what is new.
  await desk.plimsoll('current');
  return desk;
};

const lineOf = ({ out }: Said): { readonly [field: string]: unknown } => {
  const line = JSON.parse(out[0] ?? 'null') as { readonly [field: string]: unknown };
  expect(faultsOf('verification', line)).toEqual([]);
  return line;
};
const codeIn = ({ err }: Said): unknown =>
  (JSON.parse(err.at(-1) ?? 'null') as { code: string }).code;

describe('verify-models', () => {
  test('ends with 0 where the read models are what the log says', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll('verify-models', '--json');
    expect([said.exit, said.err]).toEqual([0, []]);
    expect(lineOf(said)).toMatchObject({
      generation: 'g1',
      divergent: 0,
      divergences: [],
      digest: { isEqual: true },
      isCut: false,
    });
    const { out } = await desk.plimsoll('verify-models', '--full');
    expect(out[0]).toMatch(
      /^g1: all \d+ rows are what the log says up to position 6, and the digest is [0-9a-f]{12}… \(in \d+ ms\)$/,
    );
  });

  test('ends with 3 where a row is not, and names it', async () => {
    const desk = await aDesk();
    await plant(desk.house.store, [
      { model: 'timeline', key: '000000000003', value: null },
      { model: 'environment', key: 'moon', value: '{"lastPosition":4}' },
    ]);
    const said = await desk.plimsoll('verify-models', '--json');
    expect([said.exit, codeIn(said)]).toEqual([3, 'models-divergent']);
    expect(lineOf(said)).toMatchObject({
      divergent: 2,
      divergences: [
        { why: 'extra', model: 'environment', key: 'moon', position: 4, expected: null },
        { why: 'missing', model: 'timeline', key: '000000000003', position: 3, stored: null },
      ],
    });
    const people = await desk.plimsoll('verify-models');
    expect(people.exit).toBe(3);
    expect(people.out.slice(1, 3)).toEqual([
      '  extra: environment moon (newest record 4)',
      '  missing: timeline 000000000003 (newest record 3)',
    ]);
    expect(people.out[3]).toMatch(
      /^the digest rolled along is that of the log, although rows differ: somebody wrote to the store past the projector \([0-9a-f]{32}\)$/,
    );
  });

  test('ends with 3 where the digest alone is wrong', async () => {
    const desk = await aDesk();
    await plant(desk.house.store, [], 'f'.repeat(32));
    const said = await desk.plimsoll('verify-models', '--json');
    expect([said.exit, codeIn(said)]).toEqual([3, 'models-divergent']);
    expect(lineOf(said)).toMatchObject({ divergent: 0, digest: { isEqual: false } });
  });

  test('shows what it finds and never what that would do to a terminal', async () => {
    const desk = await aDesk();
    await plant(desk.house.store, [{ model: 'environment', key: '\u001b[2J', value: '{}' }]);
    const { out } = await desk.plimsoll('verify-models');
    expect(out[1]).toBe(String.raw`  extra: environment \u001b[2J`);
  });

  test.each([
    [['--generation=g9'], 4, 'not-found'],
    [['--every=1h'], 2, 'option-invalid'],
    [['--follow', '--every=1d'], 2, 'option-invalid'],
    [['--follow', '--every=1s'], 2, 'option-invalid'],
  ])('given %j ends with %i: %s', async (args, exit, code) => {
    const said = await (await aDesk()).plimsoll('verify-models', ...args, '--json');
    expect([said.exit, codeIn(said)]).toEqual([exit, code]);
  });

  test('is for where the log is at hand', async () => {
    const said = await (
      await aDesk()
    )
      .elsewhere({ isRemote: true })
      .plimsoll('verify-models', '--json');
    expect([said.exit, codeIn(said)]).toEqual([2, 'not-through-gateway']);
  });

  test('that follows does not wait an hour where there was nothing to look at yet', async () => {
    const stopping = new AbortController();
    const slept: number[] = [];
    const desk = await aDesk((ports) => ({
      ...ports,
      stop: stopping.signal,
      verifying: async () => {
        const { open, current } = value(await ports.verifying());
        // Nobody has folded anything before the first sleep.
        return ok({ open, current: async () => (slept.length === 0 ? ok(undefined) : current()) });
      },
      clock: {
        ...ports.clock,
        sleep: async (ms) => {
          slept.push(ms);
          if (slept.length === 2) stopping.abort();
        },
      },
    }));
    const said = await desk.plimsoll('verify-models', '--follow', '--every=1h', '--json');
    expect([said.exit, said.out.length]).toEqual([0, 1]);
    expect(slept).toEqual([10_000, 3_600_000]);
  });

  test('that follows looks again, and its numbers can be read', async () => {
    const stopping = new AbortController();
    const seen: VerifierStatus[] = [];
    let status: (() => VerifierStatus) | undefined;
    const houses: Desk['house'][] = [];
    const desk = await aDesk((ports) => ({
      ...ports,
      stop: stopping.signal,
      measureVerifier: async (read) => {
        status = read;
        return ok([]);
      },
      clock: {
        ...ports.clock,
        sleep: async () => {
          const [house] = houses;
          if (status === undefined || house === undefined) return;
          seen.push(status());
          if (seen.length === 1) await plant(house.store, [{ model: 'x', key: 'y', value: '1' }]);
          if (seen.length === 2) stopping.abort();
        },
      },
    }));
    houses.push(desk.house);
    const said = await desk.plimsoll('verify-models', '--follow', '--every=10s', '--json');
    expect(said.exit).toBe(3);
    expect(said.out).toHaveLength(2);
    expect(seen).toMatchObject([
      { rounds: 1, verified: { position: 6, divergent: 0 } },
      { rounds: 2, verified: { position: 6, divergent: 1 } },
    ]);
    const families = measureVerifier(() => seen[1] ?? { verified: null, rounds: 0 })();
    expect(families.map(({ name, points }) => [name, points.length])).toEqual([
      ['plimsoll_models_verified_position', 1],
      ['plimsoll_models_divergent_rows', 1],
      ['plimsoll_models_verification_seconds', 1],
      ['plimsoll_models_verified_timestamp_seconds', 1],
      ['plimsoll_models_verifications', 1],
    ]);
  });
});
