import { parseArgs } from 'node:util';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { wholeNumber } from '../whole-number.ts';
import type { TemporalityName } from './otlp-json.ts';

export type CaptureOptions = {
  readonly out: string;
  readonly seed: number;
  readonly seconds: number;
  readonly every: number;
  readonly rps: number;
  readonly instances: number;
  /** Of both cohorts before the regression, and of the canary with it. */
  readonly usualErrors: number;
  readonly errors: number;
  readonly slower: number;
  readonly cpu: number;
  readonly begins: number;
  readonly weights: readonly { readonly second: number; readonly share: number }[];
  readonly history: number;
  readonly temporality: TemporalityName;
  readonly histogram: 'exponential' | 'explicit';
  readonly lateness: number;
  readonly repeats: number;
  readonly help: boolean;
};

export const usage = `Writes what the Collector's file exporter would have written of a canary: capture.jsonl, history.jsonl (the same
two cohorts while both ran the same code) and markers.jsonl, to be judged by plimsoll backtest.

  npm run captures -- --out FOLDER [--seed N] [--errors 2%] [--slower 1.25] [--cpu 1.25] …

  --out FOLDER       where the files go; it is made
  --seed N           0 to 4294967295 (default 1): the same seed, the same bytes
  --seconds N        how long the canary runs (default 1800)
  --every N          seconds between two exports of an instance (default 5)
  --rps N            requests a second of both versions together (default 100)
  --instances N      of each version (default 3)
  --usual-errors P   errors of a good version, such as 0.5% (the default)
  --errors P         errors of the canary (default: as usual)
  --slower X         the canary's durations, as a multiple (default 1)
  --cpu X            the canary's CPU, as a multiple (default 1)
  --begins N         the regression begins after so many seconds (default 0)
  --weights LIST     the canary's share of the traffic, such as 0s=0.01,450s=0.05 (default 0s=0.5)
  --history N        seconds of history (default 7200; 0: none)
  --temporality W    delta (default) or cumulative
  --histogram W      exponential (default) or explicit
  --lateness N       exports arrive up to so many seconds late, out of order (default 0)
  --repeats P        so many exports arrive twice (default 0%)
  --help             this text
`;

const secondsMax = 86_400;

/** The options, or a sentence that says what is wrong with them. */
export const parseArguments = (args: readonly string[]): Result<CaptureOptions, string> => {
  try {
    const { values } = parseArgs({ args: [...args], options: texts });
    if (values.help) return ok({ ...defaults, help: true });
    if (values.out === undefined) return fail('--out names the folder that the files go to');
    const whole = (name: keyof typeof limits): number => {
      const [least, most] = limits[name];
      const read = wholeNumber(`--${name}`, values[name], least, most);
      if (!read.ok) throw new TypeError(read.problem);
      return read.value;
    };
    const { temporality, histogram } = values;
    if (temporality !== 'delta' && temporality !== 'cumulative')
      return fail('--temporality is delta or cumulative');
    if (histogram !== 'exponential' && histogram !== 'explicit')
      return fail('--histogram is exponential or explicit');
    const usualErrors = share('--usual-errors', values['usual-errors']);
    return ok({
      out: values.out,
      seed: whole('seed'),
      seconds: whole('seconds'),
      every: whole('every'),
      rps: whole('rps'),
      instances: whole('instances'),
      usualErrors,
      errors: values.errors === undefined ? usualErrors : share('--errors', values.errors),
      slower: multiple('--slower', values.slower),
      cpu: multiple('--cpu', values.cpu),
      begins: whole('begins'),
      weights: weightsIn(values.weights),
      history: whole('history'),
      lateness: whole('lateness'),
      repeats: share('--repeats', values.repeats),
      temporality,
      histogram,
      help: false,
    });
  } catch (error) {
    // parseArgs throws a TypeError that names the flag, as ours do.
    if (error instanceof TypeError) return fail(error.message);
    throw error;
  }
};

const text = (value: string) => ({ type: 'string', default: value }) as const;
const texts = {
  out: { type: 'string' },
  seed: text('1'),
  seconds: text('1800'),
  every: text('5'),
  rps: text('100'),
  instances: text('3'),
  'usual-errors': text('0.5%'),
  errors: { type: 'string' },
  slower: text('1'),
  cpu: text('1'),
  begins: text('0'),
  weights: text('0s=0.5'),
  history: text('7200'),
  lateness: text('0'),
  repeats: text('0%'),
  temporality: text('delta'),
  histogram: text('exponential'),
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const limits = {
  seed: [0, 2 ** 32 - 1],
  seconds: [10, secondsMax],
  every: [1, 300],
  rps: [1, 100_000],
  instances: [1, 100],
  begins: [0, secondsMax],
  history: [0, secondsMax],
  lateness: [0, 3_600],
} as const;

const defaults: CaptureOptions = {
  ...{ out: '', seed: 1, seconds: 1_800, every: 5, rps: 100, instances: 3 },
  ...{ usualErrors: 0.005, errors: 0.005, slower: 1, cpu: 1, begins: 0, weights: [] },
  ...{ history: 7_200, temporality: 'delta', histogram: 'exponential' },
  ...{ lateness: 0, repeats: 0, help: false },
};

const share = (flag: string, written: string): number => {
  const [, number = ''] = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(written) ?? [];
  const value = number === '' ? Number.NaN : Number(number) / 100;
  if (!(value >= 0 && value <= 1))
    throw new TypeError(`${flag} is a share such as 2%, not ${written}`);
  return value;
};

const multiple = (flag: string, written: string): number => {
  const value = /^\d{1,3}(?:\.\d{1,6})?$/.test(written) ? Number(written) : Number.NaN;
  if (!(value > 0)) throw new TypeError(`${flag} is a multiple such as 1.25, not ${written}`);
  return value;
};

const weightsIn = (written: string): CaptureOptions['weights'] =>
  written.split(',').map((part) => {
    const [, second = '', given = ''] = /^(\d{1,5})s=(0?\.\d{1,6}|[01])$/.exec(part) ?? [];
    if (given === '')
      throw new TypeError(`--weights is a list such as 0s=0.01,450s=0.05, not ${part}`);
    return { second: Number(second), share: Number(given) };
  });
