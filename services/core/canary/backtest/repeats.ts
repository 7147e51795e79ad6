import type { Durations } from '../windows/durations.ts';
import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';

// What a capture has twice. A judge takes what it counts once, but what it leaves out at the door is not kept, so it
// would be told twice.

/** Texts that are remembered, at least the newest so many: exporters write again what was lately written. */
const rememberedMax = 50_000;

export type Repeats = {
  /** Whether this was not asked lately. */
  readonly isNew: (text: string) => boolean;
};

export const openRepeats = (): Repeats => {
  let newer = new Set<string>();
  let older = new Set<string>();
  return {
    isNew: (text) => {
      if (newer.has(text) || older.has(text)) return false;
      if (newer.size === rememberedMax) [newer, older] = [new Set(), newer];
      newer.add(text);
      return true;
    },
  };
};

/** A point as text: two that differ in anything differ in it. Whose it is stands in its series. */
export const pointText = ({ series, unit, startMs, timeMs, value }: TelemetryPoint): string => {
  const when = `${series} ${unit} ${startMs} ${timeMs}`;
  switch (value.kind) {
    case 'durations':
      return `${when} ${value.temporality} ${value.count} ${value.errors} ${bucketsText(value.durations)}`;
    case 'level':
      return `${when} ${value.level}`;
    case 'refused':
      return `${when} ${value.reason}`;
  }
};

/** Of bounds only how many there are and the last: a sender keeps them. */
const bucketsText = (durations: Durations | null): string => {
  if (durations === null) return '';
  let hash = hashStart;
  for (const count of durations.counts) hash = Math.imul(hash ^ count, hashPrime) >>> 0;
  return durations.shape === 'explicit'
    ? `${hash} ${durations.bounds.length} ${durations.bounds.at(-1)}`
    : `${hash} ${durations.scale} ${durations.zeroCount} ${durations.offset}`;
};

// FNV-1a, of 32 bits: enough to tell points of one series, one time and one count.
const hashStart = 0x811c9dc5;
const hashPrime = 0x01000193;
