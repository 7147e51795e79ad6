import { describe, expect, test } from 'vitest';
import { makeGround } from '../../../services/dev/simulate/ground.ts';
import type { Ground } from '../../../services/dev/simulate/schedule.ts';
import { runSchedule } from '../../../services/dev/simulate/schedule.ts';
import { shrink, traceOf } from '../../../services/dev/simulate/shrink.ts';
import type { Fact } from '../../../services/dev/simulate/told.ts';

const ground = await makeGround();

/** A ground whose makers are wrong about what a forged signature earns: the plain fold and the product must differ. */
const mistaken = (): Ground => {
  const wrong = (fact: Fact): Fact => ({ ...fact, told: { ...fact.told, spoilt: 'waited-bad' } });
  const pipelines = ground.corpus.pipelines.map((pipeline) => ({
    ...pipeline,
    troubles: pipeline.troubles.map(({ fault, fact }) => ({
      fault,
      fact: fault === 'forged-signature' ? wrong(fact) : fact,
    })),
  }));
  return { ...ground, corpus: { ...ground.corpus, pipelines } };
};

const firstDivergence = async (on: Ground): Promise<Awaited<ReturnType<typeof runSchedule>>> => {
  for (let seed = 1; seed <= 200; seed++) {
    const result = await runSchedule(on, { seed });
    if (result.divergence !== null) return result;
  }
  throw new RangeError('none of 200 schedules diverged');
};

describe('a schedule', () => {
  test('is the same step by step when its seed comes again, whatever ran in between', async () => {
    const first = await traceOf(ground, { seed: 11 });
    await runSchedule(ground, { seed: 12 });
    expect(await traceOf(ground, { seed: 11 })).toEqual(first);
    expect(first.length).toBeGreaterThan(100);
  });

  test('is another one for another seed', async () => {
    expect(await traceOf(ground, { seed: 11 })).not.toEqual(await traceOf(ground, { seed: 12 }));
  });

  test('has some thirty faults, and comes to what the log says', async () => {
    let faults = 0;
    for (let seed = 500; seed < 520; seed++) {
      const result = await runSchedule(ground, { seed });
      expect(result.divergence, `seed ${seed}`).toBeNull();
      faults += result.faults;
    }
    expect(faults / 20).toBeGreaterThan(20);
  });

  test('has fewer where faults are left out, and each keeps its number', async () => {
    const { drawn } = await runSchedule(ground, { seed: 11 });
    const without = new Set(Array.from({ length: drawn + 100 }, (_, fault) => fault));
    const { faults } = await runSchedule(ground, { seed: 11, without });
    expect(faults).toBe(0);
  });
});

describe('a divergence', () => {
  test('is found, said by name, and had again from its seed', async () => {
    const on = mistaken();
    const found = await firstDivergence(on);
    expect(found.divergence?.code).toBe('plain-fold-differs');
    expect(await runSchedule(on, { seed: found.seed })).toMatchObject({
      divergence: found.divergence,
      steps: found.steps,
    });
  });

  test('shrinks to the few faults that it needs', async () => {
    const on = mistaken();
    const found = await firstDivergence(on);
    const { options, result } = await shrink(on, found);
    expect(result.divergence?.code).toBe('plain-fold-differs');
    expect(result.faults).toBeLessThan(found.faults);
    expect([...result.byName.keys()]).toContain('forged-signature');
    expect(await runSchedule(on, options)).toMatchObject({ divergence: result.divergence });
  });
});
