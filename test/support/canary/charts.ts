import { logAxis, timeAxis } from '../../../services/core/plot/axis.ts';
import type { Chart } from '../../../services/core/plot/chart.ts';

const seconds = Array.from({ length: 61 }, (_, second) => second * 5);

/** A ratio that rises out of its tolerance. */
export const chart: Chart = {
  title: 'checkout 2.0.0 in production: roll-back',
  about: 'against 1.9.4',
  time: timeAxis(300),
  timeLabel: 'time since the start',
  panels: [
    {
      label: 'errors: canary / baseline (ratio)',
      axis: logAxis(0.5, 8, 7, (value) => `${value}x`),
      series: [
        {
          kind: 'band',
          name: 'interval',
          tone: 'first',
          points: seconds.map((x) => ({ x, low: x < 60 ? null : 1 + x / 200, high: 8 - x / 100 })),
        },
        {
          kind: 'limit',
          name: 'tolerated',
          tone: 'limit',
          points: seconds.map((x) => ({ x, y: 1.2 })),
        },
        {
          kind: 'line',
          name: 'canary / baseline',
          tone: 'first',
          points: seconds.map((x) => ({ x, y: x < 60 ? null : 1 + x / 100 })),
        },
      ],
    },
  ],
  moments: [{ x: 250, text: 'rolled-back at 250 s', tone: 'limit' }],
};
