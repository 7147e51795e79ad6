import type { Axis } from './axis.ts';
import type { Tone } from './svg.ts';

// What a chart shows, whoever draws it: one axis of time, and panels above each other.

export type Series =
  /** A line; a null is a gap. */
  | {
      readonly kind: 'line';
      readonly name: string;
      readonly tone: Tone;
      readonly points: readonly { readonly x: number; readonly y: number | null }[];
    }
  /** What must not be crossed: drawn dashed. */
  | {
      readonly kind: 'limit';
      readonly name: string;
      readonly tone: Tone;
      readonly points: readonly { readonly x: number; readonly y: number | null }[];
    }
  /** Between two lines. Ends that are open are drawn to the end of the axis. */
  | {
      readonly kind: 'band';
      readonly name: string;
      readonly tone: Tone;
      readonly points: readonly {
        readonly x: number;
        readonly low: number | null;
        readonly high: number | null;
      }[];
    };

export type Panel = {
  /** What the axis measures, with its unit. */
  readonly label: string;
  readonly axis: Axis;
  readonly series: readonly Series[];
};

/** A moment that is named, through all panels. */
export type Moment = { readonly x: number; readonly text: string; readonly tone: Tone };

export type Chart = {
  readonly title: string;
  /** Under the title, smaller; empty: none. */
  readonly about: string;
  readonly time: Axis;
  readonly timeLabel: string;
  readonly panels: readonly Panel[];
  readonly moments: readonly Moment[];
};
