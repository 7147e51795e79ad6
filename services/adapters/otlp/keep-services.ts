import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { KeepServices, MetricsProblem, OtlpContentType, Signal } from '../../ports/otlp.ts';
import type { AttributeList } from './attributes.ts';
import { serviceNameOf } from './attributes.ts';
import { attributesIn } from './json-attributes.ts';
import { inObject, isObject, listIn, WrongShape } from './json-fields.ts';
import { jsonMessage, RESOURCE_LISTS } from './json-parts.ts';
import { parseJson } from './json-text.ts';
import { METRICS_LIMITS } from './limits.ts';
import { leavesOf } from './message-parts.ts';
import type { Message } from './message-parts.ts';
import { resourceAttributesIn } from './protobuf-attributes.ts';
import { protobufMessage } from './protobuf-parts.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { requestFault } from './request-fault.ts';

/**
 * Whose a resource is, is read here by the very functions that judge it later, so that no spelling of a request is
 * one service to the door and another to the judge.
 */
export const keepServices: KeepServices = (signal, bytes, contentType, maySend) => {
  try {
    const opened = openRequest(signal, bytes, contentType);
    if (!opened.ok) return opened;
    const { services, message } = opened.value;
    const isKept = services.map(maySend);
    if (isKept.every(Boolean)) return ok({ bytes, left: 0 });
    const { parts, join } = message();
    const left = parts.reduce(
      (sum, part, index) => sum + (isKept[index] === true ? 0 : leavesOf(part)),
      0,
    );
    const kept = parts.filter((_, index) => isKept[index] === true);
    return ok({
      bytes: kept.length === 0 ? null : join(kept.map((part) => part.bytes)),
      left,
    });
  } catch (fault) {
    return fail(requestFault(fault));
  }
};

/** The services of a request's resources, in their order, and the request as parts in the same order. */
type Opened = { readonly services: readonly (string | null)[]; readonly message: () => Message };

const openRequest = (
  signal: Signal,
  bytes: Uint8Array,
  contentType: OtlpContentType,
): Result<Opened, MetricsProblem> => {
  switch (contentType) {
    case 'application/x-protobuf': {
      const message = protobufMessage(signal, bytes);
      return ok({
        services: message.parts.map((part) => serviceOf(protobufAttributes(part.bytes))),
        message: () => message,
      });
    }
    case 'application/json': {
      const request = parseJson(bytes, METRICS_LIMITS);
      if (!request.ok) return request;
      const { value } = request;
      if (!isObject(value)) throw new WrongShape('not an object', '');
      return ok({
        services: listIn(value, RESOURCE_LISTS[signal]).map((item) => {
          if (!isObject(item)) throw new WrongShape('not an object', '');
          return serviceOf(
            inObject(item, 'resource', (resource) => attributesIn(resource, METRICS_LIMITS)),
          );
        }),
        message: () => jsonMessage(signal, value),
      });
    }
  }
};

/** Of attributes that are too large nothing is believed, here as later. */
const serviceOf = (attributes: AttributeList): string | null =>
  attributes.tooLarge ? null : serviceNameOf(attributes);

/** The attributes of the resource in a part of a request: a tag, a length, and the resource with what it tells. */
const protobufAttributes = (part: Uint8Array): AttributeList => {
  const reader = new ProtobufReader(part);
  reader.next(part.byteLength);
  const end = reader.lengthEnd(part.byteLength);
  return resourceAttributesIn(reader, reader.at, end, METRICS_LIMITS);
};
