import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../services/adapters/yaml/read-yaml.ts';

const bytesMax = 64 * 1024;
const problem = (text: string): unknown => {
  const read = readYaml(text, bytesMax);
  return read.ok ? undefined : read.problem[0];
};

describe('YAML', () => {
  test('is plain values, and tells where each stands', () => {
    const read = readYaml('a: 1\nb:\n  - c: no\n  - {d: 2026-11-21, e: 0.5%}\n', bytesMax);
    if (!read.ok) throw new Error('it was refused');
    const { value, placeOf } = read.value;
    expect(value).toEqual({ a: 1, b: [{ c: 'no' }, { d: '2026-11-21', e: '0.5%' }] });
    expect(placeOf(['b', 1, 'e'])).toEqual({ line: 4, column: 21 });
    expect(placeOf(['b', 0])).toEqual({ line: 3, column: 5 });
  });

  test('tells the nearest place of what is not there', () => {
    const read = readYaml('a:\n  b: [1]\n', bytesMax);
    expect(read.ok && read.value.placeOf(['a', 'b', 7, 'c'])).toEqual({ line: 2, column: 3 });
    expect(read.ok && read.value.placeOf([])).toEqual({ line: 1, column: 1 });
  });

  test('tells the place of what an alias stands for', () => {
    const read = readYaml('a: &x\n  b: 1\nc: *x\n', bytesMax);
    expect(read.ok && read.value.placeOf(['c', 'b'])).toEqual({ line: 2, column: 3 });
  });

  test('of JSON is the same', () => {
    expect(readYaml('{"a": [1, "x", null, true]}', bytesMax)).toMatchObject({
      value: { value: { a: [1, 'x', null, true] } },
    });
  });

  test('that is wrong ten thousand times is refused in few words', () => {
    for (const text of [`{${'? '.repeat(10_000)}`, `a: ${'['.repeat(30_000)}`]) {
      const read = readYaml(text, bytesMax);
      if (read.ok) throw new Error('it was taken');
      expect(read.problem.length).toBeLessThanOrEqual(20);
      expect(JSON.stringify(read.problem)).not.toMatch(/overflow|call stack/i);
    }
  });

  test('keeps a setting named __proto__ a setting', () => {
    const read = readYaml('__proto__: {a: 1}', bytesMax);
    expect(read.ok && Object.keys(read.value.value as object)).toEqual(['__proto__']);
  });

  test.each([
    ['larger than allowed', `a: ${'x'.repeat(bytesMax)}`, 'too-large'],
    ['nested in itself 30,000 times', '- '.repeat(30_000), 'yaml-malformed'],
    ['nested in brackets 60,000 times', '['.repeat(60_000), 'yaml-malformed'],
    ['closed nowhere', 'a: [1', 'yaml-malformed'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'yaml-malformed'],
    ['saying one name twice', 'a: 1\na: 2\n', 'yaml-malformed'],
    ['tagged', 'a: !!js/function 1', 'yaml-malformed'],
    ['an alias of nothing', 'a: *b', 'yaml-aliases'],
  ])('that is %s is refused', (_what, text, code) => {
    expect(problem(text)).toMatchObject({ code });
  });

  test('that would unfold without end is refused', () => {
    const lines = Array.from(
      { length: 9 },
      (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at}, `.repeat(9)}]`,
    );
    expect(problem(['l0: &l0 [x]', ...lines].join('\n'))).toMatchObject({ code: 'yaml-aliases' });
  });
});
