import type { MetricsProblem } from '../../ports/otlp.ts';
import { WrongShape } from './json-fields.ts';
import { MalformedProtobuf } from './protobuf-reader.ts';

/** What is wrong with a request that is read in parts; anything else that was thrown is thrown on. */
export const requestFault = (fault: unknown): MetricsProblem => {
  if (fault instanceof MalformedProtobuf)
    return { code: 'otlp-malformed', message: fault.message, offset: fault.offset };
  if (!(fault instanceof WrongShape)) throw fault;
  return { code: 'otlp-wrong-shape', message: fault.message, path: `$${fault.path}` };
};
