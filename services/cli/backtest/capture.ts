import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { requestFaultText } from '../../core/telemetry/request-fault.ts';
import type {
  DecodedTelemetry,
  LostPoints,
  TelemetryPoint,
} from '../../core/telemetry/telemetry-point.ts';
import type { CaptureLine, CaptureProblem } from '../../ports/capture.ts';
import type { MetricsProblem } from '../../ports/otlp.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import { bytesText, spanText } from '../terminal/display.ts';

/** As large as a request may be that the gateway takes. */
const captureLineBytesMax: number = 16 * 1024 * 1024;

/** What a capture is read into. */
export type CaptureSink = {
  readonly add: (points: readonly TelemetryPoint[], line: number) => void;
  /** Points of a line that say nothing. `text` is the line. */
  readonly lose: (lost: readonly LostPoints[], text: string) => void;
};

/** Reads what is judged out of one line. */
export type ReadSelected = (bytes: Uint8Array) => Result<DecodedTelemetry, MetricsProblem>;

/**
 * Reads a capture line by line: nothing but a line is in memory. The first line that cannot be read refuses it; a
 * fault in a single point is counted, and the others of its line are taken.
 */
export const readCapture = async (
  ports: Pick<CliPorts, 'captures' | 'clock' | 'note' | 'stop'>,
  read: ReadSelected,
  path: string,
  sink: CaptureSink,
): Promise<Result<{ readonly lines: number }, CliProblem>> => {
  const opened = await ports.captures.open(path, captureLineBytesMax);
  if (!opened.ok) return fail(captureFailed(opened.problem));
  const capture = opened.value;
  const onProgress = openBytesProgress(ports, `reading ${path}`, capture.bytes);
  let lines = 0;
  try {
    for (;;) {
      const next = await capture.next();
      if (!next.ok) return fail(captureFailed(next.problem));
      if (next.value.length === 0) break;
      for (const line of next.value) {
        if (isBlank(line)) continue;
        lines += 1;
        const taken = readLine(read, path, line, sink);
        if (!taken.ok) return taken;
      }
      onProgress(capture.readBytes());
      if (ports.stop.aborted)
        return fail(problem('stopped', 'it was stopped before its end', 'call again'));
    }
  } finally {
    await capture.close();
  }
  if (lines > 0) return ok({ lines });
  return fail(problem('capture-invalid', `${path} holds no line`, formatHint));
};

const formatHint =
  "one OTLP JSON export a line, as the Collector's file exporter writes it (format: json, no compression)";

const readLine = (
  read: ReadSelected,
  path: string,
  { number, bytes }: CaptureLine,
  sink: CaptureSink,
): Result<void, CliProblem> => {
  const invalid = (what: string): Result<never, CliProblem> =>
    fail(problem('capture-invalid', `${path}, line ${number}: ${what}`, formatHint));
  const body = number === 1 ? withoutMark(bytes) : bytes;
  const decoded = read(body);
  if (!decoded.ok) {
    const packed = number === 1 ? packedAs(bytes) : undefined;
    if (packed !== undefined) return invalid(packed);
    return invalid(requestFaultText(decoded.problem));
  }
  const { points, lost, dataPoints } = decoded.value;
  if (dataPoints === 0 && !isExport(body)) return invalid('it is no export of telemetry');
  if (lost.length > 0) sink.lose(lost, ascii.decode(bytes));
  sink.add(points, number);
  return ok(undefined);
};

const isBlank = ({ bytes }: CaptureLine): boolean =>
  bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);

/** How a file begins that is no plain text in UTF-8. */
const beginnings: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'it is packed by gzip: unpack it first (gunzip)'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'it is packed by zstd: let the exporter write without compression'],
  [[0xff, 0xfe], 'it is UTF-16, not UTF-8'],
  [[0xfe, 0xff], 'it is UTF-16, not UTF-8'],
];

const packedAs = (line: Uint8Array): string | undefined =>
  beginnings.find(([bytes]) => bytes.every((byte, index) => line[index] === byte))?.[1];

/** Without the byte order mark that some programs write. */
const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

const ascii = new TextDecoder('latin1');

/** One without points that are judged: traces and logs of the same exporter, other metrics, or nothing. */
const isExport = (bytes: Uint8Array): boolean => {
  const text = ascii.decode(bytes);
  return (
    /^\s*\{\s*\}\s*$/.test(text) ||
    /"resource_?([Mm]etrics|[Ss]pans|[Ll]ogs|[Pp]rofiles)"\s*:/.test(text)
  );
};

export const captureFailed = ({ code, message }: CaptureProblem): CliProblem => {
  switch (code) {
    case 'file-invalid':
      return problem('file-invalid', message, 'is it there, and readable?');
    case 'line-too-long':
      return problem('capture-invalid', message, formatHint);
  }
};

const everyMs = 2000;

/** Says on stderr how much of a file was read, and how long it still takes, when it takes its time. */
const openBytesProgress = (
  { clock, note }: Pick<CliPorts, 'clock' | 'note'>,
  what: string,
  total: number,
): ((done: number) => void) => {
  const startedAtMs = clock.nowMs();
  let saidAtMs = startedAtMs;
  return (done) => {
    const nowMs = clock.nowMs();
    if (nowMs - saidAtMs < everyMs || done >= total) return;
    saidAtMs = nowMs;
    const leftMs = ((total - done) / done) * (nowMs - startedAtMs);
    note({
      code: 'progress',
      message: `${what}: ${bytesText(done)} of ${bytesText(total)} (${Math.floor((done / total) * 100)} %), ${spanText(leftMs)} left`,
      hint: '',
    });
  };
};

/** Enough for the last export of a large fleet. */
const tailBytes: number = 1024 * 1024;

/** About when a capture ends: by the times in its last bytes, but the latest of them, which a wrong clock may have. */
export const captureEndMs = async (
  { captures }: Pick<CliPorts, 'captures'>,
  path: string,
): Promise<Result<number | null, CliProblem>> => {
  const tail = await captures.tail(path, tailBytes);
  if (!tail.ok) return fail(captureFailed(tail.problem));
  return ok(quantileOf(timesIn(tail.value), latestQuantile));
};

/** About when a capture begins: by the times of its first lines. */
export const captureBeginMs = async (
  { captures }: Pick<CliPorts, 'captures'>,
  path: string,
): Promise<Result<number | null, CliProblem>> => {
  const opened = await captures.open(path, captureLineBytesMax);
  if (!opened.ok) return fail(captureFailed(opened.problem));
  const lines = await opened.value.next();
  const times = lines.ok
    ? lines.value.slice(0, firstLines).flatMap((line) => timesIn(line.bytes))
    : [];
  await opened.value.close();
  return lines.ok ? ok(quantileOf(times, 1 - latestQuantile)) : fail(captureFailed(lines.problem));
};

const firstLines = 20;
const latestQuantile = 0.9;

/** Times of points in milliseconds, as far as a look at the text tells. */
const timesIn = (bytes: Uint8Array): readonly number[] =>
  [...ascii.decode(bytes).matchAll(/"time_?[uU]nix_?[nN]ano"\s*:\s*"?([0-9]{16,19})/g)].map(
    ([, nanos = '']) => Number(nanos.slice(0, -6)),
  );

const quantileOf = (times: readonly number[], share: number): number | null =>
  times.toSorted((one, other) => one - other)[Math.floor((times.length - 1) * share)] ?? null;
