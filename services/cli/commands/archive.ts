import type { CommandOf } from './command.ts';
import { option, required } from './command.ts';

export type ArchiveCommand = 'archive' | 'archive verify' | 'export' | 'migrate';

// The longer name first: the command line is read from the left.
export const archiveCommands: readonly CommandOf<ArchiveCommand>[] = [
  {
    name: 'archive verify',
    summary: 'check an archive from its files alone: digests, chain, positions, who signed it',
    words: [{ name: 'folder' }],
    options: [option('signatures', null, 'check the signature of every record, too')],
    examples: ['./archive', './archive --signatures --json'],
  },
  {
    name: 'archive',
    summary: 'write the log to Avro files, from where the archive ends; again writes nothing new',
    words: [],
    options: [
      required('to', 'FOLDER', 'where the archive is, or is to begin'),
      option('reason', 'TEXT', "why: it stays on the log (default 'archive')"),
      option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
    ],
    examples: ['--to=./archive'],
  },
  {
    name: 'export',
    summary: 'the log for people and other programs: one record a line, decoded and checked',
    words: [],
    options: [
      option('format', 'FORMAT', 'jsonl (all there is; the default) or csv (for a spreadsheet)'),
      option('from', 'POSITION', 'from this position or UTC time on'),
      option('to', 'POSITION', 'before this position or UTC time'),
      option('environment-name', 'NAME', 'only what is about this environment'),
      option('component-name', 'NAME', 'only what is about this component'),
      option('kind', 'KIND', 'only records of this kind, such as planned'),
      option('raw', null, 'also key, headers and signed bytes, base64'),
    ],
    examples: ['', '--format=csv --environment-name=production', '--from=2026-11-01T00:00:00Z'],
  },
  {
    name: 'migrate',
    summary: 'move the log to another foundation; the old one is sealed and says where it went',
    words: [],
    options: [
      required('from', 'LOG', 'the log that is: sqlite:FOLDER or kafka://HOST:PORT,…'),
      required('to', 'LOG', 'where it goes on: sqlite:FOLDER or kafka://HOST:PORT,…'),
      required('reason', 'TEXT', 'why: it stays on both logs'),
      option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
    ],
    examples: ['--from=sqlite:./plimsoll-data --to=kafka://broker:9092 --reason="we grew"'],
  },
];
