import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below Linux's range for outgoing connections (from 32768): there, a client that reconnects to a server that was
// killed can take the server's own port, or connect to itself.
const portMin = 20_000;
const portMax = 32_000;
const triesMax = 100;
/** Ports given to this process: what will listen there may not do so yet, or may have been killed. */
const given = new Set<number>();

/** A loopback TCP port that nobody listens on at this moment. The same one is never given twice. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = randomInt(portMin, portMax);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${portMin} and ${portMax}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
