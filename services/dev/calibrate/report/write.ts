import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { climates } from '../climates.ts';
import { heldAgainstPage } from './held-against.ts';
import type { Line } from './line.ts';
import { plots, plotSvg } from './plots.ts';
import type { Row } from './rows.ts';
import { pageOf } from './tables.ts';

/** Writes the tables, the lists and the plots into the folder; answers the files' names. */
export const writeReport = (
  folder: string,
  rows: readonly Row[],
  lines: readonly Line[],
): readonly string[] => {
  const files: readonly (readonly [name: string, content: string])[] = [
    ['calibration.md', pageOf(rows, climates)],
    ['held-against.md', heldAgainstPage(lines)],
    ...plots.map((plot) => [join('plots', plot.file), plotSvg(plot, rows)] as const),
  ];
  mkdirSync(join(folder, 'plots'), { recursive: true });
  return files.map(([name, content]) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  });
};
