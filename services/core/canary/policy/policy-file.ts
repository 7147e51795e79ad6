import type { Json } from '../../canonical.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';
import type { PolicyWarning } from './advice.ts';
import { unsentMetrics, warningsOf } from './advice.ts';
import { parsePolicyDocument } from './parse-policy.ts';
import type { PolicyDocument } from './placed-policy.ts';
import { placeText } from './placed-policy.ts';
import { documentFileBytesMax } from './policy-text.ts';
import type { PolicyPath, PolicyProblem } from './setting.ts';
import { pathText } from './setting.ts';

// A document of policies as people write it, YAML or JSON, and where in the text each thing stands.

/** From 1, as editors count. */
export type TextPlace = { readonly line: number; readonly column: number };

export type TextProblem = TextPlace & { readonly code: string; readonly message: string };

/** What a text says, and where: the nearest place that is there, for a path that is not. */
export type PlacedValue = {
  readonly value: unknown;
  readonly placeOf: (path: PolicyPath) => TextPlace;
};

/** Reads YAML (JSON is YAML). Bounded: size, depth and repetition. Never throws on text. */
export type ReadYaml = (
  text: string,
  bytesMax: number,
) => Result<PlacedValue, readonly TextProblem[]>;

export type PolicyFile = {
  readonly document: PolicyDocument;
  /** The document as it goes to the log: canonical JSON. */
  readonly text: string;
  readonly warnings: readonly (PolicyWarning & TextPlace)[];
  readonly placeOf: PlacedValue['placeOf'];
};

/** The policies of a file, or all that is wrong with it, in the order of its lines. */
export const readPolicyFile = (
  readYaml: ReadYaml,
  text: string,
): Result<PolicyFile, readonly TextProblem[]> => {
  const read = readYaml(text, documentFileBytesMax);
  if (!read.ok) return read;
  const { value, placeOf } = read.value;
  const parsed = parsePolicyDocument(value);
  if (!parsed.ok) return fail(inOrder(parsed.problem.map((problem) => placed(problem, placeOf))));
  return ok({
    document: parsed.value,
    text: canonicalJson(value as Json),
    warnings: inOrder(
      warningsOf(parsed.value).map((warning) => ({ ...warning, ...placeOf(warning.path) })),
    ),
    placeOf,
  });
};

/**
 * Warns of metrics that nobody sends, by the names that were seen in telemetry. Those of a preset are judged where they
 * are sent, so only critical ones of them are told.
 */
export const unsentIn = (
  { document, text, placeOf }: PolicyFile,
  seen: ReadonlySet<string>,
): readonly (PolicyWarning & TextPlace)[] => {
  const { policies } = JSON.parse(text) as {
    readonly policies: readonly { readonly metrics?: readonly { readonly name: string }[] }[];
  };
  return inOrder(
    document.policies.flatMap((one, index) =>
      unsentMetrics(one.policy, seen).flatMap(({ id, critical, source }) => {
        const written = (policies[index]?.metrics ?? []).findIndex(
          ({ name }) => id === name || id.startsWith(`${name}{`),
        );
        if (written < 0 && !critical) return [];
        const path = ['policies', index, ...(written < 0 ? [] : ['metrics', written])];
        const message = `${pathText(path)} (${placeText(one)}) judges ${id}, and nobody sends ${source.names.join(' or ')}`;
        return [{ code: 'metric-unsent' as const, path, message, ...placeOf(path) }];
      }),
    ),
  );
};

const placed = (
  { code, path, message }: PolicyProblem,
  placeOf: PlacedValue['placeOf'],
): TextProblem => ({ ...placeOf(path), code, message });

const inOrder = <Told extends TextPlace>(told: readonly Told[]): readonly Told[] =>
  told.toSorted((a, b) => a.line - b.line || a.column - b.column);
