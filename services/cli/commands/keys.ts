import type { CommandOf } from './command.ts';
import { option, repeatable, required } from './command.ts';

export type KeyCommand =
  | 'keys new'
  | 'keys list'
  | 'keys trust'
  | 'keys retire'
  | 'keys compromised';

export const keyCommands: readonly CommandOf<KeyCommand>[] = [
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
