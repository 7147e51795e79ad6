import { settingNames } from '../core/settings.ts';

// The table of commands: what each takes and what its help says.

export type Option = {
  readonly name: string;
  /** What the help writes for the value; null: a switch without one. */
  readonly value: string | null;
  readonly meaning: string;
  readonly isRepeatable?: boolean;
  readonly isRequired?: boolean;
};

export type CommandName =
  | 'release plan'
  | 'release update'
  | 'release log'
  | 'current'
  | 'timeline'
  | 'show'
  | 'decisions'
  | 'environments'
  | 'components'
  | 'dead-letters list'
  | 'dead-letters show'
  | 'keys new'
  | 'keys list'
  | 'keys trust'
  | 'keys retire'
  | 'keys compromised'
  | 'rebuild'
  | 'up'
  | 'gateway'
  | 'projector'
  | 'analyser';

export type Command = {
  readonly name: CommandName;
  readonly summary: string;
  /** Words after the command. Only the last may be optional. */
  readonly words: readonly { readonly name: string; readonly isOptional?: boolean }[];
  readonly options: readonly Option[];
  /** What follows `plimsoll` and the command's name; at least one. */
  readonly examples: readonly string[];
};

const option = (name: string, value: string | null, meaning: string): Option => ({
  name,
  value,
  meaning,
});
const required = (name: string, value: string, meaning: string): Option => ({
  ...option(name, value, meaning),
  isRequired: true,
});
const repeatable = (name: string, value: string, meaning: string): Option => ({
  ...option(name, value, meaning),
  isRepeatable: true,
});

/** Options that every command takes. */
export const commonOptions: readonly Option[] = [
  option('json', null, 'machine output; errors as {code,message,hint} on stderr'),
  option('help', null, 'this help'),
];

const placeOptions: readonly Option[] = [
  option('environment-name', 'NAME', 'environment (default: default)'),
  option('component-name', 'NAME', 'what is deployed (default: name of the repository)'),
  option('namespace', 'NAME', 'namespace (default: default)'),
  option('target', 'NAME', 'exact place inside the environment, such as a region'),
];

const filterOptions: readonly Option[] = [
  option('environment-name', 'NAME', 'only this environment'),
  option('component-name', 'NAME', 'only this component'),
  option('namespace', 'NAME', 'only this namespace'),
  option('target', 'NAME', 'only this target'),
];

const deliveryOptions: readonly Option[] = [
  option('key', 'FILE', 'key file to sign with (default: PLIMSOLL_KEY)'),
  option('source', 'URI', 'who says it (default: the CI job)'),
  option('timeout', 'TIME', 'give up after this long, such as 500ms or 10s (default 10s)'),
  option('strict', null, 'nothing is spooled yet: a command fails anyway when it cannot deliver'),
  option('no-fail', null, 'exit 0 whatever happens'),
];

const artifactOptions: readonly Option[] = [
  required('target-version', 'VERSION', 'the version that is deployed'),
  option('digest', 'sha256:…', 'digest of the artifact that runs'),
  option('rollback', null, 'this brings back an earlier version'),
];

const detailOptions: readonly Option[] = [
  option('commit', 'HASH', 'commit of what runs'),
  option('repository', 'URL', 'repository of the change'),
  option('build', 'ID', 'build that made the artifact'),
  option('trigger', 'WORD', 'push, tag, schedule, api, manual, rerun or auto'),
  option('actor', 'NAME', 'person or account that started it'),
  option('owner', 'TEAM', 'team that answers for it'),
  repeatable('ticket', 'ID', 'change ticket'),
  option('intent', 'WORD', 'planned, fix, rollback, config, migration or flag'),
  repeatable('risk', 'WORD', 'a risk, such as schema-migration'),
  option('cluster', 'NAME', 'cluster it runs in'),
  option('zone', 'NAME', 'zone or region it runs in'),
  option('function-version', 'ID', 'version of a serverless function'),
  option('function-alias', 'NAME', 'alias of a serverless function'),
  option('runbook', 'URL', 'where the runbook is'),
  repeatable('resource', 'NAME=VALUE', 'requested resource, such as cpu=500m'),
  repeatable('label', 'NAME:VALUE', 'label, at most 20'),
  repeatable('link', 'NAME=URL', 'link'),
  repeatable('change', 'TYPE:ID[:TITLE]', 'commit or pull-request it is made of'),
];

const deploymentOption = option(
  'deployment',
  'UUID',
  'default: that of the CI run, or of the last plan here under that name',
);

const release: readonly Command[] = [
  {
    name: 'release plan',
    summary: 'announce a deployment and follow its status',
    words: [{ name: 'deploy-name', isOptional: true }],
    options: [
      ...artifactOptions,
      ...placeOptions,
      option('strategy', 'WORD', 'rolling, canary, blue-green, all-at-once, …'),
      option('canary-share', 'SHARE', 'share of the traffic it gets at first, above 0 and up to 1'),
      deploymentOption,
      ...detailOptions,
      ...deliveryOptions,
    ],
    examples: [
      '--environment-name=production --component-name=shop --target-version=2.0.0',
      'eu-deploy --target-version=2.0.0 --canary-share=0.1 --ticket=CHG-7',
    ],
  },
  {
    name: 'release update',
    summary: 'say how a planned deployment goes',
    words: [{ name: 'deploy-name', isOptional: true }],
    options: [
      option('status', 'STATUS', 'RUNNING, SUCCESS, FAILED, CANCELED (other spellings too)'),
      option('failure-reason', 'TEXT', 'why it failed or was canceled'),
      option('canary-share', 'SHARE', 'instead of a status: the share of traffic it has now'),
      option('colour', 'WORD', 'instead of a status: the colour that has the traffic now'),
      ...placeOptions.map(({ name, value }) =>
        option(name, value, 'must be what was planned; may be left out'),
      ),
      deploymentOption,
      ...detailOptions,
      ...deliveryOptions,
    ],
    examples: ['--status=SUCCESS', 'eu-deploy --status=FAILED --failure-reason="health check"'],
  },
  {
    name: 'release log',
    summary: 'record a deployment that is done, without following its status',
    words: [],
    options: [...artifactOptions, ...placeOptions, ...detailOptions, ...deliveryOptions],
    examples: ['--environment-name=production --component-name=shop --target-version=2.0.0'],
  },
];

const readers: readonly Command[] = [
  {
    name: 'current',
    summary: 'what runs where',
    words: [],
    options: filterOptions,
    examples: ['', '--environment-name=production --json'],
  },
  {
    name: 'timeline',
    summary: 'attempts to deploy, oldest first',
    words: [],
    options: [
      ...filterOptions,
      option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)'),
    ],
    examples: ['', '--component-name=checkout --limit=10'],
  },
  {
    name: 'show',
    summary: 'one deployment: attempts, signers, positions, verdicts, reasons',
    words: [{ name: 'deployment' }],
    options: [],
    examples: ['0f3e5a6c-7b1d-8c2e-9f40-51627384a5b6'],
  },
  {
    name: 'decisions',
    summary: 'what the analyser decided, oldest first',
    words: [],
    options: [
      option('follow', null, 'stay and print each new decision'),
      option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)'),
    ],
    examples: ['', '--follow --json'],
  },
  {
    name: 'environments',
    summary: 'environments seen so far',
    words: [],
    options: [],
    examples: ['--json'],
  },
  {
    name: 'components',
    summary: 'components seen so far',
    words: [],
    options: [],
    examples: ['--json'],
  },
  {
    name: 'dead-letters list',
    summary: 'records that were not accepted, oldest first',
    words: [],
    options: [option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)')],
    examples: [''],
  },
  {
    name: 'dead-letters show',
    summary: 'one record that was not accepted: code, headers, bytes',
    words: [{ name: 'position' }],
    options: [],
    examples: ['812'],
  },
];

const keys: readonly Command[] = [
  {
    name: 'keys new',
    summary: 'make a key; an administrator has to trust it',
    words: [],
    options: [
      required('principal', 'NAME', 'who signs with it, such as ci@checkout'),
      option('out', 'FILE', 'where to write it (default: keys/NAME.json in the data folder)'),
    ],
    examples: ['--principal=ci@checkout', '--principal=ci@checkout --out=ci.json'],
  },
  {
    name: 'keys list',
    summary: 'keys that the log has named',
    words: [],
    options: [],
    examples: ['--json'],
  },
  {
    name: 'keys trust',
    summary: 'let a key sign: in this role, in these places',
    words: [{ name: 'public-key-file' }],
    options: [
      {
        ...repeatable('role', 'ROLE', 'emitter, analyser, operator, gateway or trust-admin'),
        isRequired: true,
      },
      {
        ...repeatable('environment', 'NAME', "environment it may act on; 'pre*' or '*' for many"),
        isRequired: true,
      },
      {
        ...repeatable('component', 'NAME', "component it may act on; '*' for all"),
        isRequired: true,
      },
      repeatable('kind', 'KIND', "kind of record it may sign (default '*')"),
      option('reason', 'TEXT', 'why'),
      option('key', 'FILE', "the administrator's key (default: keys/admin.json)"),
    ],
    examples: ['ci.pub.json --role=emitter --environment=staging --component=checkout'],
  },
  {
    name: 'keys retire',
    summary: 'a key signs nothing more; what it signed stands',
    words: [{ name: 'key-id' }],
    options: [
      option('reason', 'TEXT', 'why'),
      option('key', 'FILE', "the administrator's key (default: keys/admin.json)"),
    ],
    examples: ['0123456789abcdef --reason="the pipeline moved"'],
  },
  {
    name: 'keys compromised',
    summary: 'a key signs nothing more; what it signed since then is shown as suspect',
    words: [{ name: 'key-id' }],
    options: [
      required('since', 'POSITION', 'position, or UTC time such as 2026-11-21T10:00:00Z'),
      option('reason', 'TEXT', 'why'),
      option('key', 'FILE', "the administrator's key (default: keys/admin.json)"),
    ],
    examples: ['0123456789abcdef --since=812'],
  },
];

const services: readonly Command[] = [
  {
    name: 'rebuild',
    summary: 'fold the whole log again, beside the read models in use, then switch',
    words: [],
    options: [],
    examples: [''],
  },
  {
    name: 'up',
    summary: 'run gateway, projector and analyser in one process',
    words: [],
    options: [],
    examples: [''],
  },
  { name: 'gateway', summary: 'run the gateway', words: [], options: [], examples: [''] },
  { name: 'projector', summary: 'run the projector', words: [], options: [], examples: [''] },
  { name: 'analyser', summary: 'run the analyser', words: [], options: [], examples: [''] },
];

export const commands: readonly Command[] = [...release, ...readers, ...keys, ...services];

/** All options of a command: its own, then the common ones. */
export const optionsOf = (command: Command): readonly Option[] => [
  ...command.options,
  ...commonOptions,
];

export const settingsHelp: readonly (readonly [name: string, meaning: string])[] =
  Object.entries(settingNames);
