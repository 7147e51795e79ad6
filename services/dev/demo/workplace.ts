import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from '../stack/stack.ts';
import type { Workplace } from './plimsoll.ts';
import { demoPolicy } from './policy.ts';

export type GatewayPorts = { readonly port: number; readonly otlpPort: number };

const policyName = 'policy.json';
/** What a program needs to run at all. Of the rest nothing is passed on: no settings, no CI job. */
const keptVariables = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** A folder for one demo, and the settings that everything in it gets. */
export const furnish = (
  folder: string,
  gateway: GatewayPorts,
  stack: Stack | undefined,
  stop: AbortSignal,
): Workplace => {
  writeFileSync(join(folder, policyName), `${JSON.stringify(demoPolicy, null, 2)}\n`);
  const kept = keptVariables.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = {
    ...Object.fromEntries(kept),
    PLIMSOLL_POLICY: join(folder, policyName),
    // The story needs what it says on the log, on a slow machine, too.
    PLIMSOLL_TIMEOUT: '25s',
    PLIMSOLL_PORT: String(gateway.port),
    PLIMSOLL_OTLP_PORT: String(gateway.otlpPort),
    ...(stack === undefined ? {} : stackSettings(stack)),
  };
  return { folder, env, stop };
};

/** An audience of its own keeps the demo apart from whatever else is on a given Kafka and Redis. */
const stackSettings = ({ kafkaBrokers, redisUrl }: Stack): NodeJS.ProcessEnv => ({
  PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
  PLIMSOLL_STORE: redisUrl,
  PLIMSOLL_AUDIENCE: `demo-${randomBytes(4).toString('hex')}`,
});
