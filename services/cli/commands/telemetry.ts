import type { CommandOf } from './command.ts';
import { option } from './command.ts';
import { runOptions } from './release.ts';

export type TelemetryCommand = 'env';

/** How `plimsoll env` writes variables. */
export const envFormats = ['sh', 'dotenv', 'github', 'json'] as const;

export const telemetryCommands: readonly CommandOf<TelemetryCommand>[] = [
  {
    name: 'env',
    summary: 'variables that tie the telemetry of what is deployed to its deployment',
    words: [{ name: 'deploy-name', isOptional: true }],
    options: [
      option('format', 'FORMAT', 'sh (default), dotenv, github (for $GITHUB_ENV) or json'),
      option('trace', null, "TRACEPARENT, too: what is started works in the deployment's span"),
      option('deployment', 'UUID', 'default: that of the CI run, or of the last plan here'),
      ...runOptions,
      option('target-version', 'VERSION', 'what is deployed (default: what was planned here)'),
      option(
        'environment-name',
        'NAME',
        'where (default: what was planned here, else the CI says)',
      ),
      option(
        'component-name',
        'NAME',
        'what (default: what was planned here, else the repository)',
      ),
    ],
    notes: [
      'It asks nobody: what it says is known from the options, the last plan here and the CI job.',
      'Without DEPLOY-NAME and outside CI: the plan without a name, else the only one here that has',
      'not ended.',
      'OTEL_RESOURCE_ATTRIBUTES keeps what it says already; where it says otherwise than the options',
      'or the plan, they count, and stderr tells. An export interval that is set stays.',
      '',
      'a shell:         eval $(plimsoll env)',
      'GitHub Actions:  plimsoll env --format=github >> "$GITHUB_ENV"     for later steps',
      'Docker:          plimsoll env --format=dotenv > otel.env           --env-file otel.env',
    ],
    examples: ['', 'eu-deploy --target-version=2.0.0', '--format=dotenv'],
  },
];
