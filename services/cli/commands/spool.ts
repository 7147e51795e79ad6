import type { CommandOf } from './command.ts';
import { option } from './command.ts';

export type SpoolCommand = 'flush' | 'spool list' | 'spool drop';

export const spoolCommands: readonly CommandOf<SpoolCommand>[] = [
  {
    name: 'flush',
    summary: 'deliver the markers that were kept while nobody took them',
    words: [],
    options: [
      option(
        'from-log',
        'FILE',
        'those in the log of a CI job (lines plimsoll-marker:v1:…); - reads stdin',
      ),
      option('elsewhere', 'ADDRESS', 'those that were kept for another address, to this log'),
      option('refused', null, 'try those again that a rule refused'),
      option('expired', null, 'those as well that lie there for longer than PLIMSOLL_SPOOL_DAYS'),
      option(
        'telemetry',
        'FILE',
        'tell OpenTelemetry of the marker in its line, as --async does; - reads stdin',
      ),
      option('key', 'FILE', 'key file to sign with how long they waited (default: PLIMSOLL_KEY)'),
      option('timeout', 'TIME', 'stop after this long (default 5m); what is left stays'),
      option('no-fail', null, 'exit 0 whatever happens'),
    ],
    notes: [
      'Exit codes: 0 all were delivered, or there were none; 3 a rule refused some, which are laid',
      'aside (plimsoll spool list); 6 some still wait.',
    ],
    examples: ['', '--from-log=job.log', '--refused --json'],
  },
  {
    name: 'spool list',
    summary: 'what waits to be delivered, and what was refused and why',
    words: [],
    options: [],
    examples: ['', '--json'],
  },
  {
    name: 'spool drop',
    summary: 'remove a marker from the spool for good',
    words: [{ name: 'marker-id', isRepeatable: true }],
    options: [],
    examples: ['01a8c3f0-4c1e-7e07-8d5c-0d7c3a1f2b44'],
  },
];
