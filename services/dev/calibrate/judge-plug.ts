import type { Cell } from './cells.ts';
import type { LivedWindow } from './lived-window.ts';

/** What a judge did with one canary. Times in ms from the first window's start. */
export type Judged = {
  readonly rolledBackMs: number | null;
  /** The first promotion; a canary may be rolled back after it. */
  readonly promotedMs: number | null;
  /** The metric that led to the rollback. */
  readonly blamed: string | null;
  /** When both cohorts first had requests, with which the warm-up begins; absent: in the first window. */
  readonly requestsFromMs?: number;
};

/** Judges the half hour of one canary, window by window, and may stop asking for windows once it is done. */
export type Judge = (windows: Iterable<LivedWindow>) => Judged;

/** A judge that can be calibrated. */
export type JudgePlug = {
  /** Short; changes when the same windows may lead to another verdict, because results add up under it. */
  readonly name: string;
  readonly about: string;
  readonly isTriedIn: (cell: Cell) => boolean;
  readonly looksFor: 'regressions' | 'promotion';
  /**
   * Prepares a judge for canaries of one cell. The history is hours of both cohorts as the same program, made when it
   * is walked through: a judge that learns nothing from it costs nothing.
   */
  readonly learn: (history: Iterable<LivedWindow>) => Judge;
  /** The least time in which it could find on average what it looks for; null: none is known. */
  readonly boundSeconds: (cell: Cell) => number | null;
  /** Of good canaries it promises to roll back at most this share; null: it promises nothing. */
  readonly falseRollbackShareMax: number | null;
};
