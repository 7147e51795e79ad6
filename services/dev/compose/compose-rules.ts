import { parseArguments } from '../../cli/terminal/parse-arguments.ts';
import type { ServiceName } from '../../cli/ports.ts';
import type { Settings } from '../../core/settings.ts';
import { parseSettings } from '../../core/settings.ts';
import { readComposeFile } from './compose-file.ts';
import type { ComposeFile, ComposeService } from './compose-file.ts';
import { kafkaFaults } from './kafka-rules.ts';

type Fault = (where: string, what: string) => void;

/** What the file names on disk, relative to the repository. */
export type Files = {
  readonly read: (path: string) => string | undefined;
  readonly has: (path: string) => boolean;
};

const programs: ReadonlySet<string> = new Set<ServiceName>(['gateway', 'projector', 'analyser']);
/** Stays as a service does, where it is told to follow. */
const verifier = 'verify-models';
const nodeMajorMin = 22;

/** Everything that can be told to be wrong with the Compose file without an engine; empty: nothing. */
export const composeFaults = (text: string, files: Files): readonly string[] => {
  const found: string[] = [];
  const fault: Fault = (where, what) => void found.push(`${where}: ${what}`);
  const file = readComposeFile(text, fault);
  if (file === undefined) return found;
  for (const service of file.services) {
    imageFaults(service, files, fault);
    mountFaults(service, file, fault);
    dependencyFaults(service, file, fault);
    if (service.healthcheck === null) fault(service.name, 'has no health check');
  }
  portFaults(file, fault);
  volumeFaults(file, fault);
  circleFaults(file, fault);
  kafkaFaults(file, fault);
  redisFaults(file, fault);
  plimsollFaults(file, fault);
  return found;
};

const imageFaults = ({ name, image, build }: ComposeService, files: Files, fault: Fault): void => {
  const tag = /^[a-z0-9./-]+:([\w.-]+)$/.exec(image)?.[1];
  if (tag === undefined || tag === 'latest') fault(`${name}.image`, `${image} names no version`);
  if (build === null) return;
  if (!files.has(build.context)) fault(`${name}.build`, `no folder ${build.context}`);
  const dockerfile = files.read(build.dockerfile);
  if (dockerfile === undefined) return fault(`${name}.build`, `no file ${build.dockerfile}`);
  const base = Number(/^FROM node:(\d+)/m.exec(dockerfile)?.[1]);
  if (!(base >= nodeMajorMin))
    fault(build.dockerfile, `must be FROM node:${nodeMajorMin} or newer`);
  for (const [, list = ''] of dockerfile.matchAll(/^COPY (.+)$/gm))
    for (const source of list.trim().split(/\s+/).slice(0, -1))
      if (!files.has(source)) fault(build.dockerfile, `copies ${source}, which is not there`);
  const ignored = files.read(`${build.dockerfile}.dockerignore`)?.split('\n') ?? [];
  if (!ignored.includes('*'))
    fault(build.dockerfile, 'its .dockerignore must begin by leaving out all');
};

const mountFaults = ({ name, volumes }: ComposeService, file: ComposeFile, fault: Fault): void => {
  for (const { volume } of volumes)
    if (!file.volumes.includes(volume)) fault(`${name}.volumes`, `${volume} is not declared`);
};

const volumeFaults = ({ services, volumes }: ComposeFile, fault: Fault): void => {
  const used = new Set(services.flatMap((service) => service.volumes.map(({ volume }) => volume)));
  for (const volume of volumes) if (!used.has(volume)) fault(`volumes.${volume}`, 'nobody uses it');
};

const dependencyFaults = (service: ComposeService, file: ComposeFile, fault: Fault): void => {
  for (const [other, condition] of Object.entries(service.dependsOn)) {
    const where = `${service.name}.depends_on.${other}`;
    const found = file.services.find(({ name }) => name === other);
    if (found === undefined) fault(where, 'there is no such service');
    else if (condition !== 'service_healthy') fault(where, 'must wait until it is healthy');
  }
};

const circleFaults = ({ services }: ComposeFile, fault: Fault): void => {
  const waiting = new Map(services.map(({ name, dependsOn }) => [name, Object.keys(dependsOn)]));
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const [name, others] of waiting) {
      if (others.some((other) => waiting.has(other))) continue;
      waiting.delete(name);
      isMoving = true;
    }
  }
  if (waiting.size > 0) fault('depends_on', `a circle: ${[...waiting.keys()].join(', ')}`);
};

const portFaults = ({ services }: ComposeFile, fault: Fault): void => {
  const taken = new Map<number, string>();
  for (const { name, ports, replicas } of services)
    for (const { host, outside } of ports) {
      const other = taken.get(outside);
      if (other !== undefined) fault(`${name}.ports`, `${outside} is taken by ${other}`);
      taken.set(outside, name);
      if (host !== '127.0.0.1') fault(`${name}.ports`, `${outside} must be on loopback alone`);
      if (replicas > 1) fault(`${name}.ports`, `${replicas} of it cannot share port ${outside}`);
    }
};

const redisFaults = ({ services }: ComposeFile, fault: Fault): void => {
  const redis = services.find(({ image }) => image.startsWith('redis:'));
  if (redis === undefined) return fault('services', 'there is no Redis');
  const words = redis.command.join(' ');
  if (!words.includes('--appendonly yes')) fault(redis.name, 'must keep an append-only file');
  if (!words.includes('--maxmemory-policy noeviction')) fault(redis.name, 'must never evict');
  if (!redis.volumes.some(({ at }) => at === '/data'))
    fault(redis.name, 'must keep /data in a volume');
};

const plimsollFaults = (file: ComposeFile, fault: Fault): void => {
  const ours = file.services.filter(({ build }) => build !== null);
  for (const program of [...programs, verifier])
    if (!ours.some(({ command }) => command[0] === program))
      fault('services', `no ${program} runs`);
  for (const service of ours) ownServiceFaults(service, file, fault);
  const audiences = new Set(ours.map(({ environment }) => environment['PLIMSOLL_AUDIENCE']));
  if (audiences.size > 1) fault('services', 'services of two audiences do not meet');
};

const ownServiceFaults = (service: ComposeService, file: ComposeFile, fault: Fault): void => {
  const { name, command, environment, volumes, replicas } = service;
  const [program = '', ...more] = command;
  const asked = parseArguments(command);
  if (!asked.ok) fault(`${name}.command`, asked.problem.message);
  if (program === verifier ? !more.includes('--follow') : !programs.has(program) || more.length > 0)
    fault(`${name}.command`, `plimsoll ${command.join(' ')} is no service`);
  const settings = parseSettings(environment);
  if (!settings.ok) return fault(`${name}.environment`, settings.problem.message);
  for (const unknown of settings.value.unknown)
    fault(`${name}.environment`, `${unknown} is no setting that services read`);
  // Not known there: compose hands them to the container all the same.
  for (const other of Object.keys(environment))
    if (!other.startsWith('PLIMSOLL_')) fault(`${name}.environment`, `${other} is not ours`);
  if (!volumes.some(({ at }) => at.endsWith('/plimsoll-data')))
    fault(`${name}.volumes`, 'must keep plimsoll-data: its keys are in it');
  if (program === 'projector' && replicas < 2) fault(name, 'needs another that stands by');
  foundationFaults(service, settings.value, file, fault);
  doorFaults(service, settings.value, fault);
};

const foundationFaults = (
  { name, dependsOn }: ComposeService,
  { log, store }: Settings,
  { services }: ComposeFile,
  fault: Fault,
): void => {
  const reach = (address: string): void => {
    const [host = '', port = ''] = address.split(':');
    const server = services.find((service) => service.name === host);
    if (server === undefined) return fault(`${name}.environment`, `${address}: no service ${host}`);
    if (!(host in dependsOn)) fault(`${name}.depends_on`, `must wait for ${host}`);
    const listeners = server.environment['KAFKA_LISTENERS'] ?? 'INSIDE://0.0.0.0:6379';
    if (!listeners.includes(`INSIDE://0.0.0.0:${port}`))
      fault(`${name}.environment`, `${address}: ${host} does not listen there`);
  };
  if (log.foundation !== 'kafka') return fault(`${name}.environment`, 'PLIMSOLL_LOG must be Kafka');
  if (store.foundation !== 'redis')
    return fault(`${name}.environment`, 'PLIMSOLL_STORE must be Redis');
  for (const broker of log.brokers) reach(broker);
  reach(new URL(store.url).host);
};

/** What is published, and what the health check asks, must be where the settings make the service listen. */
const doorFaults = (
  { name, command, ports, healthcheck }: ComposeService,
  { host, port, otlpPort, metricsPort }: Settings,
  fault: Fault,
): void => {
  const own = command[0] === 'gateway' ? [port, otlpPort] : [];
  const usual = parseSettings({});
  if (usual.ok && (port !== usual.value.port || otlpPort !== usual.value.otlpPort))
    fault(`${name}.environment`, 'ports are not those that pipelines and senders know');
  const listens: readonly (number | null)[] = [...own, metricsPort];
  for (const { inside } of ports)
    if (!listens.includes(inside)) fault(`${name}.ports`, `nothing listens on ${inside}`);
  for (const door of own)
    if (!ports.some(({ inside, outside }) => inside === door && outside === door))
      fault(`${name}.ports`, `${door} must be published as ${door}`);
  if (ports.length > 0 && host !== '0.0.0.0')
    fault(`${name}.environment`, 'PLIMSOLL_HOST must be 0.0.0.0: ports are published');
  const asked = /http:\/\/127\.0\.0\.1:(\d+)\/(healthz|readyz)/.exec(healthcheck?.join(' ') ?? '');
  const paths = Number(asked?.[1]) === port && own.length > 0 ? ['healthz', 'readyz'] : ['healthz'];
  if (!listens.includes(Number(asked?.[1])) || !paths.includes(asked?.[2] ?? ''))
    fault(`${name}.healthcheck`, 'asks where nothing answers');
};
