import type { CommandOf } from './command.ts';
import { option, required } from './command.ts';
import { deliveryOptions, placeOptions } from './release.ts';

export type InstanceCommand = 'instance start';

export const instanceCommands: readonly CommandOf<InstanceCommand>[] = [
  {
    name: 'instance start',
    summary: 'say that an instance started: what really runs, beside what deployments claim',
    words: [],
    options: [
      required('target-version', 'VERSION', 'the version that runs'),
      option('digest', 'sha256:…', 'digest of the artifact that runs, as its platform says it'),
      ...placeOptions,
      option('instance', 'NAME', 'which one it is, unique in its slot (default: name of the host)'),
      option('cluster', 'NAME', 'cluster it runs in'),
      option('zone', 'NAME', 'zone or region it runs in'),
      option('deployment', 'UUID', 'the deployment that brought it'),
      option('started-at', 'TIME', 'when it started, in UTC (default: now)'),
      ...deliveryOptions,
    ],
    examples: [
      '--environment-name=production --component-name=shop --target-version=2.0.0',
      '--component-name=shop --target-version=2.0.0 --instance=pod-7 --zone=eu',
    ],
  },
];
