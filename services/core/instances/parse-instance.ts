import type { Shape } from '../markers/codec.ts';
import type { Check, FieldChecks, FieldProblem } from '../markers/parse-marker.ts';
import {
  artifactChecks,
  envelopeChecks,
  firstFault,
  isName,
  isNameOrNull,
  isTime,
  isUuid,
  slotChecks,
} from '../markers/parse-marker.ts';
import type { Body } from '../markers/upcast.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import type { InstanceStarted } from './instance.ts';

const isUuidOrNull: Check = (value, body) => (value === null ? undefined : isUuid(value, body));

const checks: FieldChecks = [
  ...envelopeChecks,
  ...slotChecks,
  ...artifactChecks,
  ['deployment', isUuidOrNull],
  ['instance', isName],
  ['cluster', isNameOrNull],
  ['zone', isNameOrNull],
  ['startedAt', isTime],
];

/**
 * The door of instances: a body of the newest version of its shape becomes a start, or is refused with the field's
 * name. Types are the schema's business and already right.
 */
export const parseInstance = (shape: Shape, body: Body): Result<InstanceStarted, FieldProblem> => {
  if (shape !== 'instance')
    return fail({
      code: 'kind-wrong-shape',
      path: 'kind',
      message: `a record of the shape ${shape} does not belong among instances`,
    });
  if (body['kind'] !== 'instance-started')
    return fail({
      code: 'kind-unknown',
      path: 'kind',
      message: 'the kind of an instance record must be instance-started',
    });
  const fault = firstFault(body, checks);
  return fault === undefined ? ok(body as unknown as InstanceStarted) : fail(fault);
};
