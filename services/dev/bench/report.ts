import type { BenchResult, Spread } from './bench.ts';

/** A bench as tables of text, its lines ended. */
export const benchReport = (result: BenchResult): string => {
  const alternatives = table([
    [result.name, `CPU us per ${result.unit}`, 'wall us'],
    ...result.alternatives.map(({ name, cpuMicros, wallMicros }) => [
      name,
      spreadText(cpuMicros),
      spreadText(wallMicros),
    ]),
  ]);
  const ratios = table([
    ['ratio', 'CPU', 'wall'],
    ...result.ratios.map(({ name, cpu, wall }) => [name, spreadText(cpu), spreadText(wall)]),
  ]);
  const rounds = result.ratios[0]?.cpu.rounds ?? result.alternatives[0]?.cpuMicros.rounds ?? 0;
  const notes = result.notes.map((note) => `${note}\n`).join('');
  if (result.alternatives.length === 0) return notes;
  return `${alternatives}${ratios}median [lowest-highest] of ${rounds} interleaved rounds\n${notes}`;
};

const spreadText = ({ median, low, high }: Spread): string =>
  `${figure(median)} [${figure(low)}-${figure(high)}]`;

const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
};
