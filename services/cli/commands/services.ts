import type { CommandOf } from './command.ts';

export type ServiceCommand = 'up' | 'gateway' | 'projector' | 'analyser';

export const serviceCommands: readonly CommandOf<ServiceCommand>[] = [
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
