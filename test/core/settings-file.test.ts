import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseSettingsFile } from '../../services/core/settings-file.ts';
import { value } from '../support/records.ts';

test('settings and options stand in the file by short names, with their lines', () => {
  const text = [
    '---',
    '# for everybody',
    'url: https://plimsoll.example.com   # the gateway',
    '',
    "log-id: '0190a000-0000-7000-8000-000000000000'",
    'component-name: "check out"',
  ].join('\r\n');
  expect(value(parseSettingsFile(text))).toEqual({
    settings: {
      PLIMSOLL_URL: { value: 'https://plimsoll.example.com', line: 3 },
      PLIMSOLL_LOG_ID: { value: '0190a000-0000-7000-8000-000000000000', line: 5 },
    },
    defaults: { 'component-name': { value: 'check out', line: 6 } },
  });
});

test.each([
  ['an unknown name', 'ulr: https://a', 'line 1 sets ulr', 'did you mean url?'],
  ['a name far from all', 'colour-of-hull: red', 'which is no setting', 'one of: log, store'],
  ['the same name twice', 'url: a\nurl: b', 'line 2 names url a second time', ''],
  ['a list', 'url:\n  - a', 'line 1 has a value of url that YAML may read otherwise', ''],
  ['an indented line', ' url: a', 'line 1 is no line of the form name: value', ''],
  ['no blank after the colon', 'url:a', 'is no line of the form', ''],
  ['an alias', 'url: *a', 'YAML may read otherwise', "put it in '…'"],
  ['a text block', 'url: |', 'YAML may read otherwise', ''],
  ['a word that is no text in YAML', 'owner: yes', 'YAML may read otherwise', ''],
  ['a quote that stays open', 'owner: "a', 'YAML may read otherwise', ''],
  ['a file that names the file', 'config: other.yaml', 'sets config', ''],
])('%s is refused, with its line and what to do', (_name, text, message, hint) => {
  const parsed = parseSettingsFile(text);
  expect(parsed).toMatchObject({ ok: false });
  const { problem } = parsed as { problem: { message: string; hint: string } };
  expect(problem.message).toContain(message);
  expect(problem.hint).toContain(hint);
});

test('no value is repeated in what is said about it', () => {
  const said = JSON.stringify(parseSettingsFile('store: {redis: hunter2}'));
  expect(said).not.toContain('hunter2');
});

test('whatever is taken, YAML reads the same', () => {
  const scalar = fc.oneof(
    fc.string({
      unit: fc.constantFrom(...Array.from('ab1-:#\'"\\ ,.[]{}&*!|>%@`=~?_0xe+')),
      maxLength: 12,
    }),
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      '1e3',
      '0x1f',
      '007',
      '1_000',
      'Null',
      '~',
      '2026-11-22',
      '1.5',
      '-1',
      '.inf',
      '+.1',
      '+.inf',
      '- a',
    ),
  );
  const line = fc
    .tuple(scalar, fc.constantFrom('', "'", '"'), fc.constantFrom('', ' # said', '#'))
    .map(([text, quote, tail]) => `owner: ${quote}${text}${quote}${tail}`);
  let taken = 0;
  fc.assert(
    fc.property(line, (text) => {
      const parsed = parseSettingsFile(text);
      if (!parsed.ok || parsed.value.defaults['owner'] === undefined) return;
      taken++;
      const read = parse(text, { version: '1.2' }) as { readonly owner: unknown };
      expect(String(read.owner)).toBe(parsed.value.defaults['owner'].value);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(300);
});
