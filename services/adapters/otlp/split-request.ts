import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { MetricsProblem, OtlpContentType, Signal, SplitOtlp } from '../../ports/otlp.ts';
import { jsonMessage } from './json-parts.ts';
import { parseJson } from './json-text.ts';
import { METRICS_LIMITS } from './limits.ts';
import { leavesIn } from './message-parts.ts';
import type { Message, Part } from './message-parts.ts';
import { protobufMessage } from './protobuf-parts.ts';
import { requestFault } from './request-fault.ts';

/**
 * What a piece may spend on frames, as a share of it. It bounds what a small request can be blown up to by a large
 * frame around many points.
 */
const FRAMES_SHARE_MAX = 1 / 2;

export const splitOtlp: SplitOtlp = (signal, bytes, contentType, pieceBytesMax) => {
  if (bytes.byteLength <= pieceBytesMax) return ok({ pieces: [bytes], lost: 0 });
  try {
    const whole = openWhole(signal, bytes, contentType);
    if (!whole.ok) return whole;
    const lost = { count: 0 };
    const framesMax = pieceBytesMax * FRAMES_SHARE_MAX;
    return ok({ pieces: split(whole.value, pieceBytesMax, framesMax, lost), lost: lost.count });
  } catch (fault) {
    return fail(requestFault(fault));
  }
};

const openWhole = (
  signal: Signal,
  bytes: Uint8Array,
  contentType: OtlpContentType,
): Result<Message, MetricsProblem> => {
  switch (contentType) {
    case 'application/x-protobuf':
      return ok(protobufMessage(signal, bytes));
    case 'application/json': {
      const request = parseJson(bytes, METRICS_LIMITS);
      return request.ok ? ok(jsonMessage(signal, request.value)) : request;
    }
  }
};

/** Copies of the message, none over `bytesMax`, that hold its parts in their order, each as full as they come. */
const split = (
  message: Message,
  bytesMax: number,
  framesMax: number,
  lost: { count: number },
): readonly Uint8Array[] => {
  if (message.frameBytes > framesMax) {
    lost.count += leavesIn(message);
    return [];
  }
  const room = bytesMax - message.frameBytes;
  const pieces: Uint8Array[] = [];
  let together: Uint8Array[] = [];
  let bytes = 0;
  const close = (): void => {
    if (together.length > 0) pieces.push(message.join(together));
    together = [];
    bytes = 0;
  };
  for (const part of message.parts) {
    for (const fitting of fit(
      part,
      room - message.separatorBytes,
      framesMax - message.frameBytes,
      lost,
    )) {
      const needed = fitting.byteLength + message.separatorBytes;
      if (bytes + needed > room) close();
      together.push(fitting);
      bytes += needed;
    }
  }
  close();
  return pieces;
};

const fit = (
  part: Part,
  bytesMax: number,
  framesMax: number,
  lost: { count: number },
): readonly Uint8Array[] => {
  if (part.bytes.byteLength <= bytesMax) return [part.bytes];
  const message = part.open();
  if (message !== null) return split(message, bytesMax, framesMax, lost);
  lost.count += 1;
  return [];
};
