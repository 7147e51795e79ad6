import type { Json } from '../../canonical.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';
import type { PolicyWarning } from './advice.ts';
import { unsentMetrics, warningsOf } from './advice.ts';
import type { CoarseMetric } from './bounds-seen.ts';
import type { FilteredOut } from './filters-seen.ts';
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
  file: PolicyFile,
  seen: ReadonlySet<string>,
): readonly (PolicyWarning & TextPlace)[] => {
  const pathOf = openPaths(file);
  return inOrder(
    file.document.policies.flatMap((one, index) =>
      unsentMetrics(one.policy, seen).flatMap(({ id, critical, source }) => {
        const { path, isWritten } = pathOf(index, id);
        if (!isWritten && !critical) return [];
        const message = `${pathText(path)} (${placeText(one)}) judges ${id}, and nobody sends ${source.names.join(' or ')}`;
        return [{ code: 'metric-unsent' as const, path, message, ...file.placeOf(path) }];
      }),
    ),
  );
};

/** The same of those whose names are sent, and no point that passes their filters and is of no probe. */
export const filteredOutIn = (
  file: PolicyFile,
  seen: readonly FilteredOut[],
  /** Attributes that points have. */
  sent: ReadonlySet<string>,
): readonly (PolicyWarning & TextPlace)[] => {
  const pathOf = openPaths(file);
  return inOrder(
    seen.flatMap(({ policy, metric: { id, critical }, told }) => {
      const { path, isWritten } = pathOf(policy, id);
      if (!isWritten && !critical) return [];
      const place = file.document.policies[policy];
      const message = `${pathText(path)} (${place === undefined ? '' : placeText(place)}) judges ${id}, and ${told(sent)}`;
      return [{ code: 'metric-unsent' as const, path, message, ...file.placeOf(path) }];
    }),
  );
};

/** Warns of metrics that would promote nothing, as the buckets that were seen are too far from the durations. */
export const coarseIn = (
  file: PolicyFile,
  seen: readonly CoarseMetric[],
): readonly (PolicyWarning & TextPlace)[] => {
  const pathOf = openPaths(file);
  return inOrder(
    seen.map(({ policy, metric, message }) => {
      const { path } = pathOf(policy, metric);
      const told = `${pathText(path)}: ${message}`;
      return { code: 'no-bound' as const, path, message: told, ...file.placeOf(path) };
    }),
  );
};

/** Where a metric of a policy is written; the policy itself where its preset has it. */
const openPaths = ({
  text,
}: PolicyFile): ((
  policy: number,
  id: string,
) => { readonly path: PolicyPath; readonly isWritten: boolean }) => {
  const { policies } = JSON.parse(text) as {
    readonly policies: readonly { readonly metrics?: readonly { readonly name: string }[] }[];
  };
  return (policy, id) => {
    const written = (policies[policy]?.metrics ?? []).findIndex(
      ({ name }) => id === name || id.startsWith(`${name}{`),
    );
    const path = ['policies', policy, ...(written < 0 ? [] : ['metrics', written])];
    return { path, isWritten: written >= 0 };
  };
};

const placed = (
  { code, path, message }: PolicyProblem,
  placeOf: PlacedValue['placeOf'],
): TextProblem => ({ ...placeOf(path), code, message });

const inOrder = <Told extends TextPlace>(told: readonly Told[]): readonly Told[] =>
  told.toSorted((a, b) => a.line - b.line || a.column - b.column);
