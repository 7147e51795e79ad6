import type { Document, Node, Pair } from 'yaml';
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type {
  PlacedValue,
  ReadYaml,
  TextPlace,
  TextProblem,
} from '../../core/canary/policy/policy-file.ts';
import type { PolicyPath } from '../../core/canary/policy/setting.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';

/** Whoever mends the first of them sees the next. */
const faultsMax = 20;

/** What one alias stands for may be repeated so often, all aliases together. */
const aliasesMax = 50;

/** YAML 1.2, core schema: no tags of its own, no dates, `no` is a text; each name once. */
export const readYaml: ReadYaml = (text, bytesMax) => {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > bytesMax)
    return refused({ line: 1, column: 1 }, 'too-large', `${bytes} bytes are more than ${bytesMax}`);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  // A tag that it does not know is a warning to it.
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    return fail(
      faults.slice(0, faultsMax).map(({ pos: [from], code, message }) => ({
        ...placeAt(lines, from),
        code: 'yaml-malformed',
        message: words[code] ?? faultText(message),
      })),
    );
  try {
    return ok({
      value: document.toJS({ maxAliasCount: aliasesMax }) as unknown,
      placeOf: (path) => placeAt(lines, offsetOf(document, path)),
    } satisfies PlacedValue);
  } catch (cause) {
    // Aliases of nothing, and aliases of aliases of aliases, are refused by throwing; and it recurses.
    const place = placeAt(lines, faultyAlias(document));
    if (cause instanceof RangeError) return refused(place, 'yaml-too-deep', tooDeep);
    if (cause instanceof ReferenceError)
      return refused(
        place,
        'yaml-aliases',
        `this alias cannot be followed: ${faultText(cause.message)}`,
      );
    throw cause;
  }
};

const tooDeep = 'it is nested too deeply';

const words: { readonly [code: string]: string } = {
  DUPLICATE_KEY: 'this name stands here a second time',
  MULTIPLE_DOCS: 'a second document begins here; a file holds one',
};

/** The parser recurses, and says of itself when that was too much; so do the expressions that it reads with. */
const faultText = (message: string): string => {
  const line = message.split('\n', 1)[0] ?? '';
  return line.startsWith('Maximum call stack') || line.endsWith('Stack overflow') ? tooDeep : line;
};

/** The first alias of nothing, or else the last one of all. */
const faultyAlias = (document: Document): number => {
  let offset = 0;
  visit(document, {
    Alias: (_key, alias) => {
      offset = beginOf(alias) ?? offset;
      return alias.resolve(document) === undefined ? visit.BREAK : undefined;
    },
  });
  return offset;
};

const refused = (
  place: TextPlace,
  code: string,
  message: string,
): Result<never, readonly TextProblem[]> => fail([{ ...place, code, message }]);

const placeAt = (lines: LineCounter, offset: number): TextPlace => {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
};

/** Where a name, or an item of a list, begins. */
const offsetOf = (document: Document, path: PolicyPath): number => {
  let node: unknown = document.contents;
  let offset = beginOf(node) ?? 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => nameOf(item) === key);
      if (pair === undefined) return offset;
      offset = beginOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof key === 'number') {
      node = node.items[key];
      offset = beginOf(node) ?? offset;
    } else return offset;
  }
  return offset;
};

const nameOf = ({ key }: Pair): string | undefined => {
  const value = isScalar(key) ? key.value : undefined;
  return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined;
};

const beginOf = (node: unknown): number | undefined =>
  (node as Partial<Node> | null | undefined)?.range?.[0];
