import type { MetricName } from './family.ts';

// Numbers that more than one service tells, each under its own `service`.

export const lagRecords: MetricName = {
  name: 'plimsoll_lag_records',
  otelName: 'plimsoll.lag.records',
  unit: '{record}',
  help: 'Records that wait for the service',
};

export const active: MetricName = {
  name: 'plimsoll_active',
  otelName: 'plimsoll.active',
  unit: '1',
  help: '1: the service works; 0: it stands by for another, or waits',
};

export const refusals: MetricName = {
  name: 'plimsoll_refusals',
  otelName: 'plimsoll.refusals',
  unit: '{refusal}',
  help: 'What the service refused, or was refused, by code',
};
