import type { CommandOf } from './command.ts';
import { option, repeatable } from './command.ts';

export type BacktestCommand = 'backtest';

export const backtestCommands: readonly CommandOf<BacktestCommand>[] = [
  {
    name: 'backtest',
    summary: 'judge recorded telemetry as the analyser would have',
    words: [],
    options: [
      {
        ...repeatable('metrics', 'FILE', 'capture of the Collector: one OTLP JSON export a line'),
        isRequired: true,
      },
      option('service', 'NAME', 'service.name'),
      option('environment', 'NAME', 'deployment.environment.name'),
      option('target', 'NAME', "the slot's target, where it has one"),
      option('canary', 'VERSION', 'service.version of the canary'),
      option('baseline', 'VERSION', 'service.version of what ran before'),
      option('since', 'TIME', 'when the canary began, UTC; of one capture by --metrics=FILE@TIME'),
      option('weight', 'SHARE', "the canary's share from then on: 0.05, 5% or 0s=1%,450s=5%"),
      option('rollout', 'KIND', 'how it came: canary (default), full, blue-green'),
      option('markers', 'FILE', 'what ran where and when: lines of plimsoll export, or markers'),
      option('deployment', 'ID', 'with --markers: which canary, where they tell of several'),
      option('history', 'FILE', 'capture of the same cohorts running the same code: its noise'),
      option('policy', 'FILE', 'how to judge (default: as the markers say, else standard)'),
      option('no-promote', null, 'judge to the end of the capture; nothing is promoted'),
      option('compare', 'LIST', 'policies by file or preset; --metrics then also names folders'),
      option('svg', 'FILE', 'write a plot'),
    ],
    examples: [
      '--metrics=capture.jsonl --markers=markers.jsonl',
      '--metrics=capture.jsonl --markers=markers.jsonl --history=history.jsonl --json',
      '--metrics=captures --markers=markers.jsonl --compare=standard,own.yaml',
    ],
  },
];
