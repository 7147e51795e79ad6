import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { inParentheses } from '../../../services/dev/build/called-first.ts';

/** Where a program's functions begin, so that each is taken for one that was called. */
const everyStart = (code: string): ReadonlySet<number> => new Set(code.split('').keys());

const answerOf = (code: string): unknown => runInNewContext(code, {}) as unknown;

describe('functions in parentheses', () => {
  test.each([
    [
      'an arrow function with a block',
      'const a=(b,c)=>{return b+c};a(1,2)',
      'const a=(function(b,c){return b+c});a(1,2)',
    ],
    ['one with an expression', 'const a=b=>b*2;a(2)', 'const a=(function(b){return(b*2)});a(2)'],
    [
      'one that answers an object',
      'const a=()=>({b:1});a().b',
      'const a=(function(){return(({b:1}))});a().b',
    ],
    [
      'one with another as default',
      'const a=(b=c=>c+1,...d)=>b(d[0]);a(void 0,4)',
      'const a=(function(b=c=>c+1,...d){return(b(d[0]))});a(void 0,4)',
    ],
    [
      'one that takes an object apart',
      'const a=({b,c:{d}})=>b+d;a({b:1,c:{d:2}})',
      'const a=(function({b,c:{d}}){return(b+d)});a({b:1,c:{d:2}})',
    ],
    ['a name', 'const a=()=>1;a.name', 'const a=(function(){return(1)});a.name'],
    [
      'a declaration that is called before it',
      'const a=b();function b(){return 3}a',
      'var b=(function b(){return 3});const a=b();a',
    ],
    [
      'nothing before a directive',
      "'use strict';function b(){return 3}b()",
      "'use strict';var b=(function b(){return 3});b()",
    ],
  ])('%s', (_what, code, written) => {
    expect(inParentheses(code, everyStart(code))).toBe(written);
    expect(answerOf(written)).toStrictEqual(answerOf(code));
  });

  test('of async ones stay async', async () => {
    const code = 'const a=async b=>await b;a(Promise.resolve(5))';
    const written = inParentheses(code, everyStart(code));
    expect(written).toBe('const a=(async function(b){return(await b)});a(Promise.resolve(5))');
    expect(await answerOf(written)).toBe(5);
  });

  test.each(['const a=()=>this;', 'const a=()=>arguments;', 'const a=b=>{b.this=1};'])(
    'are left alone where they may mean what is around them: %s',
    (code) => {
      expect(inParentheses(code, everyStart(code))).toBe(code);
    },
  );

  test('are left alone where they were not called', () => {
    const code = 'const a=()=>1,b=()=>2;function c(){}';
    expect(inParentheses(code, new Set([code.indexOf('()=>2')]))).toBe(
      'const a=()=>1,b=(function(){return(2)});function c(){}',
    );
  });
});
