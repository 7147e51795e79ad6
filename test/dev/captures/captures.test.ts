import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTelemetryReader } from '../../../services/adapters/otlp/metrics-request.ts';
import { policiesOf } from '../../../services/core/canary/policy/placed-policy.ts';
import { selectionOf } from '../../../services/core/canary/policy/selection.ts';
import { parseArguments } from '../../../services/dev/captures/arguments.ts';
import type { Said } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { value } from '../../support/records.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-written-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const main = join(import.meta.dirname, '../../../services/dev/captures/main.ts');
const written = (name: string, ...more: readonly string[]): string => {
  const out = join(folder, name);
  execFileSync(process.execPath, [
    ...['--disable-warning=ExperimentalWarning', main, `--out=${out}`, ...more],
  ]);
  return out;
};
const short = ['--seconds=400', '--history=0'] as const;

const backtest = async (out: string, ...more: readonly string[]): Promise<Said> => {
  const markers = readFileSync(join(out, 'markers.jsonl'), 'utf8');
  const desk = await openDesk({ folder, files: { 'markers.jsonl': markers } });
  const options = [`--metrics=${join(out, 'capture.jsonl')}`, '--markers=markers.jsonl', '--json'];
  return desk.plimsoll('backtest', ...options, ...more);
};

describe('captures that are written to be tried', () => {
  test('are the same bytes for the same seed', () => {
    const [one, other] = ['one', 'other'].map((name) =>
      readFileSync(join(written(name, '--seed=7', ...short), 'capture.jsonl')),
    );
    expect(one?.equals(other ?? Buffer.of())).toBe(true);
  });

  test.each([['explicit'], ['exponential']])(
    'hold requests, levels and nothing that is rejected, with %s buckets',
    (histogram) => {
      const out = written('c', ...short, `--histogram=${histogram}`, '--temporality=cumulative');
      const read = openTelemetryReader();
      const selection = selectionOf(policiesOf(null));
      const kinds = new Set<string>();
      for (const line of readFileSync(join(out, 'capture.jsonl'), 'utf8').trim().split('\n')) {
        const decoded = value(read(Buffer.from(line), 'application/json', selection));
        expect(decoded.rejected).toEqual([]);
        for (const { metric, value: said } of decoded.points) kinds.add(`${metric} ${said.kind}`);
      }
      expect([...kinds].toSorted()).toEqual([
        'http.server.request.duration durations',
        'process.cpu.utilization level',
        'process.memory.usage level',
      ]);
    },
  );

  test('are rolled back for the metric that is worse, out of order and twice as well', async () => {
    for (const [worse, metric] of [
      ['--errors=6%', 'errors'],
      ['--slower=2', 'latency'],
    ] as const) {
      const out = written(metric, ...short, worse, '--lateness=4', '--repeats=10%');
      const said = await backtest(out);
      expect(JSON.parse(said.out.at(-1) ?? '')).toMatchObject({ outcome: 'roll-back', metric });
    }
  });

  test('of a good canary are not rolled back', async () => {
    const said = await backtest(written('good', ...short), '--no-promote');
    expect(JSON.parse(said.out.at(-1) ?? '')).toMatchObject({ outcome: 'inconclusive' });
  });

  test('have a history beside them, and markers', () => {
    const out = written('h', '--seconds=60', '--history=600');
    expect(readdirSync(out).toSorted()).toEqual([
      ...['capture.jsonl', 'history.jsonl', 'markers.jsonl'],
    ]);
  });

  test.each([
    [[], '--out'],
    [['--out=x', '--errors=2'], '--errors is a share'],
    [['--out=x', '--weights=0.5'], '--weights is a list'],
    [['--out=x', '--slower=fast'], '--slower is a multiple'],
    [['--out=x', '--temporality=both'], '--temporality'],
    [['--out=x', '--histogram=round'], '--histogram'],
    [['--out=x', '--seconds=1'], '--seconds'],
    [['--out=x', '--colour=red'], '--colour'],
  ])('%j is refused', (args, message) => {
    const parsed = parseArguments(args);
    expect(parsed.ok ? '' : parsed.problem).toContain(message);
  });
});
