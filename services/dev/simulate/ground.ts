import type { LogRecord, NewRecord } from '../../core/log/record.ts';
import { knownTexts } from '../../core/known-rows.ts';
import { check, currentFoldVersion, fold, foldOpening } from '../../core/projection.ts';
import type { Step } from '../../ports/read-model-store.ts';
import { makeCorpus } from './corpus.ts';
import { Reference } from './reference.ts';
import type { Ground } from './schedule.ts';
import { instanceOf } from './simulated-store.ts';
import { tools } from './tools.ts';
import { audience, openedAtMs } from './write.ts';

/** The corpus, and what every schedule begins with. The same in every process. */
export const makeGround = async (): Promise<Ground> => {
  const corpus = await makeCorpus();
  const records = laid(corpus.opening.map(({ record }) => record));
  const reference = new Reference(records);
  reference.foldTo(records.length);
  const elsewhere = laid(corpus.elsewhere);
  const step = stepOf(elsewhere);
  return {
    corpus,
    opening: { records, facts: corpus.opening, remembered: reference.remembered() },
    elsewhere: {
      records: elsewhere,
      instance: () =>
        instanceOf([
          { wrote: 'step', generation: 'g1', step },
          { wrote: 'switch', expected: undefined, generation: 'g1' },
        ]),
    },
  };
};

const laid = (records: readonly NewRecord[]): readonly LogRecord[] =>
  records.map((record, position) => ({ ...record, position, appendedAtMs: openedAtMs + position }));

/** The whole log in one step. */
const stepOf = (records: readonly LogRecord[]): Step => {
  const [first, ...rest] = records;
  if (first === undefined) throw new RangeError('a log has a record 0');
  const opened = foldOpening(tools, audience, first);
  if (!opened.ok) throw new TypeError(opened.problem.message);
  const { state, writes } = opened.value;
  const rows = new Map(writes.map(({ model, key, value }) => [`${model}\n${key}`, value ?? '']));
  const folded = fold(tools, state, check(tools, audience, state, rest), knownTexts(rows));
  const written = new Set(folded.writes.map(({ model, key }) => `${model}\n${key}`));
  return {
    from: undefined,
    to: {
      logId: state.trust.logId,
      next: folded.state.next,
      lastDigest: folded.state.lastDigest,
      foldVersion: currentFoldVersion,
      rowsDigest: folded.state.rowsDigest,
    },
    writes: [
      ...writes.filter(({ model, key }) => !written.has(`${model}\n${key}`)),
      ...folded.writes,
    ],
  };
};
