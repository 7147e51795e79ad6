import { describe, expect, test } from 'vitest';
import { chartText } from '../../../services/core/plot/chart-terminal.ts';
import { chart } from '../../support/canary/charts.ts';

describe('a chart in characters', () => {
  test('fits its columns, and has the ratio, the tolerance, the interval and the crossing', () => {
    const lines = chartText(chart, { columns: 80, rows: 12, isAscii: false });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const text = lines.join('\n');
    expect(text).toMatch(/[\u2801-\u28ff]/);
    for (const mark of ['░', '╌', '┊', '2x', '5 min', 'rolled-back at 250 s'])
      expect(text).toContain(mark);
  });

  test('has nothing but ASCII where that is asked for', () => {
    const lines = chartText(
      { ...chart, moments: [{ x: 250, text: 'zurückgerollt', tone: 'limit' }] },
      { columns: 80, rows: 12, isAscii: true },
    );
    expect(lines.join('')).toMatch(/^[\u0020-\u007e]*$/);
    expect(lines.join('\n')).toContain('*');
    expect(lines.join('\n')).toContain('zur?ckgerollt');
  });

  test('rises where the ratio does: the last dot of the line is above the first', () => {
    const rows = chartText(chart, { columns: 80, rows: 12, isAscii: true }).slice(1, 13);
    const columnOf = (column: number): number => rows.findIndex((row) => row[column] === '*');
    const last = Math.max(...rows.map((row) => row.lastIndexOf('*')));
    const first = Math.min(...rows.map((row) => row.indexOf('*')).filter((at) => at >= 0));
    expect(columnOf(last)).toBeLessThan(columnOf(first));
  });

  test('is no wider than a narrow terminal', () => {
    const lines = chartText(chart, { columns: 40, rows: 8, isAscii: false });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
  });
});
