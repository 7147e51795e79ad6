import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readComposeFile } from '../../services/dev/compose/compose-file.ts';
import type { ComposeService } from '../../services/dev/compose/compose-file.ts';
import { freePort } from '../../services/dev/stack/free-port.ts';
import { startOwn } from '../../services/dev/stack/own-process.ts';
import type { OwnProcess } from '../../services/dev/stack/own-process.ts';
import { eventually } from '../support/eventually.ts';
import { readExposition } from '../support/exposition.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// What docker-compose.yml starts, without an engine: each service with its command, its environment and its health
// check as they stand there, on the stack of the tests. Only addresses and ports are those of this machine.

const folder = scratchFolder();
const healthyWithinMs = 60_000;
const plimsoll = join(import.meta.dirname, '../../services/cli/plimsoll.mjs');
const portNames = ['PLIMSOLL_PORT', 'PLIMSOLL_OTLP_PORT', 'PLIMSOLL_METRICS_PORT'];

type Running = {
  readonly service: ComposeService;
  readonly process: OwnProcess;
  /** By the ports that stand in the file. */
  readonly portOf: ReadonlyMap<string, string>;
};

const start = async (service: ComposeService, audience: string): Promise<Running> => {
  const { kafkaBrokers, redisUrl } = sharedStack();
  const env: Record<string, string> = {
    ...service.environment,
    PATH: process.env['PATH'] ?? '',
    PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
    PLIMSOLL_STORE: redisUrl,
    PLIMSOLL_AUDIENCE: audience,
  };
  const portOf = new Map<string, string>();
  for (const name of portNames) {
    const inFile = env[name];
    if (inFile === undefined) continue;
    const port = String(await freePort());
    portOf.set(inFile, port);
    env[name] = port;
  }
  const running = startOwn(process.execPath, [plimsoll, ...service.command], folder, { env });
  return { service, process: running, portOf };
};

/** Runs the health check as the engine would. */
const isHealthy = ({ service, portOf }: Running): Promise<boolean> => {
  const [program, ...args] = (service.healthcheck ?? []).map((word) =>
    [...portOf].reduce((text, [inFile, port]) => text.replace(`:${inFile}/`, `:${port}/`), word),
  );
  expect(program).toBe('node');
  return new Promise((resolve) => {
    spawn(process.execPath, args, { stdio: 'ignore' }).on('close', (code) => resolve(code === 0));
  });
};

/** The first sample of each number of a service. */
const collect = async ({ portOf }: Running): Promise<ReadonlyMap<string, number>> => {
  const answer = await fetch(`http://127.0.0.1:${portOf.get('9464')}/metrics`);
  const families = readExposition(await answer.text(), 'prometheus');
  return new Map(
    families.flatMap(({ name, samples: [first] }) => (first ? [[name, first.value]] : [])),
  );
};

test(
  'the services of docker-compose.yml come up together on an empty log, healthy, and tell their numbers',
  async () => {
    const audience = freshAudience();
    mkdirSync(folder, { recursive: true });
    const file = readComposeFile(readFileSync('docker-compose.yml', 'utf8'), (where, what) => {
      throw new Error(`${where}: ${what}`);
    });
    const ours = (file?.services ?? []).filter(({ build }) => build !== null);
    const all = ours.flatMap((service) => Array.from({ length: service.replicas }, () => service));
    expect(all.map(({ name }) => name)).toEqual([
      ...['projector', 'projector', 'analyser', 'verifier', 'gateway'],
    ]);
    const running: Running[] = [];
    try {
      for (const service of all) running.push(await start(service, audience));
      await Promise.all(
        running.map((each) =>
          eventually(
            `${each.service.name} is healthy: ${each.process.lastOutput()}`,
            () => isHealthy(each),
            healthyWithinMs,
          ),
        ),
      );
      // One projector works and the other stands by; the analyser comes to work; all know one end of the log; the
      // verifier finds in the rows what the log says.
      await eventually(
        'the services meet in the log',
        async () => {
          const told = await Promise.all(running.map(collect));
          const active = told.map((numbers) => numbers.get('plimsoll_active') ?? 0);
          const [one = 0, other = 0, analyser = 0] = active;
          const [verified] = told.filter((_, at) => all[at]?.name === 'verifier');
          const others = told.filter((numbers) => numbers !== verified);
          const ends = new Set(others.map((numbers) => numbers.get('plimsoll_log_end_position')));
          const isWhole = verified?.get('plimsoll_models_divergent_rows') === 0;
          return one + other === 1 && analyser === 1 && ends.size === 1 && !ends.has(0) && isWhole;
        },
        healthyWithinMs,
      );
    } finally {
      await Promise.all(running.map((each) => each.process.stop()));
    }
  },
  2 * healthyWithinMs,
);
