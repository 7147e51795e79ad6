import { expect, test } from 'vitest';
import { metricsText } from '../../services/cli/metrics-text.ts';
import type { Line } from '../../services/core/views.ts';

const arm = (count: number, events: number, level: number | null = null): Line => ({
  count,
  events,
  level,
});
const metric = (change: Line): Line => ({
  id: 'errors',
  judged: 'errors',
  blamed: false,
  weight: 0.5,
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
    'errors   canary 255/3,208 (7.95 %), baseline 5/3,222 (0.16 %); 50.8x (at least 7.75x); its part of the evidence 1:215; BLAMED',
    'cpu      canary 0.412, baseline 0.4; 1.03x (0.98x to 1.08x); its part of the evidence below 1:1; good enough 1:25',
    'memory   nothing was compared',
    'traffic  canary 5,000 requests, baseline nothing; ratio unknown; its part of the evidence below 1:1; good enough 1:1',
  ]);
});

test('what goes on from an earlier attempt tells the evidence by itself: its stakes are not in the decision', () => {
  expect(
    metricsText([metric({ canary: arm(10, 1), baseline: arm(10, 1), evidence: 430 })], true),
  ).toStrictEqual([
    'errors  canary 1/10 (10.00 %), baseline 1/10 (10.00 %); ratio unknown; evidence by itself 1:430; good enough 1:1',
  ]);
});

test('a decision without metrics has no lines', () => expect(metricsText([])).toStrictEqual([]));
