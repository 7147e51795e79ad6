import { describe, expect, test } from 'vitest';
import { chartSvg } from '../../../services/core/plot/chart-svg.ts';
import { dotRowsSvg } from '../../../services/core/plot/dot-rows.ts';
import { linearAxis } from '../../../services/core/plot/axis.ts';
import { fitted } from '../../../services/core/plot/svg.ts';
import { chart } from '../../support/canary/charts.ts';

const tagsOf = (svg: string): readonly string[] => [
  ...new Set([...svg.matchAll(/<([a-zA-Z]+)/g)].map(([, tag = '']) => tag)),
];

/** Every tag that is opened is closed, in order. */
const isWellFormed = (xml: string): boolean => {
  const open: string[] = [];
  for (const [, end, name = '', , alone] of xml.matchAll(
    /<(\/?)([a-zA-Z]+)((?:"[^"]*"|[^<>"])*?)(\/?)>/g,
  ))
    if (end === '/') {
      if (open.pop() !== name) return false;
    } else if (alone !== '/') open.push(name);
  return (
    open.length === 0 && !xml.replaceAll(/<\/?[a-zA-Z](?:"[^"]*"|[^<>"])*>/g, '').includes('<')
  );
};

describe('the picture of a chart', () => {
  const svg = chartSvg(chart);

  test('is well formed, and holds nothing but shapes and text', () => {
    expect(isWellFormed(svg)).toBe(true);
    expect(tagsOf(svg).toSorted()).toEqual([
      'line',
      'path',
      'rect',
      'style',
      'svg',
      'text',
      'title',
    ]);
    expect(svg).not.toMatch(/script|href|url\(|@import|font-face|on[a-z]+=/);
  });

  test('says what its axes measure, what is drawn, and when it crossed', () => {
    for (const text of [
      'checkout 2.0.0 in production: roll-back',
      'errors: canary / baseline (ratio)',
      'time since the start',
      '2 min',
      '2x',
      'tolerated',
      'rolled-back at 250 s',
    ])
      expect(svg).toContain(`>${text}<`);
  });

  test('has colours of its own for dark pages', () => {
    expect(svg).toMatch(/@media \(prefers-color-scheme: dark\)\{\.f-ground\{fill:#0d1117\}/);
  });

  test('draws everything inside itself', () => {
    const [, width = 0, height = 0] = (/width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(Number);
    for (const [, name = '', written = ''] of svg.matchAll(/ (x|y|x1|y1|x2|y2)="(-?[\d.]+)"/g)) {
      expect(Number(written)).toBeGreaterThanOrEqual(0);
      expect(Number(written)).toBeLessThanOrEqual(name.startsWith('x') ? width : height);
    }
  });

  test('escapes what names hold', () => {
    const hostile = chartSvg({ ...chart, title: '</text><script>alert("1")&\u0000\u001b' });
    expect(isWellFormed(hostile)).toBe(true);
    expect(hostile).not.toContain('<script');
    expect(hostile).toContain('&lt;script&gt;');
    // oxlint-disable-next-line eslint/no-control-regex -- these must not be there
    expect(hostile).not.toMatch(/[\u0000\u001b]/);
  });

  test('cuts a name that is too long', () => {
    expect(chartSvg({ ...chart, title: 'x'.repeat(256) })).toContain('x…<');
    expect(fitted('short', 200)).toBe('short');
  });

  test('of nothing is a picture all the same', () => {
    expect(isWellFormed(chartSvg({ ...chart, panels: [], moments: [] }))).toBe(true);
  });
});

describe('the picture of rows', () => {
  const rows = dotRowsSvg({
    title: 'What each policy says',
    about: 'time after the start',
    axis: linearAxis(0, 100, 5, (value) => `${value} s`),
    line: { at: 50, text: 'the promise' },
    names: ['standard', 'sensitive'],
    rows: [
      { name: 'a & b', marks: [{ at: 10, to: 20, notch: 5, text: 'roll-back' }, null] },
      { name: 'c', marks: [null, { at: 90, to: 90, notch: null, isHollow: true }] },
    ],
  });

  test('is well formed, with rows, marks and names', () => {
    expect(isWellFormed(rows)).toBe(true);
    for (const text of ['a &amp; b', 'standard', 'sensitive', 'roll-back', 'the promise', '50 s'])
      expect(rows).toContain(`>${text}<`);
    expect([...rows.matchAll(/<circle/g)]).toHaveLength(4);
  });
});
