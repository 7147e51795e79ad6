import type { CommandOf, Option } from './command.ts';
import { option, repeatable, required } from './command.ts';
import { asyncOption, deliveryOptions, placeOptions, plannedInRun } from './release.ts';

export type PactCommand =
  | 'record-deployment'
  | 'record-undeployment'
  | 'record-release'
  | 'record-support-ended';

export type FactCommand =
  | PactCommand
  | 'traffic'
  | 'phase'
  | 'migration start'
  | 'migration finish'
  | 'change flag'
  | 'change config'
  | 'change secret'
  | 'incident open'
  | 'incident resolve'
  | 'label'
  | 'freeze'
  | 'emit';

const tellingOptions: readonly Option[] = [
  option('actor', 'NAME', 'person or account that did it'),
  repeatable('ticket', 'ID', 'change ticket'),
  repeatable('label', 'NAME:VALUE', 'label, at most 20'),
  repeatable('link', 'NAME=URL', 'link'),
];

const reasonOption = option('reason', 'TEXT', 'why');
/** In the place of those that all that emits has: whoever freezes a place wants to know that it is frozen. */
const ofFreeze: ReadonlyMap<string, Option> = new Map(
  [
    option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
    option('strict', null, 'as it is anyway: it fails (6 or 8) where it was only kept'),
  ].map((one) => [one.name, one]),
);

const versionOption: Option = {
  ...required('version', 'VERSION', 'the version; also -e'),
  short: 'e',
};

const pactPlace = (target: Option): readonly Option[] => [
  {
    ...option('pacticipant', 'NAME', 'the component; also -a (default: name of the repository)'),
    short: 'a',
  },
  required('environment', 'NAME', 'where'),
  option('namespace', 'NAME', 'namespace (default: default)'),
  target,
];

const instanceOption = option(
  'target',
  'NAME',
  'which of several instances that stay side by side',
);
const noTargetOption = option('target', 'NAME', 'not taken: releases have no target');

/** An address may hold a password, too. */
const secret = (name: string, value: string, meaning: string): Option => ({
  ...option(name, value, meaning),
  isSecret: true,
});

/** What Pact's own client takes to find its broker: taken, so that a prefix is all there is to replace. */
const brokerOptions: readonly Option[] = [
  { ...secret('broker-base-url', 'URL', 'not used: PLIMSOLL_URL says where to'), short: 'b' },
  { ...secret('broker-username', 'NAME', 'not used'), short: 'u' },
  { ...secret('broker-password', 'TEXT', 'not used'), short: 'p' },
  { ...secret('broker-token', 'TEXT', 'not used'), short: 'k' },
  { ...option('output', 'FORM', 'not used: --json'), short: 'o' },
  { ...option('verbose', null, 'not used'), short: 'v', others: ['no-verbose'] },
];

const delivered: readonly Option[] = [...deliveryOptions, asyncOption];

const changeOptions: readonly Option[] = [
  ...placeOptions,
  option('deployment', 'ID', 'the deployment that it belongs to: its id, or its name in this run'),
  option('url', 'URL', 'where more is written'),
  reasonOption,
  ...tellingOptions,
  ...delivered,
];

const versions: readonly Option[] = [
  option('from-version', 'VERSION', 'version before; never the value'),
  option('to-version', 'VERSION', 'version after; never the value'),
];

const change = (
  what: 'flag' | 'config' | 'secret',
  summary: string,
  example: string,
): CommandOf<FactCommand> => ({
  name: `change ${what}`,
  summary,
  words: [{ name: 'name' }],
  options: [...versions, ...changeOptions],
  examples: [example],
});

export type LiftCommand = 'freeze lift';

export const factCommands: readonly CommandOf<FactCommand | LiftCommand>[] = [
  {
    name: 'record-deployment',
    summary: 'a version was deployed: it replaces what was there',
    words: [],
    options: [
      versionOption,
      ...pactPlace(instanceOption),
      option('digest', 'sha256:…', 'digest of the artifact that runs'),
      option('commit', 'HASH', 'commit of what runs'),
      reasonOption,
      ...tellingOptions,
      ...delivered,
      ...brokerOptions,
    ],
    notes: ['Call it at the very end, when no instance of the previous version runs any more.'],
    examples: ['--pacticipant foo --version 6897aa95e --environment production'],
  },
  {
    name: 'record-undeployment',
    summary: 'what was deployed there is gone for good',
    words: [],
    options: [
      {
        ...versionOption,
        isRequired: false,
        meaning: 'only if it is this one; also --version, -e',
      },
      ...pactPlace(instanceOption),
      reasonOption,
      ...tellingOptions,
      ...delivered,
      ...brokerOptions,
    ],
    notes: ['What is merely deployed over needs no such word: record-deployment replaces it.'],
    examples: ['--pacticipant foo --environment test --target mobile-2'],
  },
  {
    name: 'record-release',
    summary: 'a version was made available, beside those that are still supported',
    words: [],
    options: [
      versionOption,
      ...pactPlace(noTargetOption),
      option('digest', 'sha256:…', 'digest of the artifact'),
      option('commit', 'HASH', 'commit of the version'),
      reasonOption,
      ...tellingOptions,
      ...delivered,
      ...brokerOptions,
    ],
    examples: ['--pacticipant foo-app --version 6897aa95e --environment production'],
  },
  {
    name: 'record-support-ended',
    summary: 'a released version is no longer supported',
    words: [],
    options: [
      versionOption,
      ...pactPlace(noTargetOption),
      reasonOption,
      ...tellingOptions,
      ...delivered,
      ...brokerOptions,
    ],
    examples: ['--pacticipant foo-app --version 6897aa95e --environment production'],
  },
  {
    name: 'traffic',
    summary: 'the traffic of a running deployment was shifted',
    words: [{ name: 'deployment' }],
    options: [
      option('canary-share', 'SHARE', 'the share that it has now, 0 to 1 or in per cent'),
      option('colour', 'WORD', 'the colour that has the traffic now'),
      plannedInRun,
      ...delivered,
    ],
    notes: ['The deployment is an id, or the name that it was planned under in this run or here.'],
    examples: ['default --canary-share=0.25', 'default --colour=green'],
  },
  {
    name: 'phase',
    summary: 'a running deployment went on to its next phase',
    words: [{ name: 'deployment' }, { name: 'name' }],
    options: [plannedInRun, ...delivered],
    notes: ['The deployment is an id, or the name that it was planned under in this run or here.'],
    examples: ['default smoke-tests'],
  },
  {
    name: 'migration start',
    summary: 'a migration of a schema or of data began',
    words: [{ name: 'name' }],
    options: [...versions, ...changeOptions],
    examples: ['add-column --environment-name=production --component-name=shop'],
  },
  {
    name: 'migration finish',
    summary: 'a migration is over',
    words: [{ name: 'name' }],
    options: [
      option('failed', null, 'it failed (default: it succeeded)'),
      ...versions,
      ...changeOptions,
    ],
    examples: ['add-column --environment-name=production --component-name=shop'],
  },
  change('flag', 'a feature flag was changed', 'new-basket --to-version=7 --component-name=shop'),
  change(
    'config',
    'a configuration was changed',
    'limits.yaml --to-version=9c1f --component-name=shop',
  ),
  change(
    'secret',
    'a secret was changed: its name and version, never its value',
    'db-password --from-version=3 --to-version=4 --component-name=shop',
  ),
  {
    name: 'incident open',
    summary: 'an incident began',
    words: [{ name: 'incident' }],
    options: changeOptions,
    notes: ['--deployment names the deployment that is thought to have caused it.'],
    examples: ['INC-7 --environment-name=production --component-name=shop --reason=checkout'],
  },
  {
    name: 'incident resolve',
    summary: 'an incident is over',
    words: [{ name: 'incident' }],
    options: changeOptions,
    examples: ['INC-7 --environment-name=production --component-name=shop'],
  },
  {
    name: 'label',
    summary: 'labels for a deployment, or for what stands in a place',
    words: [{ name: 'deployment-or-label', isRepeatable: true }],
    options: [...placeOptions, reasonOption, ...delivered],
    notes: [
      'The first word without a colon names the deployment: its id, or its name in this run or',
      'here. Without one the labels are for the place. The last word on a name counts.',
    ],
    examples: [
      'default team:payments',
      'tier:1 --environment-name=production --component-name=shop',
    ],
  },
  {
    name: 'emit',
    summary: 'any marker that an emitter may sign: a flag for each field, or JSON',
    words: [{ name: 'kind', isOptional: true }],
    options: [
      option('kind', 'KIND', 'its kind, where neither the word nor the JSON tells it'),
      option('from-json', 'FILE', 'one JSON object; - for standard input (default without flags)'),
      ...delivered,
    ],
    notes: [
      'plimsoll emit KIND --help lists the flags of a kind, made from its schema; flags win over JSON.',
      'Fields by their names in the schemas; what is left out gets its default. environment,',
      'component, namespace and target may stand for slot, run (a deploy name) for deployment.',
      'Kinds: planned, started, succeeded, failed, canceled, traffic-shifted, phase-advanced, logged,',
      'recorded, undeployed, released, support-ended, label, flag-changed, config-changed,',
      'secret-changed, migration-started, migration-finished, incident-opened, incident-resolved.',
    ],
    examples: ['--kind=logged --from-json=-', 'incident-opened --from-json=incident.json'],
  },
  {
    name: 'freeze lift',
    summary: 'a freeze is over: by its position, which plimsoll changes --open shows',
    words: [{ name: 'position' }],
    options: [
      required('reason', 'TEXT', 'why'),
      option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
    ],
    notes: ['What a roll-back froze is lifted by plimsoll decisions lift.'],
    examples: ['814 --reason="the holidays are over"'],
  },
  {
    name: 'freeze',
    summary: 'nothing new may come to a place until the freeze is lifted',
    words: [],
    options: [
      required('environment-name', 'NAME', 'environment, or its beginning and *'),
      option('component-name', 'NAME', 'only this component, or a beginning and * (default: *)'),
      option('namespace', 'NAME', 'namespace (default: default)'),
      option('target', 'NAME', 'only this target (default: all)'),
      required('reason', 'TEXT', 'why'),
      ...delivered.map((one) => ofFreeze.get(one.name) ?? one),
    ],
    notes: [
      'Gates hold, and no promote or advance may be obeyed; a roll-back may. Plans are warned, or',
      'refused where the policy says frozen: refuse. plimsoll freeze lift ends it.',
    ],
    examples: ['--environment-name=production --reason="the holidays"'],
  },
];
