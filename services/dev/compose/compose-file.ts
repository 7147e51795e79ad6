import { parseDocument } from 'yaml';

// What of the Compose specification (github.com/compose-spec/compose-spec) our file uses, and not a word more: an
// unknown word is a typing error until somebody adds it here.

export type Published = {
  readonly host: string;
  readonly outside: number;
  readonly inside: number;
};

export type ComposeService = {
  readonly name: string;
  readonly image: string;
  readonly build: { readonly context: string; readonly dockerfile: string } | null;
  readonly command: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly ports: readonly Published[];
  readonly volumes: readonly { readonly volume: string; readonly at: string }[];
  /** The words of the check; null: there is none. */
  readonly healthcheck: readonly string[] | null;
  readonly dependsOn: { readonly [service: string]: string };
  readonly replicas: number;
};

export type ComposeFile = {
  readonly services: readonly ComposeService[];
  readonly volumes: readonly string[];
};

type Fault = (where: string, what: string) => void;
type Fields = { readonly [name: string]: unknown };

const topWords: ReadonlySet<string> = new Set(['name', 'services', 'volumes']);
const serviceWords: ReadonlySet<string> = new Set([
  ...['image', 'build', 'command', 'environment', 'ports', 'volumes', 'healthcheck', 'depends_on'],
  ...['restart', 'init', 'stop_grace_period', 'deploy'],
]);
const duration = /^\d+(ms|s|m)$/;
const restarts: ReadonlySet<unknown> = new Set(['no', 'always', 'on-failure', 'unless-stopped']);

/** Reads the file; what is not as the specification has it is told to `fault`, and left out. */
export const readComposeFile = (text: string, fault: Fault): ComposeFile | undefined => {
  const document = parseDocument(text, { merge: true, uniqueKeys: true, strict: true });
  for (const { message } of [...document.errors, ...document.warnings]) fault('yaml', message);
  if (document.errors.length > 0) return undefined;
  const top = fieldsOf(document.toJS(), 'the file', fault);
  for (const word of Object.keys(top))
    if (!topWords.has(word) && !word.startsWith('x-')) fault('the file', `unknown word ${word}`);
  const name = top['name'];
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9_-]*$/.test(name))
    fault('name', 'must be lower case letters, digits, - and _');
  const services = Object.entries(fieldsOf(top['services'], 'services', fault));
  const volumes = Object.entries(fieldsOf(top['volumes'] ?? {}, 'volumes', fault));
  for (const [volume, settings] of volumes)
    if (settings !== null) fault(`volumes.${volume}`, 'has settings that nobody checks');
  return {
    services: services.map(([service, settings]) => readService(service, settings, fault)),
    volumes: volumes.map(([volume]) => volume),
  };
};

const readService = (name: string, settings: unknown, faultOf: Fault): ComposeService => {
  const fault: Fault = (where, what) => faultOf(`${name}.${where}`, what);
  const fields = fieldsOf(settings, name, faultOf);
  for (const word of Object.keys(fields))
    if (!serviceWords.has(word)) faultOf(name, `unknown word ${word}`);
  const build = fields['build'] === undefined ? null : fieldsOf(fields['build'], 'build', fault);
  if (!restarts.has(fields['restart'])) fault('restart', 'must say what happens when it ends');
  if (!['boolean', 'undefined'].includes(typeof fields['init']))
    fault('init', 'must be true or false');
  const grace = fields['stop_grace_period'];
  if (grace !== undefined && !isDuration(grace)) fault('stop_grace_period', 'is no duration');
  const replicas = fieldsOf(fields['deploy'] ?? {}, 'deploy', fault)['replicas'] ?? 1;
  if (!Number.isInteger(replicas)) fault('deploy.replicas', 'must be a whole number');
  return {
    name,
    image: text(fields['image'], 'image', fault),
    build: build && {
      context: text(build['context'], 'build.context', fault),
      dockerfile: text(build['dockerfile'], 'build.dockerfile', fault),
    },
    command: texts(fields['command'] ?? [], 'command', fault),
    environment: readEnvironment(fields['environment'] ?? {}, fault),
    ports: texts(fields['ports'] ?? [], 'ports', fault).flatMap((port) => readPort(port, fault)),
    volumes: texts(fields['volumes'] ?? [], 'volumes', fault).flatMap((mount) =>
      readMount(mount, fault),
    ),
    healthcheck: readHealthcheck(fields['healthcheck'], fault),
    dependsOn: readDependsOn(fields['depends_on'] ?? {}, fault),
    replicas: Number(replicas),
  };
};

const readEnvironment = (settings: unknown, fault: Fault): ComposeService['environment'] => {
  const read: Record<string, string> = {};
  for (const [name, content] of Object.entries(fieldsOf(settings, 'environment', fault))) {
    // YAML reads yes, no, on and off as it likes: whoever means a word writes it in quotes.
    if (typeof content === 'string' || typeof content === 'number') {
      read[name] = withDefault(String(content));
      if (read[name].includes('${')) fault(`environment.${name}`, 'must be ${NAME:-DEFAULT} alone');
    } else fault(`environment.${name}`, 'must be a text or a number');
  }
  return read;
};

/** `${NAME:-DEFAULT}` as it is where nobody sets the name. */
const withDefault = (content: string): string =>
  content.replace(/^\$\{[A-Z][A-Z0-9_]*:-([^${}]*)\}$/, '$1');

const readPort = (port: string, fault: Fault): readonly Published[] => {
  const [, host = '', outside = '', inside = ''] =
    /^(?:(\d{1,3}(?:\.\d{1,3}){3}):)?(\d{1,5}):(\d{1,5})$/.exec(port) ?? [];
  if (inside !== '' && Number(outside) <= 65_535 && Number(inside) <= 65_535)
    return [{ host, outside: Number(outside), inside: Number(inside) }];
  fault('ports', `${port} is not ADDRESS:PORT:PORT`);
  return [];
};

const readMount = (mount: string, fault: Fault): ComposeService['volumes'] => {
  const [, volume, at] = /^([a-z0-9][a-z0-9_-]*):(\/[^:]+)$/.exec(mount) ?? [];
  if (volume !== undefined && at !== undefined) return [{ volume, at }];
  fault('volumes', `${mount} is not VOLUME:/FOLDER`);
  return [];
};

const readHealthcheck = (settings: unknown, fault: Fault): readonly string[] | null => {
  if (settings === undefined) return null;
  const { test, retries, ...times } = fieldsOf(settings, 'healthcheck', fault);
  const known = ['interval', 'timeout', 'start_period'];
  for (const [name, time] of Object.entries(times))
    if (!known.includes(name)) fault('healthcheck', `unknown word ${name}`);
    else if (!isDuration(time)) fault(`healthcheck.${name}`, 'is no duration');
  if (!Number.isInteger(retries)) fault('healthcheck.retries', 'must be a whole number');
  const words = texts(test, 'healthcheck.test', fault);
  if (words[0] !== 'CMD' || words.length < 2)
    fault('healthcheck.test', 'must be CMD and a program');
  return words.slice(1);
};

const readDependsOn = (settings: unknown, fault: Fault): ComposeService['dependsOn'] => {
  const read: Record<string, string> = {};
  for (const [service, how] of Object.entries(fieldsOf(settings, 'depends_on', fault)))
    read[service] = text(
      fieldsOf(how, `depends_on.${service}`, fault)['condition'],
      `depends_on.${service}.condition`,
      fault,
    );
  return read;
};

const isDuration = (value: unknown): boolean => typeof value === 'string' && duration.test(value);

const fieldsOf = (value: unknown, where: string, fault: Fault): Fields => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  fault(where, 'must be a list of names');
  return {};
};

const text = (value: unknown, where: string, fault: Fault): string => {
  if (typeof value === 'string' && value !== '') return value;
  fault(where, 'must be a text');
  return '';
};

const texts = (value: unknown, where: string, fault: Fault): readonly string[] => {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  fault(where, 'must be a list of texts');
  return [];
};
