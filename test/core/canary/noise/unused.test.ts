import { describe, expect, test } from 'vitest';
import { idleOf, sparedAmong, unusedAmong } from '../../../../services/core/canary/noise/unused.ts';

describe('who may have next to nothing of a metric', () => {
  test.each([
    ['process.cpu.utilization', 'who-serves-nobody'],
    ['container.cpu.usage', 'who-serves-nobody'],
    ['process.memory.usage', 'nobody'],
    ['container.memory.usage', 'nobody'],
    ['queue.length', 'anybody'],
    ['db.client.connection.count', 'anybody'],
    ['processes.waiting', 'anybody'],
    ['my.process.cpu.utilization', 'anybody'],
  ])('%s: %s', (name, idle) => {
    expect(idleOf({ names: [name], where: [] })).toBe(idle);
  });

  test('of a part that filters pick, and where one of its names is of something else: anybody', () => {
    const names = ['process.cpu.utilization'];
    const where = [{ attribute: 'cpu.mode', test: { kind: 'in', values: ['wait'] } }] as const;
    expect(idleOf({ names, where })).toBe('anybody');
    expect(idleOf({ names: [...names, 'queue.length'], where: [] })).toBe('anybody');
  });
});

describe('of few levels, those of nobody that works', () => {
  test.each<readonly [string, readonly number[], readonly number[]]>([
    ['0 among others', [0.4, 0, 0.4], [1]],
    ['0 of two', [0, 0.4], [0]],
    ['two that are 0', [0, 0.4, 0], [0, 2]],
    ['all are 0', [0, 0, 0], []],
    ['alone', [0], []],
    ['less than a twentieth of each other', [8, 8.1, 0.39, 9], [2]],
    ['a twentieth, no less', [8, 8.1, 0.4, 9], []],
    ['less than a twentieth of the highest alone', [8, 0.5, 0.39], []],
    ['beside one that is 0', [8, 0, 0.39, 9], [1, 2]],
    ['of five', [0, 0.4, 0.4, 0.4, 0.4], []],
  ])('%s', (_name, levels, unused) => {
    expect(unusedAmong(levels)).toStrictEqual(unused);
  });
});

describe('who has no requests counts with the little it uses', () => {
  test.each<readonly [string, readonly number[], readonly number[], readonly number[]]>([
    ['where the others of its version have them', [0, 150, 150], [100, 100, 100], [0]],
    ['where they are those of two', [0, 3, 200, 200], [99, 101, 100], [0, 1]],
    ['not where all servers have them', [0, 120, 120], [120, 120, 120], []],
    ['not where the other version has one like it', [0, 150, 150], [150, 0, 150], []],
    ['not where it has a twentieth of them', [10, 200, 200], [137, 137, 137], []],
    ['not where all have requests', [99, 100, 101], [100, 100, 100], []],
    ['not where nobody has any', [0, 0, 0], [0, 0, 0], []],
    ['not where nobody has any beside it', [0, 100, 100], [0, 0], []],
    ['not where nobody is beside it', [0, 100, 100], [], []],
  ])('%s', (_name, requests, beside, spared) => {
    expect([...sparedAmong(requests, beside)]).toStrictEqual(spared);
  });
});
