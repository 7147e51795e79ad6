import { parseArgs } from 'node:util';
import { StackProblem } from './problem.ts';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';

const help = `Starts a real Apache Kafka and a real Redis for development, and stops them with Ctrl-C.

  npm run stack [-- start] [-- --nodes 3] [-- --json]

They are, in this order: the addresses in PLIMSOLL_TEST_KAFKA=host:port,… and PLIMSOLL_TEST_REDIS=redis://host:port;
containers, where a Docker engine answers; native processes on free loopback ports (Kafka's jars come through Maven
into the cache folder, Redis is Debian's redis-server). Their data is in a temporary folder and goes with them.

  --nodes  1 (default), or 3 Kafka nodes that keep three copies, of which two must be in sync; always native
  --json   one line: {"kafkaBrokers","redisUrl","versions":{"kafka","redis"},"how","log","store"}
  --help   this text

As root, missing Debian packages are installed; PLIMSOLL_INSTALL=0 forbids it.
Exit codes: 0 stopped by Ctrl-C, 2 bad input or a missing prerequisite, 6 a server did not come up.
`;

const exitCodes = {
  'missing-prerequisite': 2,
  'bad-address': 2,
  'not-started': 6,
  'not-ours': 1,
} as const;

async function main(): Promise<number> {
  const parsed = parse(process.argv.slice(2));
  if (typeof parsed === 'string') {
    process.stderr.write(`${parsed}\n\n${help}`);
    return 2;
  }
  if (parsed.help) {
    process.stdout.write(help);
    return 0;
  }
  const stopAsked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => resolve());
  });
  const say = (line: string): boolean => process.stderr.write(`${line}\n`);
  const starting = startStack({ env: process.env, say, nodes: parsed.nodes });
  // Stopped while starting: exiting ends what has been started so far.
  const stack = await Promise.race([starting, stopAsked]);
  if (stack === undefined) return 0;

  print(stack, parsed.json);
  await stopAsked;
  say('stopping');
  await stack.stop();
  return 0;
}

function parse(
  args: readonly string[],
): { readonly json: boolean; readonly help: boolean; readonly nodes: 1 | 3 } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        nodes: { type: 'string', default: '1' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const unknown = positionals.find((word, index) => index > 0 || word !== 'start');
    if (unknown !== undefined) return `unknown word: ${unknown}`;
    const { nodes, json = false, help: asksHelp = false } = values;
    if (nodes !== '1' && nodes !== '3') return `--nodes ${nodes}: 1 or 3`;
    return { json, help: asksHelp, nodes: nodes === '1' ? 1 : 3 };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function print(stack: Stack, json: boolean): void {
  const log = `kafka://${stack.kafkaBrokers.join(',')}`;
  const store = stack.redisUrl;
  const { kafkaBrokers, redisUrl, versions, how } = stack;
  process.stdout.write(
    json
      ? `${JSON.stringify({ kafkaBrokers, redisUrl, versions, how, log, store })}\n`
      : `Kafka ${versions.kafka}, Redis ${versions.redis} (${how})\n\n` +
          `export PLIMSOLL_LOG=${log} PLIMSOLL_STORE=${store}\n\nCtrl-C stops them.\n`,
  );
}

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof StackProblem)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exit(exitCodes[error.code]);
}
