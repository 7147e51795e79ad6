import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Alternative, interleave, summarise } from '../../../services/dev/bench/bench.ts';

const alternative = (name: string, runs: string[]): Alternative => ({
  name,
  run: () => {
    runs.push(name);
    return 5;
  },
});

describe('alternatives', () => {
  test('take turns, each round begun by another one, after a round that does not count', async () => {
    const runs: string[] = [];
    const alternatives = ['a', 'b', 'c'].map((name) => alternative(name, runs));
    const bench = { name: 'turns', unit: 'turn', alternatives, ratios: [] };
    const result = await interleave(bench, { rounds: 3, minMs: 0 });
    expect(runs.join('')).toBe('abcabcbcacab');
    expect(result.alternatives.map(({ name, cpuMicros }) => [name, cpuMicros.rounds])).toEqual([
      ['a', 3],
      ['b', 3],
      ['c', 3],
    ]);
  });

  test('run between open and close, and close comes even after a failure', async () => {
    const steps: string[] = [];
    const bench = {
      name: 'failing',
      unit: 'turn',
      alternatives: [{ name: 'idle', run: (): number => 0 }],
      ratios: [],
      open: async (): Promise<void> => void steps.push('open'),
      close: async (): Promise<void> => void steps.push('close'),
    };
    await expect(interleave(bench, { rounds: 1, minMs: 0 })).rejects.toThrow(
      'idle did no operation',
    );
    expect(steps).toEqual(['open', 'close']);
  });

  test('have the CPU of a server counted in, per operation', async () => {
    let serverMicros = 0;
    const bench = {
      name: 'server',
      unit: 'call',
      alternatives: [
        {
          name: 'call',
          run: (): number => {
            serverMicros += 5_000_000_000;
            return 5;
          },
        },
      ],
      ratios: [],
      extraCpuMicros: async (): Promise<number> => serverMicros,
    };
    const result = await interleave(bench, { rounds: 1, minMs: 0 });
    expect(result.alternatives[0]?.cpuMicros.median).toBeGreaterThanOrEqual(1_000_000_000);
  });
});

describe('work that looks at its own clock', () => {
  const measured = { operations: 4, wallMicros: 800, cpuMicros: 40_000_000_000 };

  test('tells its own time, and the CPU of others beside ours', async () => {
    const tidied: string[] = [];
    const bench = {
      name: 'elsewhere',
      unit: 'record',
      alternatives: [
        {
          name: 'peer',
          run: async (): Promise<typeof measured> => measured,
          tidy: async (): Promise<void> => void tidied.push('peer'),
        },
      ],
      ratios: [],
      notes: () => ['the peer was there'],
    };
    const { alternatives, notes } = await interleave(bench, { rounds: 2, minMs: 0 });
    expect(alternatives[0]?.wallMicros.median).toBe(200);
    expect(alternatives[0]?.cpuMicros.median).toBeGreaterThanOrEqual(10_000_000_000);
    expect(notes).toEqual(['the peer was there']);
    // Once in the round that does not count.
    expect(tidied.length).toBe(3);
  });
});

describe('figures', () => {
  const bench = {
    name: 'figures',
    unit: 'call',
    alternatives: [alternative('slow', []), alternative('fast', [])],
    ratios: [{ name: 'slow / fast', of: 'slow', over: 'fast' }],
  };
  const round = (
    slow: number,
    fast: number,
  ): ReadonlyMap<string, { cpuMicros: number; wallMicros: number }> =>
    new Map([
      ['slow', { cpuMicros: slow, wallMicros: slow * 2 }],
      ['fast', { cpuMicros: fast, wallMicros: fast }],
    ]);

  test('are formed of pairs inside a round: a machine that slows down changes no ratio', () => {
    const { ratios, alternatives } = summarise(bench, [
      round(6, 2),
      round(60, 20),
      round(600, 200),
    ]);
    expect(ratios[0]).toMatchObject({
      cpu: { median: 3, low: 3, high: 3, rounds: 3 },
      wall: { median: 6, low: 6, high: 6, rounds: 3 },
    });
    expect(alternatives[0]?.cpuMicros).toEqual({ median: 60, low: 6, high: 600, rounds: 3 });
  });

  test('have the middle of two as the median of an even number', () => {
    const { ratios } = summarise(bench, [round(2, 1), round(8, 1), round(4, 1), round(6, 1)]);
    expect(ratios[0]?.cpu).toEqual({ median: 5, low: 2, high: 8, rounds: 4 });
  });

  test('of an alternative that is not there are refused', () => {
    const ratios = [{ name: 'odd', of: 'slow', over: 'gone' }];
    expect(() => summarise({ ...bench, ratios }, [round(1, 1)])).toThrow('no alternative gone');
  });
});

test('npm run bench -- --help says how it is used, and that is no failure', () => {
  const command = join(import.meta.dirname, '../../../services/dev/bench/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--help'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('npm run bench [-- --only NAME');
});
