import type { CommandOf, Option } from './command.ts';
import { option, required } from './command.ts';

export type PolicyCommand =
  | 'policy check'
  | 'policy explain'
  | 'policy plan'
  | 'policy set'
  | 'policy list'
  | 'policy show';

const file = { name: 'file' };
const fileOrLog = { ...file, isOptional: true };
const place: readonly Option[] = [
  required('component', 'NAME', 'component, as in service.name'),
  required('environment', 'NAME', 'environment, as in deployment.environment.name'),
];

export const policyCommands: readonly CommandOf<PolicyCommand>[] = [
  {
    name: 'policy check',
    summary: 'what is wrong with a file of policies, by line and column',
    words: [file],
    options: [
      option(
        'against',
        'FILE',
        'a capture: warns of metrics that nobody sends, and of coarse buckets',
      ),
    ],
    examples: ['policy.yaml', 'policy.yaml --against=capture.jsonl --json'],
  },
  {
    name: 'policy explain',
    summary: 'how canaries of a component are judged in an environment, and why so',
    words: [fileOrLog],
    options: place,
    examples: [
      '--component=checkout --environment=production',
      'policy.yaml --component=checkout --environment=production',
    ],
  },
  {
    name: 'policy plan',
    summary: 'what a canary can show by its deadline, before it starts',
    words: [fileOrLog],
    options: [
      ...place,
      option('canary-rps', 'RATE', 'requests a second of the canary (default: of the last hour)'),
      option('baseline-rps', 'RATE', 'requests a second of the version before'),
      option('rps', 'RATE', 'in their place: requests a second of both'),
      option(
        'share',
        'LIST',
        "the canary's share of --rps, or of the last hour: 10%, or 0s=1%,450s=5%",
      ),
      option(
        'base-error-rate',
        'SHARE',
        'of the version before (default: of the last hour, or 0.5%)',
      ),
      option(
        'dispersion',
        'PHI',
        'how much more than chance counts scatter (default: as learned, or 2)',
      ),
    ],
    examples: [
      '--component=cart --environment=staging --share=10%',
      '--component=cart --environment=staging --canary-rps=5 --baseline-rps=45',
      '--component=cart --environment=staging --rps=50 --share=0s=1%,450s=10%',
    ],
  },
  {
    name: 'policy set',
    summary: 'from here on canaries are judged by this file: a signed record',
    words: [file],
    options: [
      required('reason', 'TEXT', 'why: it stays on the log'),
      option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
    ],
    examples: ['policy.yaml --reason="checkout tolerates less"'],
  },
  {
    name: 'policy list',
    summary: 'which policies were set, by whom and why; the last one counts',
    words: [],
    options: [option('limit', 'COUNT', 'the newest so many (people are shown 50, programs all)')],
    examples: ['', '--json'],
  },
  {
    name: 'policy show',
    summary: 'the policies that count, or those set at a position, as a file',
    words: [{ name: 'position', isOptional: true }],
    options: [],
    examples: ['', '812 --json'],
  },
];
