import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

/** How much traffic, and where it ends whatever happens. */
export type LoadLimits = {
  readonly requestsPerSecond: number;
  readonly requestsMax: number;
  readonly durationMsMax: number;
  readonly inFlightMax: number;
};

export type Load = {
  /** Resolves when no request is under way any more, because it was stopped or met a limit. */
  readonly over: Promise<void>;
  readonly stop: () => Promise<void>;
};

const tickMs = 20;
/** After a pause of ours the load goes on at its rate: what was not sent meanwhile is not made up for. */
const catchUpMsMax = 200;

/** Calls `send` at a steady rate until a limit is met. A `send` that rejects ends in an unhandled rejection: none may. */
export const startLoad = (limits: LoadLimits, send: () => Promise<void>): Load => {
  const startedMs = performance.now();
  let lastMs = startedMs;
  let owed = 0;
  let begun = 0;
  let inFlight = 0;
  let ending = false;
  let settle: () => void = () => undefined;
  const over = new Promise<void>((done) => {
    settle = done;
  });

  const sendOne = async (): Promise<void> => {
    begun += 1;
    inFlight += 1;
    await send();
    inFlight -= 1;
    if (ending && inFlight === 0) settle();
  };
  const tick = (): void => {
    const nowMs = performance.now();
    const sinceMs = Math.min(nowMs - lastMs, catchUpMsMax);
    lastMs = nowMs;
    owed += (sinceMs * limits.requestsPerSecond) / 1_000;
    for (; owed >= 1; owed -= 1) {
      if (begun >= limits.requestsMax) return end();
      if (inFlight < limits.inFlightMax) void sendOne();
    }
    if (nowMs - startedMs >= limits.durationMsMax) end();
  };
  const timer = setInterval(tick, tickMs);
  const end = (): void => {
    if (ending) return;
    ending = true;
    clearInterval(timer);
    if (inFlight === 0) settle();
  };

  return {
    over,
    stop: () => {
      end();
      return over;
    },
  };
};

export type LoopbackClient = {
  /** POSTs to a port of this machine, never another. Gives the status, or `lost` without an answer in time. */
  readonly post: (port: number, path: string, body: string) => Promise<number | 'lost'>;
  readonly close: () => void;
};

const answerWithinMs = 5_000;

export const openLoopbackClient = (connectionsMax: number): LoopbackClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  return {
    post: (port, path, body) =>
      new Promise((done) => {
        const headers = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        };
        const sent = request(
          {
            agent,
            host: '127.0.0.1',
            port,
            path,
            method: 'POST',
            headers,
            timeout: answerWithinMs,
          },
          (response) => {
            response.resume();
            response.on('end', () => done(response.statusCode ?? 'lost'));
            response.on('error', () => done('lost'));
          },
        );
        sent.on('timeout', () => sent.destroy());
        sent.on('error', () => done('lost'));
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
};
