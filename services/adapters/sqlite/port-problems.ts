import type { StoreProblem } from '../../ports/read-model-store.ts';
import type { AppendProblem, ReadProblem } from '../../ports/record-log.ts';
import type { SqliteProblem } from './problem.ts';

// What a problem of the file is called at each port.

export const toAppendProblem = ({ code, message }: SqliteProblem): AppendProblem => {
  switch (code) {
    case 'unreachable':
    case 'unknown':
    case 'refused':
    case 'corrupt':
      return { code, message };
    case 'missing':
    case 'closed':
      return { code: 'unreachable', message };
  }
};

export const toReadProblem = ({ code, message }: SqliteProblem): ReadProblem => {
  switch (code) {
    case 'corrupt':
    case 'closed':
    case 'unreachable':
      return { code, message };
    case 'unknown':
    case 'refused':
    case 'missing':
      return { code: 'unreachable', message };
  }
};

export const toStoreProblem = ({ code, message }: SqliteProblem): StoreProblem => {
  switch (code) {
    case 'corrupt':
    case 'refused':
    case 'unreachable':
      return { code, message };
    case 'unknown':
    case 'missing':
    case 'closed':
      return { code: 'unreachable', message };
  }
};
