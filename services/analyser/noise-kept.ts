import { canonicalJson } from '../core/canonical.ts';
import type { MetricNoise, Noise } from '../core/canary/judge/noise.ts';
import type { MetricPolicy, Policy } from '../core/canary/policy/policy.ts';
import { sampleKey } from '../core/samples/key.ts';
import type { SampleEnvelope } from '../core/samples/sample.ts';
import type { AnalyserPorts } from './ports.ts';
import { keepSealed, readSealed } from './sealed.ts';
import type { TrustedKeys } from './trusted-keys.ts';

// What was learned of a component's noise, kept for whoever opens its next analysis.

export type NoisePlace = Pick<SampleEnvelope, 'environment' | 'component'>;

/** `ageMs`: of the oldest that is in it; null: nothing is known, and the fallback counts. */
export type KnownNoise = { readonly noise: Noise; readonly ageMs: number | null };

/** Never throws: an opening must not fail for want of noise. */
export type NoiseFor = (
  place: NoisePlace & { readonly policy: Pick<Policy, 'metrics'> },
) => Promise<KnownNoise>;

/** What is older says little of the service as it is. */
export const noiseMsMax: number = 14 * 86_400_000;

type Learned = {
  /** Of what the metric is made of; another metric of the same name has another one. */
  readonly source: string;
  readonly noise: MetricNoise;
  readonly atMs: number;
};
/** Raised with every change of what is kept. */
const noiseForm = 1;
type Kept = { readonly form: number; readonly learned: readonly Learned[] };

type Ports = Pick<AnalyserPorts, 'audience' | 'store' | 'tools' | 'signer' | 'clock' | 'tell'>;

export const openNoiseFor =
  (
    ports: Pick<Ports, 'audience' | 'store' | 'tools' | 'clock'>,
    keys: Pick<TrustedKeys, 'forKeys'>,
  ): NoiseFor =>
  async ({ environment, component, policy: { metrics } }) => {
    const learned = await readLearned(ports, keys, { environment, component }).catch(() => []);
    const nowMs = ports.clock.nowMs();
    const known = metrics.flatMap((metric) => {
      const found = learned.find(
        ({ noise, source }) => noise.id === metric.id && source === sourceOf(ports, metric),
      );
      return found === undefined || nowMs - found.atMs > noiseMsMax ? [] : [found];
    });
    if (known.length === 0) return { noise: [], ageMs: null };
    const ages = known.map(({ atMs }) => Math.max(0, nowMs - atMs));
    return { noise: known.map(({ noise }) => noise), ageMs: Math.max(...ages) };
  };

/**
 * Keeps what was measured. A metric that could not be measured this time keeps what was known of it before; that grows
 * old by itself.
 */
export const keepNoise = async (
  ports: Ports,
  keys: TrustedKeys,
  place: NoisePlace,
  metrics: readonly MetricPolicy[],
  noise: Noise,
): Promise<void> => {
  const atMs = ports.clock.nowMs();
  const measured = metrics.flatMap((metric): readonly Learned[] => {
    const found = noise.find(({ id, note }) => id === metric.id && note !== 'unknown');
    return found === undefined ? [] : [{ source: sourceOf(ports, metric), noise: found, atMs }];
  });
  if (measured.length === 0) return;
  const before = (await readLearned(ports, keys, place)).filter(
    (old) =>
      atMs - old.atMs <= noiseMsMax &&
      !measured.some((one) => one.source === old.source && one.noise.id === old.noise.id),
  );
  const kept: Kept = { form: noiseForm, learned: [...measured, ...before] };
  const done = await keepSealed(ports, 'noise', sampleKey(place), canonicalJson(kept));
  if (!done.ok) ports.tell({ event: 'not-kept', what: 'noise', message: done.problem.message });
};

const readLearned = async (
  ports: Pick<Ports, 'audience' | 'store' | 'tools'>,
  keys: Pick<TrustedKeys, 'forKeys'>,
  place: NoisePlace,
): Promise<readonly Learned[]> => {
  const text = await readSealed(ports, await keys.forKeys([]), 'noise', sampleKey(place));
  if (text === undefined) return [];
  // Only what an analyser signed comes here: its form says what is in it.
  const kept = JSON.parse(text) as Kept;
  return kept.form === noiseForm ? kept.learned : [];
};

const sourceOf = ({ tools }: Pick<Ports, 'tools'>, metric: MetricPolicy): string => {
  const { id, judged, source } = metric;
  const errors = metric.judged === 'errors' ? metric.errors : null;
  return tools.crypto.sha256HexOfText(canonicalJson({ id, judged, source, errors }));
};
