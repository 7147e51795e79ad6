import { uuidPattern } from '../core/markers/parse-marker.ts';
import { attributeNames } from '../core/telemetry/resource-attributes.ts';

/** As OpenTelemetry's API has it: who does not use that needs none of its types either. */
export type TraceContext = {
  getValue: (key: symbol) => unknown;
  setValue: (key: symbol, value: unknown) => TraceContext;
  deleteValue: (key: symbol) => TraceContext;
};

export type Baggage = {
  /** The context with the deployment in its baggage; unchanged where that is no id of a deployment. */
  readonly withDeployment: (
    context: TraceContext,
    deployment: string | null | undefined,
  ) => TraceContext;
  /** The deployment that whoever called us runs as, or null. It is hearsay: to be shown, not to be acted on. */
  readonly deploymentIn: (context: TraceContext) => string | null;
};

/**
 * Carries `deployment.id` from service to service in OpenTelemetry's baggage. Needs the package @opentelemetry/api beside
 * this one, and rejects where it is not there.
 */
export const openBaggage = async (): Promise<Baggage> => {
  const { withEntry, entryIn } = await import('../adapters/telemetry/baggage.ts').catch(
    (cause: unknown) => {
      throw new Error('baggage needs OpenTelemetry: npm install @opentelemetry/api', { cause });
    },
  );
  return {
    withDeployment: (context, deployment) =>
      uuidPattern.test(deployment ?? '')
        ? withEntry(context, attributeNames.deployment, deployment ?? '')
        : context,
    deploymentIn: (context) => {
      const said = entryIn(context, attributeNames.deployment) ?? '';
      return uuidPattern.test(said) ? said : null;
    },
  };
};
