import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { openStepPlace, runStep } from './step.ts';

// V8 reads a function twice: quickly, to find its end, and once more when it is called. A function expression in
// parentheses it takes for one that is called at once, and reads it once (https://v8.dev/blog/preparser, "PIFEs"). So in
// a package the functions that a step of a pipeline calls stand so. Which those are is seen by running it.

/** Rewrites `lib/<entry>.js` of a built package. Throws where the step does not end well before or afterwards. */
export const readCalledFirst = async (
  { launcher, lib }: { readonly launcher: string; readonly lib: string },
  entry: string,
): Promise<void> => {
  const file = join(lib, `${entry}.js`);
  const place = await openStepPlace();
  try {
    const coverage = join(place.folder, 'coverage');
    mkdirSync(coverage);
    await runStep(place, launcher, { NODE_V8_COVERAGE: coverage });
    const code = readFileSync(file, 'utf8');
    writeFileSync(file, inParentheses(code, calledIn(coverage, pathToFileURL(file).href)));
    await runStep(place, launcher);
  } finally {
    place.close();
  }
};

/** What of NODE_V8_COVERAGE is looked at: https://nodejs.org/api/cli.html#node_v8_coveragedir */
type Coverage = {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
    }[];
  }[];
};

/** Where the functions of a file begin that were called. */
const calledIn = (folder: string, url: string): ReadonlySet<number> => {
  const [name = ''] = readdirSync(folder);
  const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage;
  const functions = result.find((script) => script.url === url)?.functions ?? [];
  const called = functions.flatMap(({ ranges: [whole] }) =>
    whole !== undefined && whole.count > 0 ? [whole.startOffset] : [],
  );
  if (called.length === 0) throw new Error(`nothing of ${url} was called`);
  return new Set(called);
};

type Edit = { readonly start: number; readonly end: number; readonly text: string };

/**
 * The same program, with its outermost functions that begin at those places in parentheses. Declarations go to the front,
 * where they count from anyway. An arrow function becomes another one only where nobody can tell.
 */
export const inParentheses = (code: string, called: ReadonlySet<number>): string => {
  const edits: Edit[] = [];
  const declared: string[] = [];
  const { body } = parseAst(code, { lang: 'js', sourceType: 'script' });
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration' && called.has(statement.start)) {
      const { id, start, end } = statement;
      if (id !== null) {
        declared.push(`${id.name}=(${code.slice(start, end)})`);
        edits.push({ start, end, text: '' });
      }
    }
    if (statement.type !== 'VariableDeclaration') continue;
    for (const { init } of statement.declarations)
      if (init?.type === 'ArrowFunctionExpression' && called.has(init.start)) {
        const { start, end, params, async: isAsync, body: inside } = init;
        if (/\b(?:this|arguments|super|new\.target)\b/.test(code.slice(start, end))) continue;
        const first = params[0];
        const last = params.at(-1);
        const taken =
          first === undefined || last === undefined ? '' : code.slice(first.start, last.end);
        const arrowEnd = code.indexOf('=>', last?.end ?? start) + '=>'.length;
        const isBlock = inside.type === 'BlockStatement';
        const head = `(${isAsync ? 'async ' : ''}function(${taken})${isBlock ? '' : '{return('}`;
        edits.push({ start, end: arrowEnd, text: head });
        edits.push({ start: end, end, text: isBlock ? ')' : ')})' });
      }
  }
  const directives = body.filter((statement) => 'directive' in statement);
  let at = directives.at(-1)?.end ?? 0;
  let written = code.slice(0, at) + (declared.length === 0 ? '' : `var ${declared.join(',')};`);
  for (const { start, end, text } of edits) {
    written += code.slice(at, start) + text;
    at = end;
  }
  return written + code.slice(at);
};
