import { canonicalJson } from '../../canonical.ts';
import { jsonIn } from '../../json-text.ts';
import { latencyQuantiles } from '../metrics/latency.ts';
import type { MetricNoise, Noise } from './noise.ts';

/** Noise as an opening freezes it. */
export const noiseText = (noise: Noise): string => canonicalJson(noise);

/** Undefined: it is no noise that a judge could take. */
export const readNoise = (text: string): Noise | undefined => {
  if (text === '[]') return [];
  const given = jsonIn(text);
  return Array.isArray(given) && given.every(isMetricNoise) ? given : undefined;
};

const notes: readonly unknown[] = ['measured', 'raised-for-traffic', 'unknown'];

const isMetricNoise = (given: unknown): given is MetricNoise => {
  if (typeof given !== 'object' || given === null) return false;
  const { id, batches, note, judged, phi, weight, variance } = given as {
    readonly [name: string]: unknown;
  };
  if (typeof id !== 'string' || !isNumber(batches, 0) || !notes.includes(note)) return false;
  switch (judged) {
    case 'errors':
      return isNumber(phi, 1) && isWeight(weight);
    case 'traffic':
      return isNumber(phi, 1);
    case 'latency':
      return isLatencyPhi(phi) && isWeight(weight);
    case 'level':
      return variance === null || isNumber(variance, 0);
    default:
      return false;
  }
};

const isLatencyPhi = (given: unknown): boolean => {
  if (typeof given !== 'object' || given === null) return false;
  const { tails, meanLog } = given as { readonly [name: string]: unknown };
  return (
    isNumber(meanLog, 1) &&
    Array.isArray(tails) &&
    tails.length === latencyQuantiles.length &&
    tails.every((phi) => isNumber(phi, 1))
  );
};

const isWeight = (given: unknown): boolean =>
  given === undefined || (isNumber(given, 0) && given !== 0);

const isNumber = (given: unknown, least: number): boolean =>
  typeof given === 'number' && Number.isFinite(given) && given >= least;
