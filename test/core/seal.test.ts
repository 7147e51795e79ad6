import { describe, expect, test } from 'vitest';
import type { Step } from '../support/given.ts';
import {
  again,
  by,
  emptyStore,
  given,
  portsOf,
  raw,
  recordsOf,
  signed,
  tools,
  trusts,
} from '../support/given.ts';
import type { Said } from '../support/markers.ts';
import { audience, logged, operated, planned, succeeded } from '../support/markers.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const ops = trusts('ops', { roles: ['operator'] });
/** The seal of a log for the position where it is to lie. */
const seal = (to: number, note = 'kafka://elsewhere:9092'): Said =>
  operated('log-sealed', { to, digest: 'a'.repeat(64), note });
const continued = (to: number): Said =>
  operated('log-continued', { to, digest: 'a'.repeat(64), note: 'sqlite:/old' });

describe('a log that was sealed', () => {
  test('counts nothing behind the seal: no marker, no operation, no change of trust', async () => {
    const house = await given(
      ops,
      by('ci', planned()),
      by('ops', seal(4)),
      by('ci', succeeded()),
      by('ops', operated('retention-set', { environment: 'pr-*', days: 3 })),
      // Trusted first: that is a record, too.
      by('late', logged('9.9.9')),
      again(3),
    );
    expect(house.notes()).toEqual([
      'applied',
      'operation',
      'log-sealed',
      'log-sealed',
      'log-sealed',
      'log-sealed',
      'log-sealed',
    ]);
    expect(await house.attempts()).toEqual(['1 2.0.0 planned']);
    expect((await house.deadLetters()).map(({ message }) => message)).toEqual(
      Array.from({ length: 5 }, () => 'the log was sealed at 4'),
    );
  });

  test('knows where it went on, also when it is read back from its rows', async () => {
    const { store } = await given(ops, by('ops', seal(2)));
    const state = value(await loadState({ store, tools }, 'g'));
    expect(state?.trust.sealed).toEqual({ at: 2, note: 'kafka://elsewhere:9092' });
  });

  test('gives the same rows however its records are cut into batches', async () => {
    const records = await recordsOf(
      ops,
      by('ci', planned()),
      by('ops', seal(4)),
      by('ci', succeeded()),
    );
    const whole = pureFold(records, audience).dumpAt(records.length);
    for (let cut = 1; cut < records.length; cut++) {
      const store = emptyStore();
      const ports = portsOf(store);
      const first = value(await applyBatch(ports, 'g', undefined, records.slice(0, cut)));
      expect(first.state.next).toBe(cut);
      const state = value(await loadState(ports, 'g'));
      value(await applyBatch(ports, 'g', state, records.slice(cut)));
      expect(value(await store.dump('g'))).toEqual(whole);
    }
  });
});

describe('a seal', () => {
  const goesOn = async (...steps: readonly Step[]): Promise<readonly string[]> =>
    (await given(ops, ...steps, by('ci', logged('1.0.0')))).notes();

  test('that lies elsewhere than it says counts nowhere, such as one from a log that this is a copy of', async () => {
    expect(await goesOn(by('ops', seal(3)))).toEqual(['seal-misplaced', 'applied']);
    expect(await goesOn(by('ops', continued(2)), by('ops', seal(2)))).toEqual([
      'operation',
      'seal-misplaced',
      'applied',
    ]);
    expect(await goesOn(by('ops', continued(7)))).toEqual(['seal-misplaced', 'applied']);
  });

  test('of a key that is no operator, or whose kinds do not cover it, ends nothing', async () => {
    expect(await goesOn(by('ci', seal(3)))).toEqual(['role-missing', 'applied']);
    expect(
      await goesOn(
        trusts('archivist', { roles: ['operator'], kinds: ['log-archived'] }),
        by('archivist', seal(3)),
      ),
    ).toEqual(['kind-not-allowed', 'applied']);
  });

  test('of an operator for some places only ends nothing, for it is about all', async () => {
    for (const scope of [{ environments: ['staging'] }, { components: ['cart'] }])
      expect(
        await goesOn(
          trusts('some', { roles: ['operator'], ...scope }),
          by('some', seal(3)),
          by('ci', planned()),
        ),
      ).toEqual(['out-of-scope', 'applied', 'applied']);
  });

  test('that was tampered with ends nothing', async () => {
    const record = await signed('ops', seal(2), 'seal');
    const value_ = Uint8Array.from(record.value);
    value_[value_.length - 2] = (value_[value_.length - 2] ?? 0) ^ 1;
    expect(await goesOn(raw({ ...record, value: value_ }))).toEqual(['signature-bad', 'applied']);
  });
});
