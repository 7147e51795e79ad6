import { expect, test } from 'vitest';
import { metricsText } from '../../../services/cli/explain/metrics-text.ts';
import type { Line } from '../../../services/core/views.ts';

const arm = (count: number, events: number, level: number | null = null): Line => ({
  count,
  events,
  level,
});
const metric = (change: Line): Line => ({
  id: 'errors',
  judged: 'errors',
  blamed: false,
  canary: arm(0, 0),
  baseline: arm(0, 0),
  ratio: null,
  interval: null,
  evidence: 1,
  promoteEvidence: 1,
  ...change,
});

test('each metric of a decision is a line with what was seen of both cohorts', () => {
  expect(
    metricsText([
      metric({
        blamed: true,
        canary: arm(3_208, 255),
        baseline: arm(3_222, 5),
        ratio: 50.8,
        interval: [7.75, null],
        evidence: 430,
      }),
      metric({
        id: 'cpu',
        judged: 'level',
        canary: arm(0, 0, 0.412),
        baseline: arm(0, 0, 0.4),
        ratio: 1.03,
        interval: [0.98, 1.08],
        evidence: 1.2,
        promoteEvidence: 25,
      }),
      metric({ id: 'memory', judged: 'level' }),
      metric({ id: 'traffic', judged: 'traffic', canary: arm(5_000, 0), baseline: arm(0, 0) }),
    ]),
  ).toStrictEqual([
    'errors   canary 255/3,208 (7.95 %), baseline 5/3,222 (0.16 %); 50.8x (at least 7.75x); evidence 1:430 by itself; BLAMED',
    'cpu      canary 0.412, baseline 0.4; 1.03x (0.98x to 1.08x); evidence 1:1.2 by itself; good enough 1:25',
    'memory   nothing was compared',
    'traffic  canary 5,000 requests, baseline nothing; ratio unknown; evidence 1:1 by itself; good enough 1:1',
  ]);
});

test('a decision without metrics has no lines', () => expect(metricsText([])).toStrictEqual([]));
