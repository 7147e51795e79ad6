import { propagation } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';

/** The context with an entry more in its baggage. Propagators of OpenTelemetry carry it on in the header `baggage`. */
export const withEntry = (context: Context, name: string, value: string): Context => {
  const baggage = propagation.getBaggage(context) ?? propagation.createBaggage();
  return propagation.setBaggage(context, baggage.setEntry(name, { value }));
};

/** What an entry of a context's baggage says. Anybody may have written it who sends us requests. */
export const entryIn = (context: Context, name: string): string | undefined =>
  propagation.getBaggage(context)?.getEntry(name)?.value;
