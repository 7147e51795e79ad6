import type { ResourceAttributes } from '../../core/telemetry/resource-attributes.ts';
import {
  attributeLengthMax,
  attributeNames,
  readResourceAttributes,
  writeResourceAttributes,
} from '../../core/telemetry/resource-attributes.ts';
import type { Environment } from '../../sdk/ci/ci-job.ts';
import type { Note } from '../terminal/note.ts';
import type { KnownAttributes } from './known-attributes.ts';

// Variables of OpenTelemetry SDKs: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/

export type Variables = { readonly [name: string]: string };

export type Told = {
  readonly attributes: ResourceAttributes;
  /** Those to be set; what is set already and stays is not among them. */
  readonly variables: Variables;
  readonly notes: readonly Note[];
};

/** The attributes that are known, beside those that the environment has already. */
export const variablesFor = (
  env: Environment,
  { said, supposed }: Pick<KnownAttributes, 'said' | 'supposed'>,
): Told => {
  const before = readResourceAttributes(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  const attributes = { ...supposed, ...before.attributes, ...said };
  return {
    attributes,
    variables: {
      OTEL_RESOURCE_ATTRIBUTES: writeResourceAttributes(attributes),
      ...exportInterval(env),
    },
    notes: [
      ...before.unread.map(unreadNote),
      ...Object.entries(before.attributes).flatMap(([name, value]) =>
        Math.max(name.length, value.length) > attributeLengthMax ? [longNote(name)] : [],
      ),
      ...Object.entries(said).flatMap(([name, value]) => {
        // Any name may have been said, that of a method of every object, too.
        const other = Object.hasOwn(before.attributes, name) ? before.attributes[name] : undefined;
        // Of deployments one follows another: that is no surprise.
        const isSurprise = name !== attributeNames.deployment && name !== attributeNames.name;
        return other !== undefined && other !== value && isSurprise
          ? [replacedNote(name, other, value)]
          : [];
      }),
      ...otherNameNotes(env, attributes),
    ],
  };
};

/** Canaries are judged in windows of the longest interval that is seen, and the SDK's own is a minute. */
const intervalMs = 5000;

/** The timeout goes with it: an SDK refuses, or cuts short, one that is longer than the interval. */
const exportInterval = (env: Environment): Variables => {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  if (isSet('OTEL_METRIC_EXPORT_INTERVAL')) return {};
  if (isSet('OTEL_METRIC_EXPORT_TIMEOUT')) {
    const timeoutMs = Number(env['OTEL_METRIC_EXPORT_TIMEOUT']);
    return timeoutMs <= intervalMs ? { OTEL_METRIC_EXPORT_INTERVAL: String(intervalMs) } : {};
  }
  return {
    OTEL_METRIC_EXPORT_INTERVAL: String(intervalMs),
    OTEL_METRIC_EXPORT_TIMEOUT: String(intervalMs),
  };
};

const replacedNote = (name: string, before: string, now: string): Note => ({
  code: 'attribute-replaced',
  message: `OTEL_RESOURCE_ATTRIBUTES said ${name}=${shown(before)}, the deployment says ${shown(now)}`,
  hint: 'the deployment counts: the analyser finds its telemetry by that',
});

const unreadNote = (part: string): Note => ({
  code: 'attribute-unread',
  message: `OTEL_RESOURCE_ATTRIBUTES has a part that is no name=value, which is left out: ${shown(part)}`,
  hint: '',
});

/** Not ours to cut: other SDKs take it. */
const longNote = (name: string): Note => ({
  code: 'attribute-long',
  message: `OTEL_RESOURCE_ATTRIBUTES has ${shown(name)}, which is longer than ${attributeLengthMax} characters`,
  hint: "shorten it: Node's SDK takes no attribute at all then, the deployment neither",
});

const otherNameNotes = (env: Environment, attributes: ResourceAttributes): readonly Note[] => {
  const name = env['OTEL_SERVICE_NAME'] ?? '';
  const component = attributes[attributeNames.component];
  return name === '' || component === undefined || name === component
    ? []
    : [
        {
          code: 'service-name-differs',
          message: `OTEL_SERVICE_NAME is ${shown(name)}, the component is ${shown(component)}`,
          hint: 'SDKs take OTEL_SERVICE_NAME: deploy under that name, or unset it',
        },
      ];
};

const shownMax = 64;
const shown = (text: string): string => JSON.stringify(text.slice(0, shownMax));

/** One line that sets them, with or without quotes around `$(…)`: `export A='…'; export B='…';` */
export const shellText = (variables: Variables): string =>
  Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}';`)
    .join(' ');

/**
 * A line each, `NAME=value`. No value needs quotes, which `docker --env-file` would take for a part of it: see
 * writeResourceAttributes.
 */
export const lineTexts = (variables: Variables): readonly string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${value}`);
