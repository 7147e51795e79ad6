import { conflictsOf } from '../lifecycle.ts';
import { slotKey } from '../markers/slot.ts';
import type { AttemptLine, Holder, SlotState } from '../slot-state.ts';
import type { Present } from '../views.ts';
import { expiredAfterMs, isSuspectAt } from '../views.ts';
import type { Problem, ProblemPlace, ProblemRows } from './problem.ts';
import { nowhere, placeName, problemOf } from './problem.ts';

// What deployments themselves show: those that nobody ended, conflicts, what contradicts, what cannot be believed.

export const deploymentProblems = (rows: ProblemRows): readonly Problem[] => [
  ...neverEnded(rows),
  ...conflicts(rows),
  ...rows.slots.flatMap((state) =>
    state.holders.flatMap((holder) => [
      ...suspect(state, holder, rows.present),
      ...tagWithoutDigest(state, holder),
    ]),
  ),
  ...otherwise(rows),
];

const neverEnded = ({ slots, attempts, present }: ProblemRows): readonly Problem[] => {
  const open = new Map<string, AttemptLine>();
  for (const line of [...slots.flatMap(({ beside }) => beside), ...attempts])
    if (line.status === 'planned' || line.status === 'running')
      open.set(`${line.deployment}/${line.attempt}`, line);
  return [...open]
    .filter(([, { heardAt }]) => present.nowMs - heardAt > expiredAfterMs)
    .map(([subject, line]) =>
      problemOf({
        code: 'never-ended',
        severity: 'warning',
        subject,
        message: `${nameOf(line)} was ${line.status} and nobody has said how it ended`,
        hint: `say it: plimsoll release update --deployment=${line.deployment} --status=FAILED (or SUCCESS, CANCELED)`,
        place: placeOf(line),
        deployment: line.deployment,
        principal: line.signer,
        positions: [line.position, line.statusPosition],
        at: line.heardAt,
      }),
    );
};

const conflicts = ({ deployments }: ProblemRows): readonly Problem[] =>
  deployments.flatMap((deployment) =>
    deployment.attempts.flatMap((attempt) => {
      const held = conflictsOf(deployment, attempt);
      const [first] = held;
      if (first === undefined) return [];
      const place = attempt.plan === null ? nowhere : attempt.plan.slot;
      return [
        problemOf({
          code: 'conflict',
          severity: 'alarm',
          subject: `${deployment.id}/${attempt.number}`,
          message: `markers of ${attempt.plan?.version ?? 'an unplanned attempt'} in ${placeName(place)} came again with other content: its gate is held`,
          hint: `who has the key of ${first.principal}? plimsoll show ${deployment.id} names both records`,
          place,
          deployment: deployment.id,
          principal: first.principal,
          count: held.length,
          positions: held.flatMap((conflict) => [conflict.first, conflict.position]),
          at: first.at,
        }),
      ];
    }),
  );

const suspect = (state: SlotState, holder: Holder, present: Present): readonly Problem[] => {
  const signed = [
    { key: holder.key, position: holder.statusPosition },
    ...(holder.plan === null ? [] : [holder.plan]),
  ].filter(({ key, position }) => isSuspectAt(present, key, position));
  if (signed.length === 0) return [];
  return [
    problemOf({
      code: 'suspect-holder',
      severity: 'alarm',
      subject: `${slotKey(state.slot)} ${holder.deployment}/${holder.attempt}`,
      message: `what holds ${placeName(state.slot)}, ${holder.version ?? 'no version'}, was said by a key that was found compromised`,
      hint: `look at what runs there, and deploy what should: plimsoll show ${holder.deployment}`,
      place: state.slot,
      deployment: holder.deployment,
      principal: holder.signer,
      positions: signed.map(({ position }) => position),
      at: holder.since,
    }),
  ];
};

/** Names that people move from one artifact to the next. */
const movingTag =
  /(?:^|[-_.:@/])(?:latest|stable|main|master|head|trunk|dev|develop|edge|nightly|snapshot|current|production|prod|staging)$/i;

const tagWithoutDigest = (state: SlotState, holder: Holder): readonly Problem[] =>
  holder.version === null || holder.digest !== null || !movingTag.test(holder.version)
    ? []
    : [
        problemOf({
          code: 'tag-without-digest',
          severity: 'warning',
          subject: slotKey(state.slot),
          message: `${placeName(state.slot)} is said to run ${holder.version}, a name that moves, without the digest of what runs`,
          hint: 'say --digest=sha256:… with the version: two deployments of one tag may be two artifacts',
          place: state.slot,
          deployment: holder.deployment,
          principal: holder.signer,
          positions: [holder.plan?.position ?? holder.position],
          at: holder.since,
        }),
      ];

/** Contradictions and disagreements, one problem an attempt. */
const otherwise = ({ remarks }: ProblemRows): readonly Problem[] => {
  const told = remarks.filter(({ note }) => note === 'contradiction' || note === 'disagreement');
  const groups = Map.groupBy(
    told,
    ({ note, deployment, attempt }) => `${note} ${deployment}/${attempt}`,
  );
  return [...groups.values()].flatMap((said) => {
    const last = said.at(-1);
    if (last === undefined) return [];
    const isContradiction = last.note === 'contradiction';
    const where = last.slot ?? nowhere;
    return [
      problemOf({
        code: isContradiction ? 'contradiction' : 'disagreement',
        severity: isContradiction ? 'warning' : 'info',
        subject: `${last.deployment}/${last.attempt}`,
        message: `${last.version ?? 'an unplanned attempt'} in ${placeName(where)}: ${last.principal} says ${last.says ?? 'otherwise'}${said.length > 1 ? `, and ${said.length - 1} more` : ''}`,
        hint: isContradiction
          ? `what was said first stands; plimsoll show ${last.deployment} shows both`
          : `the first counts; plimsoll show ${last.deployment} shows what differs`,
        place: where,
        deployment: last.deployment,
        principal: last.principal,
        count: said.length,
        positions: said.map(({ position }) => position),
        at: last.appendedAt,
      }),
    ];
  });
};

const placeOf = ({ namespace, environment, component, target }: AttemptLine): ProblemPlace => ({
  namespace,
  environment,
  component,
  target,
});

const nameOf = (line: AttemptLine): string =>
  line.version === null
    ? 'an attempt without a plan'
    : `${line.version} in ${placeName(placeOf(line))}`;
