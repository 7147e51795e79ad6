import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallerToken } from '../../../services/core/trust/caller-tokens.ts';
import {
  callerTokenLine,
  isExpiredToken,
  parseCallerTokens,
  tokensMax,
} from '../../../services/core/trust/caller-tokens.ts';
import { value } from '../../support/records.ts';

const digest = (digit: string): string => digit.repeat(64);
const scope = 'environments=* components=*';

const parsed = (text: string): readonly CallerToken[] => value(parseCallerTokens(text));
const fault = (text: string): string => {
  const read = parseCallerTokens(text);
  return read.ok ? 'read' : `${read.problem.line}: ${read.problem.message}`;
};

test('a list has a line for each token; what stands behind # is for people', () => {
  const text = `# who may send
shop-ci sha256:${digest('a')} environments=staging,pr-* components=checkout kinds=logged,planned expires=2027-01-31T00:00:00Z

till   sha256:${digest('b')}\t${scope} # the tills
`;
  expect(parsed(text)).toEqual([
    {
      name: 'shop-ci',
      digest: digest('a'),
      environments: ['staging', 'pr-*'],
      components: ['checkout'],
      kinds: ['logged', 'planned'],
      expiresAtMs: Date.UTC(2027, 0, 31),
    },
    {
      name: 'till',
      digest: digest('b'),
      environments: ['*'],
      components: ['*'],
      kinds: ['*'],
      expiresAtMs: null,
    },
  ]);
});

test('an empty list names nobody', () => {
  expect(parsed('')).toEqual([]);
  expect(parsed('# nobody\n\n')).toEqual([]);
});

describe('a line is refused', () => {
  test.each([
    ['whose name is none', `Shop sha256:${digest('a')} ${scope}`, 'the name must be'],
    ['with a token in the clear', `shop plt_${digest('a')} ${scope}`, 'sha256: and 64 hex digits'],
    ['with half a digest', `shop sha256:abc ${scope}`, 'sha256: and 64 hex digits'],
    ['without a digest', 'shop', 'sha256: and 64 hex digits'],
    [
      'without environments',
      `shop sha256:${digest('a')} components=*`,
      'environments must be named',
    ],
    ['without components', `shop sha256:${digest('a')} environments=*`, 'components must be named'],
    [
      'whose scope is empty',
      `shop sha256:${digest('a')} environments= components=*`,
      'must be names',
    ],
    [
      'with a comma too many',
      `shop sha256:${digest('a')} environments=a, components=*`,
      'must be names',
    ],
    [
      'with a star in the middle',
      `shop sha256:${digest('a')} environments=a*b components=*`,
      'must be names',
    ],
    [
      'with a setting of nobody',
      `shop sha256:${digest('a')} ${scope} role=admin`,
      'a word is none of',
    ],
    [
      'with a setting twice',
      `shop sha256:${digest('a')} ${scope} components=a`,
      'components stands twice',
    ],
    ['with a word alone', `shop sha256:${digest('a')} ${scope} staging`, 'a word is none of'],
    ['with a kind of nobody', `shop sha256:${digest('a')} ${scope} kinds=loged`, 'kinds names one'],
    [
      'with a kind of analysers',
      `shop sha256:${digest('a')} ${scope} kinds=promote`,
      'kinds names one',
    ],
    [
      'that ends on a day that never comes',
      `shop sha256:${digest('a')} ${scope} expires=2027-02-30T00:00:00Z`,
      'expires must be',
    ],
    [
      'that ends at a time of no zone',
      `shop sha256:${digest('a')} ${scope} expires=2027-02-20T00:00:00`,
      'expires must be',
    ],
  ])('%s', (_which, line, message) => {
    expect(fault(`\n${line}`)).toContain(`2: `);
    expect(fault(line)).toContain(message);
  });

  test('whose name or token stands there already', () => {
    const one = `shop sha256:${digest('a')} ${scope}`;
    expect(fault(`${one}\n${one.replace(digest('a'), digest('b'))}`)).toContain('2: another line');
    expect(fault(`${one}\n${one.replace('shop', 'till')}`)).toContain('2: another line');
  });

  test('behind very many', () => {
    const lines = Array.from(
      { length: tokensMax + 1 },
      (_, at) => `t${at} sha256:${String(at).padStart(64, '0')} ${scope}`,
    );
    expect(fault(lines.slice(0, tokensMax).join('\n'))).toBe('read');
    expect(fault(lines.join('\n'))).toContain(`${tokensMax + 1}: more than`);
  });
});

test('no message repeats what stands in the list', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9_=*,:-]{8,40}$/), (secret) => {
      expect(fault(`shop ${secret} ${scope}`)).not.toContain(secret);
      expect(fault(`shop sha256:${digest('a')} ${scope} ${secret}`)).not.toContain(secret);
    }),
  );
});

test('what is written is read as the same', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
  const patterns = fc.array(
    fc.oneof(
      name,
      name.map((start) => `${start}*`),
      fc.constant('*'),
    ),
    { minLength: 1, maxLength: 4 },
  );
  const token = fc.record({
    name,
    digest: fc.stringMatching(/^[0-9a-f]{64}$/),
    environments: patterns,
    components: patterns,
    kinds: fc.constantFrom(['*'], ['logged'], ['planned', 'started'], ['plan*']),
    expiresAtMs: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 })),
  });
  fc.assert(
    fc.property(token, (one) => {
      expect(parsed(callerTokenLine(one))).toEqual([one]);
    }),
  );
});

test('a token counts until its time, and not at it', () => {
  const [token] = parsed(`shop sha256:${digest('a')} ${scope} expires=2027-01-31T00:00:00Z`);
  if (token === undefined) throw new Error('there is no token');
  const at = Date.UTC(2027, 0, 31);
  expect([at - 1, at].map((nowMs) => isExpiredToken(token, nowMs))).toEqual([false, true]);
});
