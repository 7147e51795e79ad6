import type { WriteMetricsResponse } from '../../ports/otlp.ts';

/** Tags of field number and wire type; 1 = length-delimited 2, varint 0. */
const PARTIAL_SUCCESS_TAG = (1 << 3) | 2;
const REJECTED_DATA_POINTS_TAG = (1 << 3) | 0;
const ERROR_MESSAGE_TAG = (2 << 3) | 2;

/**
 * The body of an ExportMetricsServiceResponse. Without rejected points it says that all was taken;
 * with them it is a partial success, which by the standard the sender must not send again.
 */
export const encodeMetricsResponse: WriteMetricsResponse = (contentType, rejected) => {
  const points = rejected.reduce((total, { count }) => total + count, 0);
  const message = rejected.map(({ reason, count }) => `${reason}: ${count}`).join(', ');
  switch (contentType) {
    case 'application/json': {
      const partialSuccess = { rejectedDataPoints: String(points), errorMessage: message };
      return Buffer.from(JSON.stringify(points === 0 ? {} : { partialSuccess }));
    }
    case 'application/x-protobuf': {
      if (points === 0) return new Uint8Array();
      const text = Buffer.from(message);
      const body = [
        ...[REJECTED_DATA_POINTS_TAG, ...varint(points)],
        ...[ERROR_MESSAGE_TAG, ...varint(text.length), ...text],
      ];
      return Uint8Array.from([PARTIAL_SUCCESS_TAG, ...varint(body.length), ...body]);
    }
  }
};

const varint = (value: number): readonly number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
};
