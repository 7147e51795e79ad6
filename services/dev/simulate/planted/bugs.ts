import type { PlantedBug } from '../../faults/planted/planted-bug.ts';

// Bugs that simulated schedules must catch: each is a mistake that somebody might make one day, as a change of the
// product's source.

const schedules = 2_000;

const bug = (name: string, file: string, from: string, to: string): PlantedBug => ({
  name,
  edits: [{ file: `services/${file}`, from, to }],
  checks: [{ check: 'simulate', schedules }],
});

const projection = 'core/projection.ts';
const lifecycle = 'core/lifecycle.ts';
const slots = 'core/slot-state.ts';
const trust = 'core/trust/trust.ts';
const refusal = 'core/step-refusal.ts';
const checks = 'core/check/check-batch.ts';
const loop = 'projector/start.ts';
const catchUp = 'projector/catch-up.ts';
const step = 'projector/project.ts';
const memory = 'adapters/memory/read-model-store.ts';
const appender = 'gateway/appender.ts';
const begunAndEnded = 'core/begun-and-ended.ts';
const rowsNeeded = 'core/rows-needed.ts';

/** What is written where: the step and its refusals. */
const ofTheStep: readonly PlantedBug[] = [
  bug(
    'a step is taken wherever the checkpoint stands',
    refusal,
    `return stored.next === from?.next ? undefined : 'gap';`,
    `return undefined;`,
  ),
  bug(
    'rows of a refused step stay',
    memory,
    `    if (refusal !== undefined) return ok({ refused: refusal, stored: held?.checkpoint });`,
    `    if (refusal !== undefined) {
      for (const write of step.writes) writeRow(held?.models ?? new Map<string, Model>(), write);
      return ok({ refused: refusal, stored: held?.checkpoint });
    }`,
  ),
  bug(
    'a step that takes for new what is there is written',
    memory,
    `isNew === true && models`,
    `false && models`,
  ),
  bug(
    'a step that takes for new what is there is refused, and its rows stay',
    memory,
    `    if (step.writes.some(isThere)) return`,
    `    const isRefused = step.writes.some(isThere);
    for (const write of step.writes) writeRow(models, write);
    if (isRefused) return`,
  ),
  bug(
    'what was taken for new and is there is taken for new again',
    step,
    `    memory.asking = batchesAskedMax;`,
    ``,
  ),
  bug(
    'what is taken for new is not looked for where nothing is written to it',
    'core/known-rows.ts',
    `...presumed.filter(({ isChanged }) => !isChanged).map(asGone)`,
    ``,
  ),
  bug(
    'rows that go stay in the store',
    memory,
    `if (value !== null) model.rows.set(key, value);`,
    `model.rows.set(key, value ?? '');`,
  ),
  bug(
    'another version of the fold writes on',
    refusal,
    `if (stored.foldVersion !== to.foldVersion) return 'old-code';`,
    ``,
  ),
  bug(
    'the checkpoint is ahead of its rows by one',
    step,
    `  next: state.next,
  lastDigest`,
    `  next: state.next + 1,
  lastDigest`,
  ),
  bug(
    'the checkpoint names the digest of the first record of its batch',
    projection,
    `    last = record;`,
    `    last ??= record;`,
  ),
  bug(
    'the digest of all rows begins anew with each batch',
    projection,
    `rolledDigest(state.rowsDigest, changes.hash)`,
    `rolledDigest(noRowsDigest, changes.hash)`,
  ),
  bug(
    'only the first half of a step is written',
    step,
    `    writes: folded.writes,`,
    `    writes: folded.writes.slice(0, Math.ceil(folded.writes.length / 2)),`,
  ),
  {
    name: 'rows that are remembered outlive being overtaken',
    edits: [
      {
        file: `services/${step}`,
        from: `  const memory = takeMemory(ports, generation, state);`,
        to: `  const memory = remembered.get(ports.store) ?? takeMemory(ports, generation, state);
  remembered.set(ports.store, memory);`,
      },
      {
        file: `services/${step}`,
        from: `const takeMemory = (`,
        to: `const remembered = new WeakMap<ReadModelStore, Memory>();
const takeMemory = (`,
      },
    ],
    checks: [{ check: 'simulate', schedules }],
  },
  bug(
    'who goes on takes every marker that it has not seen for new',
    step,
    `createRowMemory(memoryBytesMax, state === undefined || state.next === 1)`,
    `createRowMemory(memoryBytesMax, true)`,
  ),
  bug(
    'the keys of one moment go with the checkpoint of another',
    step,
    `if (trust.value.stands.every((stands) => isSameStand(stands, checkpoint)))`,
    `if (trust.value.stands.length > 0)`,
  ),
  bug(
    'a change of trust does not count in the next piece of its batch',
    step,
    `    ({ trust } = answer);
    checked.push`,
    `    if (piece.length > 16) ({ trust } = answer);
    checked.push`,
  ),
  bug(
    'the time of the log is forgotten by whoever takes over',
    projection,
    `    logTimeMs: timeMs,`,
    `    logTimeMs: Math.min(timeMs, 0),`,
  ),
];

/** Who works, and on what. */
const ofTheLoop: readonly PlantedBug[] = [
  bug('a lost partition is not noticed', loop, `onLost: lose,`, `onLost: () => undefined,`),
  bug(
    'who lost the log while it looked at its store takes itself for the active one',
    loop,
    `    const lossesBefore = losses;
    const { generation, state } = held;
    const current`,
    `    const lossesBefore = NaN;
    const { generation, state } = held;
    const current`,
  ),
  bug(
    'the same conflict is told again by read models that are filled again',
    loop,
    `if (position > conflictTold) ports.tell`,
    `ports.tell`,
  ),
  bug(
    'what is caught up with is not counted',
    loop,
    `      onFolded: notice,
`,
    ``,
  ),
  bug(
    'a record is counted as applied before the step is taken',
    loop,
    `      const applied = await measured(() =>`,
    `      counts['applied'] = (counts['applied'] ?? 0) + 1;
      const applied = await measured(() =>`,
  ),
  bug(
    'an idle projector does not look whether its store fell back',
    loop,
    `    else await catchUp(lossesBefore);`,
    `    else await Promise.resolve(lossesBefore);`,
  ),
  bug(
    'the last applied record is not compared',
    catchUp,
    `return ports.tools.crypto.sha256Hex(record.value) === lastDigest`,
    `return record !== undefined || lastDigest === ''`,
  ),
  bug(
    'an empty store takes any log, whatever is pinned',
    step,
    `return pinnedLogId === null || pinnedLogId === logId`,
    `return pinnedLogId !== '' || pinnedLogId === logId`,
  ),
  bug(
    'readers are switched before the new generation is folded',
    catchUp,
    `  const caughtUp = await foldPast(ports, generation, current.value, options);
  if (!caughtUp.ok) return caughtUp;`,
    `  await store.switchTo(current.value, generation);
  const caughtUp = await foldPast(ports, generation, undefined, options);
  if (!caughtUp.ok) return caughtUp;`,
  ),
  bug(
    'a rebuild does not look how far its readers were',
    catchUp,
    `    if (!folded.ok || used === undefined) return folded;`,
    `    if (!folded.ok || used !== '') return folded;`,
  ),
  bug(
    'read models of an older fold are gone on with',
    catchUp,
    `if (wrote < currentFoldVersion) return rebuild`,
    `if (wrote < 0) return rebuild`,
  ),
];

/** What a record means. */
const ofTheFold: readonly PlantedBug[] = [
  bug(
    'incidents are told in the order in which they came',
    begunAndEnded,
    `  for (const one of events.toSorted(inTime)) {`,
    `  for (const one of events.toSorted((a, b) => a.position - b.position)) {`,
  ),
  bug(
    'facts that are seen otherwise since are not asked for',
    rowsNeeded,
    `    for (const other of factsBefore(noted, marker))`,
    `    for (const other of factsBefore(noted, marker).slice(1))`,
  ),
  bug(
    'a marker that comes again is applied again',
    projection,
    `  if (first !== undefined)
    return isSameContent`,
    `  if (first !== undefined && !isSameContent(first, digest))
    return isSameContent`,
  ),
  bug(
    'other content under a known id is taken for a repeat',
    projection,
    `return isSameContent(first, digest)`,
    `return isSameContent(first, digest) || digest !== ''`,
  ),
  bug(
    'the log’s time goes back with its broker',
    projection,
    `logTimeMs = Math.max(logTimeMs, record.appendedAtMs);`,
    `logTimeMs = record.appendedAtMs;`,
  ),
  bug(
    'what waited counts from its append',
    projection,
    `    atMs: logTimeMs - waitedMs,
    signer,`,
    `    atMs: logTimeMs,
    signer,`,
  ),
  bug(
    'an expelled marker keeps its id',
    projection,
    `  rows.remove('marker', markerKey(entry.marker, entry.principal));`,
    ``,
  ),
  bug(
    'a change of trust counts only from the next batch on',
    checks,
    `    trust = answer.trust;
    return answer;`,
    `    if (answer.outcome === 'trust-changed') trust = { ...answer.trust, keys: before.keys };
    return answer;`,
  ),
  bug(
    'a retired key signs on',
    trust,
    `  if (key.retiredAt !== null)
    return {`,
    `  if (key.retiredAt !== null && key.id === '')
    return {`,
  ),
  bug(
    'the end that was said last stays',
    lifecycle,
    `      if (!hasEnded(attempt))
        return said`,
    `      if (!hasEnded(attempt) || attempt.status !== entry.kind)
        return said`,
  ),
  bug(
    'a late success becomes what runs',
    slots,
    `(holder !== undefined && at < holder.saidAt) ||`,
    `(holder !== undefined && at < holder.saidAt && line.version === '') ||`,
  ),
  bug(
    'a failure leaves no doubt',
    slots,
    `at < holder.saidAt || isRelease(holder) ? holder`,
    `at < holder.saidAt || doubt !== null ? holder`,
  ),
  bug(
    'a conflict holds nothing back',
    lifecycle,
    `return isHeld && mayBeHeld &&`,
    `return isHeld && !mayBeHeld &&`,
  ),
  bug(
    'a second roll-back stands beside the first',
    lifecycle,
    `return rolledBack ? 'repeat' : 'applied';`,
    `return 'applied';`,
  ),
  bug(
    'the roll-back of a thief stands before the true one',
    lifecycle,
    `(earlier) => earlier.note === 'applied' && !doubted.includes(earlier),`,
    `(earlier) => earlier.note === 'applied',`,
  ),
  bug(
    'an update of unknown token joins what has ended',
    lifecycle,
    `(token !== null && last !== undefined && hasEnded(last) ? undefined : last);`,
    `last;`,
  ),
  bug(
    'whoever is told of a group’s append hears the first position',
    appender,
    `const position = appended.value[index]?.position;`,
    `const position = appended.value[index * 0]?.position;`,
  ),
  bug(
    'an append without an answer counts as taken',
    appender,
    `if (!appended.ok) return () => appendRefused(appended.problem);`,
    `if (!appended.ok) return appended.problem.code === 'unknown' ? () => ok(0) : () => appendRefused(appended.problem);`,
  ),
];

/** Who judges canaries. */
const ofTheAnalyser: readonly PlantedBug[] = [
  bug(
    'an analyser that takes over begins behind the analyses that are open',
    'analyser/stage-two.ts',
    `const next = lowest ?? (last?.position ?? -1) + 1;`,
    `const next = (last?.position ?? -1) + 1;`,
  ),
];

export const simulatedBugs: readonly PlantedBug[] = [
  ...ofTheStep,
  ...ofTheLoop,
  ...ofTheFold,
  ...ofTheAnalyser,
];
