import { expect, test } from 'vitest';

import { noiseText, readNoise } from '../../../../services/core/canary/judge/noise-text.ts';
import type { Noise } from '../../../../services/core/canary/judge/noise.ts';

const tails = [1, 2, 1, 3] as const;
const noise: Noise = [
  { id: 'errors', judged: 'errors', batches: 72, note: 'measured', phi: 1.5, weight: 7_500 },
  {
    id: 'latency',
    judged: 'latency',
    batches: 72,
    note: 'measured',
    phi: { tails, meanLog: 2 },
    weight: 7_400.5,
  },
  { id: 'cpu', judged: 'level', batches: 0, note: 'unknown', variance: null },
  { id: 'traffic', judged: 'traffic', batches: 72, note: 'measured', phi: 4 },
];

test('noise is read as it was written, with the traffic it was measured at', () => {
  expect(readNoise(noiseText(noise))).toEqual(noise);
});

test('noise that says nothing of traffic, as it was written before, is read as it stands', () => {
  const without: Noise = [
    { id: 'errors', judged: 'errors', batches: 72, note: 'measured', phi: 1.5 },
    { id: 'latency', judged: 'latency', batches: 9, note: 'measured', phi: { tails, meanLog: 2 } },
  ];
  expect(readNoise(noiseText(without))).toEqual(without);
});

test.each([0, -1, null, '7500', {}])('noise measured at traffic %j is none', (weight) => {
  for (const one of noise.slice(0, 2))
    expect(readNoise(JSON.stringify([{ ...one, weight }]))).toBeUndefined();
});
