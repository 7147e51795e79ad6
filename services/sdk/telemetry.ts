import { uuidPattern } from '../core/markers/parse-marker.ts';
import type { DeploymentTold, ResourceAttributes } from '../core/telemetry/resource-attributes.ts';
import {
  attributeNames,
  attributesOf,
  deploymentOf,
  readResourceAttributes,
} from '../core/telemetry/resource-attributes.ts';

export type { DeploymentTold } from '../core/telemetry/resource-attributes.ts';

// Ties what a running service tells to its deployment. Nothing here loads or needs OpenTelemetry.

/**
 * The deployment that a process runs as, from what `plimsoll env` put into its environment:
 * `runningDeployment(process.env)`. What is not said there is absent; `deployment` is null where no id is.
 */
export const runningDeployment = (env: {
  readonly [name: string]: string | undefined;
}): DeploymentTold => {
  const { attributes } = readResourceAttributes(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  const name = env['OTEL_SERVICE_NAME'] ?? '';
  return deploymentOf(
    name === '' ? attributes : { ...attributes, [attributeNames.component]: name },
  );
};

/** For `resourceFromAttributes` of an OpenTelemetry SDK: `deployment.id`, `service.version` and so on, as far as told. */
export const deploymentAttributes = (told: DeploymentTold): ResourceAttributes =>
  attributesOf(told);

/** Fields for each line of a log, such as `logger.child(logFields(running))`: what tells one deployment from another. */
export const logFields = ({ deployment, version }: DeploymentTold): ResourceAttributes =>
  attributesOf({ deployment: deployment ?? null, version: version ?? null });

/** What of a response is used: that of node:http, Express and Connect; of Fastify `reply.raw`. */
export type HeaderSetter = {
  readonly headersSent: boolean;
  setHeader: (name: string, value: string) => unknown;
};

export type NameDeployment = (request: unknown, response: HeaderSetter, next?: () => void) => void;

/** The response header that names the deployment which answered. */
export const deploymentHeader = 'plimsoll-deployment';

/** Middleware that names the deployment in each response. Without an id it does nothing but go on. */
export const nameDeployment = ({ deployment }: DeploymentTold): NameDeployment => {
  const id = uuidPattern.test(deployment ?? '') ? deployment : null;
  return (_request, response, next) => {
    if (typeof id === 'string' && !response.headersSent) response.setHeader(deploymentHeader, id);
    next?.();
  };
};
