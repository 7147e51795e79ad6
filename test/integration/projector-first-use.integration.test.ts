import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFoundation } from '../../services/adapters/foundation/foundation.ts';
import { headerNames } from '../../services/core/markers/wire.ts';
import { parseSettings } from '../../services/core/settings.ts';
import type { Child } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { feedLog, seededChance } from '../support/fed-log.ts';
import { audience } from '../support/markers.ts';
import { projectorProcesses, startWithSettings } from '../support/projector-processes.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const folder = scratchFolder();
const startProjector = projectorProcesses();
const writers = 16;
const appendsEach = 8;
/** From the first moments, in which keys and database are made, to the last appends. */
const killWithinMs = 700;
const allReadyMs = 60_000;
const testTimeoutMs = 120_000;

type Acknowledged = { readonly marker: string; readonly position: number };

test(
  '16 processes make first use of one empty folder at once, some killed: one log, nothing lost, nothing twice',
  async () => {
    const { random } = seededChance();
    const at = `sqlite:${join(folder, 'plimsoll-data')}`;
    const settings = { log: at, store: at, audience, folder, leaseMs: 500 };
    const all = Array.from({ length: writers }, (_, writer) =>
      startWithSettings('append-markers.ts', [`writer-${writer}`, `${appendsEach}`], settings),
    );
    const isReady = (): boolean => all.every(({ lines }) => lines.includes('ready'));
    await eventually('all are ready', isReady, allReadyMs);
    for (const writer of all) writer.send('go');
    const killed = all.filter((_, writer) => writer % 3 === 0);
    for (const writer of killed)
      setTimeout(() => writer.signal('SIGKILL'), random() * killWithinMs);
    const projectors = [startProjector(settings), startProjector(settings)];
    await Promise.all(all.map(({ over }) => over));
    const survivors = all.filter((writer) => !killed.includes(writer));
    for (const survivor of survivors) expect(await survivor.over).toBe(0);

    const env = { PLIMSOLL_LOG: at, PLIMSOLL_STORE: at, PLIMSOLL_AUDIENCE: audience };
    const foundation = openFoundation(value(parseSettings(env)));
    const fed = feedLog(
      value(await foundation.stream('log')),
      value(await foundation.store()),
      audience,
    );
    await fed.append([]);
    expect(foundation.firstUse()).toBe(null);

    const headerOf = (position: number, name: string): string =>
      new TextDecoder().decode(
        fed.records[position]?.headers.find((header) => header.name === name)?.value,
      );
    const markers = fed.records.map(({ position }) => headerOf(position, headerNames.id));
    const openings = fed.records.filter(({ position }) =>
      headerOf(position, headerNames.type).includes('log-opened'),
    );
    expect(openings.map(({ position }) => position)).toEqual([0]);
    expect(new Set(markers).size).toBe(markers.length);
    const told = (writer: Child): readonly Acknowledged[] =>
      writer.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    for (const { marker, position } of all.flatMap(told)) expect(markers[position]).toBe(marker);
    for (const survivor of survivors) expect(told(survivor)).toHaveLength(appendsEach);

    const isActive = (): boolean => projectors.some((projector) => projector.isActive());
    await eventually('one projector is active', isActive);
    await fed.compareAtEnd();
    // Every marker was good: the keys on the log are the keys in the folder.
    expect(Object.keys(fed.fold.outcomesAt(fed.records.length)).toSorted()).toEqual([
      'applied',
      'trust',
    ]);
    projectors.find((projector) => projector.isActive())?.signal('SIGKILL');
    await fed.append(fed.records.slice(-3));
    await fed.compareAtEnd();
    await foundation.close();
  },
  testTimeoutMs,
);
