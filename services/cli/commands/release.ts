import type { CommandOf, Option } from './command.ts';
import { option, repeatable, required } from './command.ts';

export type ReleaseCommand = 'release plan' | 'release update' | 'release log';

export const placeOptions: readonly Option[] = [
  option('environment-name', 'NAME', 'environment (default: default)'),
  option('component-name', 'NAME', 'what is deployed (default: name of the repository)'),
  option('namespace', 'NAME', 'namespace (default: default)'),
  option('target', 'NAME', 'exact place inside the environment, such as a region'),
];

export const deliveryOptions: readonly Option[] = [
  option('key', 'FILE', 'key file to sign with (default: PLIMSOLL_KEY)'),
  option('source', 'URI', 'who says it (default: the CI job)'),
  option('timeout', 'TIME', 'be done by then, delivered or kept, such as 500ms (default 2s)'),
  option('strict', null, 'fail (6 or 8) where it was only kept'),
  option('redact', null, 'write over what looks like a secret, instead of refusing it'),
  option('no-fail', null, 'exit 0 whatever happens'),
];

/** Of commands whose markers are kept where nobody takes them. */
export const asyncOption: Option = option(
  'async',
  null,
  'keep it and return; a process of its own delivers it',
);

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

/** Of commits between two versions. */
const sinceOptions: readonly Option[] = [
  option('since', 'COMMIT', 'tell the commits since (default: the live version), or none'),
  repeatable('ticket-prefix', 'TEXT', 'tickets in them, such as SHOP- or # (default: ABC-123)'),
];

const deploymentOption = option(
  'deployment',
  'UUID',
  'default: that of the CI run, or of the last plan here under that name',
);

/** Where a deployment is named by the name that was given to plan. */
export const plannedInRun: Option = option(
  'run-id',
  'ID',
  'the run that planned it (default: PLIMSOLL_RUN_ID, or as the CI says)',
);

export const runOptions: readonly Option[] = [
  option('run-id', 'ID', 'run of the pipeline, unlike any other (default: as the CI says)'),
  option(
    'run-attempt',
    'ID',
    'which try of the run (default: PLIMSOLL_RUN_ATTEMPT, or as the CI says)',
  ),
];

/** What a plan can say. */
export const planOptions: readonly Option[] = [
  ...artifactOptions,
  ...placeOptions,
  option('strategy', 'WORD', 'rolling, canary, blue-green, all-at-once, …'),
  option('canary-share', 'SHARE', 'share of the traffic it gets at first, above 0 and up to 1'),
  deploymentOption,
  ...detailOptions,
  ...sinceOptions,
];

export const releaseCommands: readonly CommandOf<ReleaseCommand>[] = [
  {
    name: 'release plan',
    summary: 'announce a deployment and follow its status',
    words: [{ name: 'deploy-name', isOptional: true }],
    options: [...planOptions, ...runOptions, ...deliveryOptions, asyncOption],
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
      { ...option('failure-reason', 'TEXT', 'why it failed or was canceled'), mayBeEmpty: true },
      option('canary-share', 'SHARE', 'instead of a status: the share of traffic it has now'),
      option('colour', 'WORD', 'instead of a status: the colour that has the traffic now'),
      ...placeOptions.map(({ name, value }) =>
        option(name, value, 'must be what was planned; may be left out'),
      ),
      deploymentOption,
      ...runOptions,
      ...detailOptions,
      ...deliveryOptions,
      asyncOption,
    ],
    examples: ['--status=SUCCESS', 'eu-deploy --status=FAILED --failure-reason="health check"'],
  },
  {
    name: 'release log',
    summary: 'record a deployment that is done, without following its status',
    words: [],
    options: [
      ...artifactOptions,
      ...placeOptions,
      ...detailOptions,
      ...sinceOptions,
      ...deliveryOptions,
      asyncOption,
    ],
    examples: ['--environment-name=production --component-name=shop --target-version=2.0.0'],
  },
];
