import { uuidPattern } from '../markers/parse-marker.ts';

// What OpenTelemetry says of a process as a whole: https://opentelemetry.io/docs/specs/otel/resource/sdk/

/** Resource attributes by OpenTelemetry's names. */
export type ResourceAttributes = { readonly [name: string]: string };

/** The names of OpenTelemetry's semantic conventions 1.44 that tie telemetry to a deployment. */
export const attributeNames = {
  deployment: 'deployment.id',
  name: 'deployment.name',
  environment: 'deployment.environment.name',
  component: 'service.name',
  version: 'service.version',
} as const;

/** What runs, as a marker tells of it. What is absent or empty is no attribute. */
export type DeploymentTold = {
  readonly [Part in keyof typeof attributeNames]?: string | null;
};

/** Of a name or a value, in UTF-16 code units: an SDK that meets a longer one (Node's) takes none of them. */
export const attributeLengthMax = 255;

/** The resource attributes that say which deployment telemetry is of. */
export const attributesOf = (told: DeploymentTold): ResourceAttributes =>
  Object.fromEntries(
    parts.flatMap((part) => {
      const value = told[part] ?? '';
      const isDeployment = part === 'deployment';
      if (value === '' || value.length > attributeLengthMax) return [];
      return isDeployment && !uuidPattern.test(value) ? [] : [[attributeNames[part], value]];
    }),
  );

/** The reverse of it: what resource attributes say runs. */
export const deploymentOf = (attributes: ResourceAttributes): DeploymentTold => {
  const told = Object.fromEntries(
    parts.flatMap((part) => {
      const value = attributes[attributeNames[part]];
      return value === undefined || value === '' ? [] : [[part, value]];
    }),
  ) as DeploymentTold;
  const deployment = told.deployment ?? '';
  return { ...told, deployment: uuidPattern.test(deployment) ? deployment : null };
};

const parts = Object.keys(attributeNames) as (keyof typeof attributeNames)[];

/**
 * As OTEL_RESOURCE_ATTRIBUTES has them: `name=value,name=value`, percent-encoded. All but letters, digits and `-_./:` is
 * encoded, which is more than the specification asks for, so that no shell, no file of variables and no list of words
 * finds anything in it.
 */
export const writeResourceAttributes = (attributes: ResourceAttributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join(',');

const encoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:2F|3A)/g, decodeURIComponent);

/** What OTEL_RESOURCE_ATTRIBUTES says, and the parts of it that say nothing. */
export const readResourceAttributes = (
  text: string,
): { readonly attributes: ResourceAttributes; readonly unread: readonly string[] } => {
  const pairs: [name: string, value: string][] = [];
  const unread: string[] = [];
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const at = part.indexOf('=');
    const name = decoded(part.slice(0, Math.max(0, at)).trim());
    if (name === '') unread.push(part);
    else pairs.push([name, decoded(part.slice(at + 1).trim())]);
  }
  return { attributes: Object.fromEntries(pairs), unread };
};

/** Where the encoding is broken it is taken as it was written: an SDK would take nothing at all. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
