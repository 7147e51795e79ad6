import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from '../../services/core/markers/marker.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import {
  analysisOf,
  artifact,
  canary,
  decides,
  decision,
  decisionIdOf,
  decisionRecord,
  firstPosition,
  metricShownGood,
} from './decisions.ts';
import { forged, signedBody, signedUnder } from './forge.ts';
import type { Step } from './given.ts';
import {
  by,
  delivered,
  findsCompromised,
  markerOf,
  openedAtMs,
  raw,
  recordsOf,
  retires,
  trusts,
} from './given.ts';
import type { Asked } from './golden-decisions.ts';
import { askAbout, goldenDecisionsFolder } from './golden-decisions.ts';
import { asGolden } from './golden-logs.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import type { Said } from './markers.ts';
import {
  audience,
  failed,
  id,
  logged,
  metricDecided,
  operated,
  place,
  planned,
  run,
  shifted,
  started,
  succeeded,
} from './markers.ts';
import { flipped, withoutHeader, withValue } from './spoil.ts';

// Writes golden decisions that are not there yet; what is there is never written again.
// Run it with: node test/support/write-golden-decisions.ts

type Story = readonly [
  name: string,
  about: string,
  steps: readonly (Step | Promise<Step>)[],
  asked?: Partial<Asked>,
];

const after = (seconds: number): Partial<Asked> => ({ nowMs: openedAtMs + seconds * 1000 });
const at = (position: number, more: Partial<Asked> = {}): Partial<Asked> => ({ position, ...more });
const policy = (over: Asked['policy']): Partial<Asked> => ({ policy: over });

const promote = decision('promote');
const rollBack = decision('roll-back');
const laterSilence = decision('hold', {
  ...{ windowIndex: 9, windows: 10, validForMs: 50_000, evidenceDigest: 'c'.repeat(64) },
});
const third = { deployment: run('9') };
const silence = decision('hold', { validForMs: 50_000 });
const asks = decision('roll-back', { mode: 'ask' });
/** The same decision said again for a later window. */
const renewed = (says: Said, over: Body = {}): Said => {
  const body = { ...says, windowIndex: 50, windowEndedAt: openedAtMs + 8000, ...over };
  return { ...body, marker: decisionIdOf(body) };
};
/** With the same numbers, but of another window. */
const later = (kind: Parameters<typeof decision>[0], over: Body = {}): Said =>
  decision(kind, {
    windowIndex: 9,
    windows: 10,
    windowEndedAt: openedAtMs + 7000,
    evidenceDigest: 'c'.repeat(64),
    ...over,
  });
const metric = (over: Body, isBlamed = true): Body => ({
  metrics: [metricDecided({ isBlamed, ...over })],
});

/** A roll-back because of a silence blames nobody. */
const forSilence = (over: Body): Said =>
  decision('roll-back', {
    onSilence: 'roll-back',
    verdict: 'inconclusive',
    reason: 'silence',
    metric: null,
    ...over,
  });

/** Somebody has a second key of the analyser's role; the first decision stands at position 8. */
const robbed: readonly Step[] = [trusts('thief', { roles: ['analyser'] }), ...canary];
const theft: Step = findsCompromised('thief', 0);
const forgedRollBack = later('roll-back', { toVersion: '0.0.1', toDigest: null });

/** The start was said twice, and differently. */
const conflicting: readonly Step[] = [
  ...canary,
  by('ci', started({ reason: 'said twice' }), { marker: 'marker 6' }),
];

/** Callers with a token speak through a gateway; the first decision stands at position 8, or behind what they say. */
const gateway = trusts('gateway', { roles: ['gateway'] });
const withToken = (says: Said): Step => by('gateway', { ...says, source: onBehalfSource('shop') });
const plannedWithToken: readonly Step[] = [
  gateway,
  ...canary.slice(0, 3),
  withToken(planned('2.0.0', { digest: artifact('b'), strategy: 'canary', canaryShare: 0.1 })),
  withToken(started()),
];
const releasedWithToken: readonly Step[] = [gateway, ...canary, withToken(logged('6.6.6'))];

const refused: readonly Story[] = [
  [
    'planned_with_token',
    'A canary that a caller with a token planned, and no key.',
    [...plannedWithToken, decides(promote)],
    at(8),
  ],
  [
    'holder_said_with_token_accepted',
    'A caller with a token says that another version holds the slot, and the policy takes his word.',
    [...releasedWithToken, decides(rollBack)],
    at(9, policy({ onBehalf: 'accept' })),
  ],
  // The record and who signed it.
  [
    'unsigned',
    'A roll-back without a signature.',
    [
      ...canary,
      decisionRecord(rollBack).then((record) => raw(withoutHeader('plimsoll-signature')(record))),
    ],
  ],
  [
    'bit_flipped',
    'One bit of the decision was changed on its way.',
    [
      ...canary,
      decisionRecord(rollBack).then((record) =>
        raw(withValue((bytes) => flipped(bytes, 1200))(record)),
      ),
    ],
  ],
  [
    'key_unknown',
    'Signed by a key that this log never named.',
    [...canary, decides(rollBack, 'stranger')],
  ],
  [
    'key_retired',
    'Signed by a key that was retired before.',
    [...canary, retires('analyser'), decides(rollBack)],
    at(8),
  ],
  [
    'key_compromised_before',
    'Signed by a key that was found compromised before.',
    [...canary, findsCompromised('analyser', 0), decides(rollBack)],
    at(8),
  ],
  [
    'key_compromised_since',
    'Accepted, and its key was found compromised afterwards.',
    [...canary, decides(rollBack), findsCompromised('analyser', 7)],
  ],
  ['role_not_analyser', 'An emitter decides.', [...canary, decides(rollBack, 'ci')]],
  [
    'kind_not_allowed',
    'A key that may only hold rolls back.',
    [
      trusts('careful', { roles: ['analyser'], kinds: ['hold'] }),
      ...canary,
      decides(rollBack, 'careful'),
    ],
    at(8),
  ],
  [
    'out_of_scope',
    'An analyser of staging decides about production.',
    [
      trusts('stage', { roles: ['analyser'], environments: ['staging'] }),
      ...canary,
      decides(rollBack, 'stage'),
    ],
    at(8),
  ],
  ['wrong_audience', "Signed for another organisation's log.", [...canary, signedFor('elsewhere')]],
  [
    'audience_in_body',
    'Signed for this log, written for another.',
    [...canary, withBody(rollBack, { audience: 'elsewhere' })],
  ],
  [
    'foreign_log',
    'The log is not the one that was pinned.',
    [...canary, decides(rollBack)],
    { pinnedLogId: id('another log') },
  ],
  [
    'on_behalf',
    'A key that speaks for others decides.',
    [
      trusts('gateway', { roles: ['gateway', 'analyser'] }),
      ...canary,
      decides(rollBack, 'gateway'),
    ],
    at(8),
  ],
  [
    'waited',
    'A decision that lay on a spool for a minute.',
    [
      ...canary,
      decisionRecord(rollBack).then(async (record) => raw(await delivered(record, 60_000, 'ci'))),
    ],
  ],
  [
    'id_made_up',
    'A decision whose id its analysis does not give.',
    [...canary, decides({ ...rollBack, marker: id('made up') })],
  ],
  [
    'analysis_foreign',
    'A decision of another analysis than that of its attempt.',
    [...canary, decides(decision('roll-back', { analysis: analysisOf(run('8')) }))],
  ],
  ['no_decision', 'The record is no decision at all.', [...canary], at(6)],
  ['beyond_the_end', 'There is no record there yet.', [...canary], at(99)],
  // What it is about.
  [
    'deployment_unknown',
    'A deployment that nobody planned.',
    [...canary, decides(decision('roll-back', { deployment: run('9') }))],
  ],
  [
    'attempt_unknown',
    'An attempt that nobody planned.',
    [...canary, decides(decision('roll-back', { attempt: 'another run' }))],
  ],
  [
    'slot_differs',
    'Another slot than the one that was planned.',
    [...canary, decides(decision('roll-back', { slot: place('staging') }))],
  ],
  [
    'digest_under_test_differs',
    'Another artefact than the one that was planned.',
    [...canary, decides(decision('roll-back', { fromDigest: artifact('f') }))],
  ],
  [
    'version_under_test_differs',
    'Another version of an attempt that has a token.',
    [
      ...canary.slice(0, 3),
      by('ci', planned('2.0.0', { digest: artifact('b'), canaryShare: 0.1, attempt: 'one' })),
      by('ci', started({ attempt: 'one' })),
      decides(decision('roll-back', { fromVersion: '3.0.0', attempt: 'one' })),
    ],
  ],
  // What it says.
  [
    'valid_too_long',
    'To be obeyed for an hour.',
    [...canary, withBody(rollBack, { validForMs: 3_600_000 })],
  ],
  ['valid_never', 'To be obeyed for no time.', [...canary, withBody(rollBack, { validForMs: 0 })]],
  [
    'evidence_not_a_number',
    'The evidence is not a number.',
    [...canary, withBody(rollBack, { evidence: Number.NaN })],
  ],
  [
    'evidence_infinite',
    'The evidence is infinite.',
    [...canary, withBody(rollBack, { evidence: Number.POSITIVE_INFINITY })],
  ],
  ['ratio_negative', 'A negative ratio.', [...canary, withBody(rollBack, { ratio: -1 })]],
  [
    'metric_not_a_number',
    'A metric whose level is not a number.',
    [...canary, withBody(rollBack, metric({ canaryLevel: Number.NaN }))],
  ],
  [
    'more_errors_than_requests',
    'More errors than requests.',
    [...canary, decides(decision('roll-back', { canary: { requests: 5, errors: 9 } }))],
  ],
  [
    'more_events_than_counted',
    'A metric with more events than it counted.',
    [...canary, decides(decision('roll-back', metric({ canaryEvents: 101 })))],
  ],
  [
    'ratio_outside_interval',
    'The ratio lies outside its interval.',
    [...canary, decides(decision('roll-back', { ratio: 3 }))],
  ],
  [
    'weights_above_one',
    'Metrics that weigh more than the whole.',
    [
      ...canary,
      decides(
        decision('roll-back', {
          metrics: [metricDecided({ isBlamed: true }), metricDecided({ id: 'latency' })],
        }),
      ),
    ],
  ],
  [
    'windows_that_never_were',
    'It rests on more windows than there were.',
    [...canary, decides(decision('roll-back', { windows: 9 }))],
  ],
  [
    'samples_backwards',
    'Its samples end before they begin.',
    [...canary, decides(decision('roll-back', { samplesTo: 3 }))],
  ],
  [
    'verdict_of_pass',
    'A roll-back of a canary that passed.',
    [...canary, decides(decision('roll-back', { verdict: 'pass' }))],
  ],
  [
    'promote_of_fail',
    'A promotion of a canary that failed.',
    [...canary, decides(decision('promote', { verdict: 'fail' }))],
  ],
  [
    'promote_with_blame',
    'A promotion that blames a metric.',
    [...canary, decides(decision('promote', metric({})))],
  ],
  [
    'stage_contradicts',
    'A promotion of a canary that is still warming.',
    [...canary, decides(decision('promote', { stage: 'warming' }))],
  ],
  [
    'nobody_blamed',
    'A roll-back that blames no metric.',
    [...canary, decides(decision('roll-back', metric({}, false)))],
  ],
  [
    'blames_what_it_does_not_have',
    'A roll-back that blames a metric that was not judged.',
    [...canary, decides(decision('roll-back', { metric: 'latency' }))],
  ],
  [
    'evidence_insufficient',
    'Less evidence than was needed.',
    [...canary, decides(decision('roll-back', { evidence: 199 }))],
  ],
  [
    'evidence_needed_absurd',
    'Evidence of 1 : 2 was held to be enough.',
    [...canary, decides(decision('roll-back', { evidence: 3, evidenceNeeded: 2 }))],
  ],
  [
    'evidence_needed_below_policy',
    'Less was held to be enough than the policy asks.',
    [...canary, decides(decision('roll-back', { evidence: 90, evidenceNeeded: 80 }))],
    policy({ alpha: 0.01 }),
  ],
  [
    'promote_of_worse_metric',
    'A promotion by a metric that says that the canary is worse.',
    [...canary, decides(decision('promote', metric({}, false)))],
  ],
  [
    'promote_of_one_weak_metric',
    'A promotion, and one of two metrics was not shown to be good enough.',
    [
      ...canary,
      decides(
        decision('promote', {
          metrics: [
            metricShownGood({ weight: 0.5 }),
            metricShownGood({ id: 'latency', weight: 0.5, promoteEvidence: 19 }),
          ],
        }),
      ),
    ],
  ],
  [
    'advance_of_weak_metric',
    'An advance by a metric that was not shown to be good enough.',
    [
      ...canary,
      decides(decision('advance', { metrics: [metricShownGood({ promoteEvidence: 2 })] })),
    ],
  ],
  [
    'promote_that_would_roll_back',
    'A promotion whose evidence together would roll back.',
    [...canary, decides(decision('promote', { metrics: [metricShownGood({ evidence: 250 })] }))],
  ],
  [
    'promote_that_would_roll_back_by_policy',
    'The same, where the policy rolls back at less.',
    [...canary, decides(decision('promote', { metrics: [metricShownGood({ evidence: 60 })] }))],
    policy({ alpha: 0.05 }),
  ],
  [
    'promote_without_requests',
    'A promotion, and nobody asked the canary anything.',
    [...canary, decides(decision('promote', metric({ canaryCount: 0, canaryEvents: 0 }, false)))],
  ],
  [
    'silence_promotes',
    'A promotion because of a silence.',
    [...canary, decides(decision('promote', { onSilence: 'page' }))],
  ],
  [
    'silence_blames',
    'A roll-back because of a silence that blames a metric.',
    [
      ...canary,
      decides(decision('roll-back', { onSilence: 'roll-back', verdict: 'inconclusive' })),
    ],
  ],
  [
    'silence_against_policy',
    'A roll-back because of a silence, where the policy says page.',
    [...canary, decides(forSilence(metric({}, false)))],
    policy({ onSilence: 'page' }),
  ],
  [
    'share_above_one',
    'An advance to twice the traffic.',
    [...canary, withBody(decision('advance'), { share: 2 })],
  ],
  [
    'share_zero',
    'An advance to no traffic.',
    [...canary, decides(decision('advance', { share: 0 }))],
  ],
  [
    'share_missing',
    'An advance that does not say how far.',
    [...canary, decides(decision('advance', { share: null }))],
  ],
  [
    'share_not_above',
    'An advance to the share that the canary has.',
    [
      ...canary,
      by('ci', shifted({ canaryShare: 0.5 })),
      decides(decision('advance', { share: 0.25 })),
    ],
    at(8),
  ],
  [
    'judge_unknown',
    'Decided by a judge that nobody here knows.',
    [...canary, decides(decision('roll-back', { judge: '99' }))],
  ],
  // Evidence of an earlier attempt.
  [
    'carried_from_another_artifact',
    'It goes on from the evidence against the artifact that was rolled back before, and is about another one.',
    [...rolledBackBefore(), decides(rollBackCarried(aboutNext()))],
    at(11),
  ],
  [
    'carried_from_another_artifact_to_promote',
    'Another artifact has shown that it is good enough, and this one is promoted for it.',
    [
      ...canary,
      by('ci', failed()),
      ...secondAttempt(artifact('c')),
      decides(promoteOfSecond({ fromDigest: artifact('c') })),
    ],
    at(10),
  ],
  [
    'carried_without_digest',
    'It goes on from the evidence of an attempt before, and nobody knows of which artifact either is.',
    [
      ...firstAttempt({ digest: null }),
      ...secondAttempt(null),
      decides(promoteOfSecond({ fromDigest: null })),
    ],
    at(10),
  ],
  [
    'carried_from_another_place',
    'The artifact has shown in staging that it is good enough, and is promoted for it in production.',
    [
      ...firstAttempt({ digest: artifact('b'), slot: place('staging') }),
      ...secondAttempt(artifact('b')),
      decides(promoteOfSecond()),
    ],
    at(10),
  ],
  [
    'carried_from_itself',
    'It goes on from its own evidence.',
    [...canary, decides(decision('roll-back', { carriedFrom: analysisOf() }))],
  ],
  [
    'carried_from_a_later_attempt',
    'It goes on from the evidence of an attempt that came after it.',
    [
      ...canary.slice(0, 3),
      by('ci', planned('2.0.0', { digest: artifact('b'), canaryShare: 0.1, attempt: 'one' })),
      by('ci', started({ attempt: 'one' })),
      by('ci', planned('2.0.0', { digest: artifact('b'), canaryShare: 0.1, attempt: 'two' })),
      decides(decision('roll-back', { attempt: 'one', carriedFrom: analysisOf(run('7'), 2) })),
    ],
    at(8),
  ],
  // What stands beside it.
  [
    'renewal_of_nothing',
    'A decision is renewed that was never made.',
    [...canary, decides(renewed(rollBack))],
  ],
  [
    'renewal_of_another_analysis',
    'Said again on other evidence than the first.',
    [...canary, decides(rollBack), decides(later('roll-back'))],
    at(8),
  ],
  [
    'renewal_differs',
    'A renewal that leads to another version.',
    [
      ...canary,
      decides(rollBack),
      decides(renewed(rollBack, { toVersion: '1.0.0', toDigest: null })),
    ],
    at(8),
  ],
  [
    'renewal_of_refused',
    'A renewal of a decision that was refused for want of evidence.',
    [
      ...canary,
      decides(decision('roll-back', { evidence: 1 })),
      decides(renewed(decision('roll-back', { evidence: 1 }))),
    ],
    at(8),
  ],
  [
    'promote_after_roll_back',
    'A promotion after a roll-back.',
    [...canary, decides(rollBack), decides(later('promote'))],
    at(8),
  ],
  [
    'hold_after_roll_back',
    'A hold after a roll-back.',
    [...canary, decides(rollBack), decides(later('hold'))],
    at(8),
  ],
  [
    'overtaken_by_roll_back',
    'A promotion that a roll-back has overtaken.',
    [...canary, decides(promote), decides(later('roll-back'))],
  ],
  [
    'overtaken_by_a_silence_that_lasts',
    'A step was said again, and the silence after it.',
    [
      ...[...canary, decides(decision('advance')), decides(laterSilence)],
      ...[
        decides(renewed(decision('advance'))),
        decides(renewed(laterSilence, { windowIndex: 70 })),
      ],
    ],
    at(9, after(30)),
  ],
  [
    'overtaken_by_hold',
    'An advance that a hold has overtaken.',
    [...canary, decides(decision('advance')), decides(later('hold'))],
  ],
  [
    'renewal_of_overtaken',
    'A promotion is renewed that a hold has overtaken.',
    [...canary, decides(promote), decides(later('hold')), decides(renewed(promote))],
    at(9),
  ],
  [
    'out_of_order',
    'A decision about window 3 after one about window 9.',
    [...canary, decides(later('hold')), decides(promote)],
    at(8),
  ],
  [
    'attempt_ended_before',
    'Decided when the attempt had ended.',
    [...canary, by('ci', failed()), decides(rollBack)],
    at(8),
  ],
  [
    'attempt_ended_since',
    'The attempt has ended since.',
    [...canary, decides(rollBack), by('ci', succeeded())],
  ],
  [
    'never_started',
    'A roll-back of a version that does not run.',
    [...canary.slice(0, -1), decides(rollBack)],
    at(6),
  ],
  [
    'superseded_by_rerun',
    'The next attempt has begun.',
    [
      ...canary.slice(0, 3),
      by('ci', planned('2.0.0', { digest: artifact('b'), canaryShare: 0.1, attempt: 'one' })),
      by('ci', started({ attempt: 'one' })),
      decides(decision('roll-back', { attempt: 'one' })),
      by('ci', planned('2.0.0', { digest: artifact('b'), attempt: 'two' })),
      by('ci', started({ attempt: 'two' })),
    ],
  ],
  [
    'superseded_by_another',
    'Another deployment has begun in the slot.',
    [
      ...canary,
      decides(rollBack),
      by('ci', planned('2.0.1', { deployment: run('8') })),
      by('ci', started({ deployment: run('8') })),
    ],
  ],
  [
    'promote_over_a_fix',
    'A fix was begun and has taken the slot since: the canary was never compared with it.',
    [
      ...canary,
      decides(promote),
      by('ci', planned('1.9.5', { deployment: run('8') })),
      by('ci', started({ deployment: run('8') })),
      by('ci', succeeded({ deployment: run('8') })),
    ],
    after(20),
  ],
  [
    'promote_over_a_fix_deployed_twice',
    'A fix that was planned before the canary took the slot since, and again by another run.',
    [
      ...canary.slice(0, 3),
      by('ci', planned('1.9.5', { deployment: run('8') })),
      ...canary.slice(3),
      by('ci', started({ deployment: run('8') })),
      by('ci', succeeded({ deployment: run('8') })),
      by('ci', planned('1.9.5', { deployment: run('9') })),
      by('ci', started({ deployment: run('9') })),
      by('ci', succeeded({ deployment: run('9') })),
      decides(promote),
    ],
    at(13, after(20)),
  ],
  [
    'promote_over_what_was_logged_before',
    'Another version was said to be there after the canary was started, and before it was promoted.',
    [...canary, by('ci', logged('9.9.9')), decides(promote)],
    at(8),
  ],
  [
    'advance_over_a_fix',
    'More traffic for a canary that was never compared with what runs there now.',
    [...canary, decides(decision('advance', { share: 0.25 })), by('ci', logged('1.9.5'))],
  ],
  [
    'conflict_before',
    'A marker of the attempt came twice with different content: its gate is held.',
    [...conflicting, decides(promote)],
    at(8),
  ],
  [
    'conflict_since',
    'The same, after the decision.',
    [
      ...canary,
      decides(rollBack),
      by('ci', started({ reason: 'said twice' }), { marker: 'marker 6' }),
    ],
  ],
  [
    'to_missing',
    'A roll-back to no version.',
    [...canary, decides(decision('roll-back', { toVersion: null, toDigest: null }))],
  ],
  [
    'to_equals_from',
    'A roll-back to the version that it leads away from.',
    [...canary, decides(decision('roll-back', { toVersion: '2.0.0', toDigest: artifact('b') }))],
  ],
  [
    'to_never_succeeded',
    'A roll-back to a version that never succeeded there.',
    [...canary, decides(decision('roll-back', { toVersion: '0.0.1', toDigest: null }))],
  ],
  [
    'to_digest_differs',
    'A roll-back to the right version with another digest.',
    [...canary, decides(decision('roll-back', { toDigest: artifact('e') }))],
  ],
  [
    'to_is_not_current',
    'A roll-back to what held the slot before a fix that came since.',
    [...canary, decides(rollBack), by('ci', logged('1.9.5'))],
  ],
  [
    'tag_without_digest',
    'A roll-back to a tag without the digest of what ran, where the policy asks for it.',
    [...canary, decides(decision('roll-back', { toDigest: null }))],
    policy({ requiresDigest: true }),
  ],
  [
    'promotes_tag_without_digest',
    'A promotion of a tag without digest, where the policy asks for it.',
    [
      ...canary.slice(0, 3),
      by('ci', planned('2.0.0', { canaryShare: 0.1 })),
      by('ci', started()),
      decides(decision('promote', { fromDigest: null })),
    ],
    policy({ requiresDigest: true }),
  ],
  // The policy.
  [
    'policy_unknown',
    'Judged by a policy that nobody has set.',
    [...canary, decides(rollBack)],
    policy({ inForce: 'd'.repeat(64), known: ['d'.repeat(64)] }),
  ],
  [
    'policy_not_in_force',
    'Judged by a policy that was not in force.',
    [...canary, decides(rollBack)],
    policy({ inForce: 'd'.repeat(64), known: ['a'.repeat(64), 'd'.repeat(64)] }),
  ],
  [
    'mode_not_of_policy',
    'It decides, and the policy says that it asks.',
    [...canary, decides(rollBack)],
    policy({ act: 'ask' }),
  ],
  [
    'dry_run',
    'Decided for show.',
    [...canary, decides(decision('roll-back', { mode: 'dry-run' }))],
  ],
  // Time.
  ['expired', 'Asked about when it has lapsed.', [...canary, decides(rollBack)], after(308)],
  [
    'expired_by_the_log',
    'The clock here is slow; the log knows that it has lapsed.',
    [
      ...canary,
      decides(rollBack),
      by('ci', planned('3.0.0', { deployment: run('8'), slot: place('staging') }), { at: 400 }),
    ],
    after(10),
  ],
  [
    'renewal_expired',
    'Its renewal has lapsed, too.',
    [...canary, decides(rollBack), decides(renewed(rollBack))],
    at(8, after(309)),
  ],
  ['from_the_future', 'Appended an hour from now.', [...canary, decides(rollBack)], after(-3600)],
  [
    'window_in_the_future',
    'It rests on a window that had not ended.',
    [...canary, decides(decision('roll-back', { windowEndedAt: openedAtMs + 3_600_000 }))],
  ],
  [
    'evidence_stale',
    'It rests on windows of three hours ago.',
    [...canary, decides(decision('roll-back', { windowEndedAt: openedAtMs - 10_800_000 }))],
  ],
  // People and guards.
  [
    'stopped',
    'Decisions are stopped.',
    [
      ...canary,
      decides(rollBack),
      by('ops', operated('decisions-stopped', { reason: 'we look at it' })),
    ],
  ],
  [
    'stopped_there',
    'Decisions are stopped in that environment.',
    [
      ...canary,
      by('ops', operated('decisions-stopped', { environment: 'prod*' })),
      decides(promote),
    ],
    at(8),
  ],
  [
    'frozen',
    'The slot is frozen since a roll-back.',
    [...rolledBackBefore(), decides(promoteNext())],
    at(11, policy({ flap: { windowMs: 0, freeze: true } })),
  ],
  [
    'flapping',
    'The second roll-back of the slot within minutes.',
    [...rolledBackBefore(), decides(rollBackNext())],
    at(11),
  ],
  [
    'flapping_third_time',
    'The third roll-back of one artifact within the hour: the evidence goes on from the second, and the first counts.',
    [
      ...triedAgain(),
      decides(rollBackCarried()),
      by('ci', failed({ reason: 'rolled back', deployment: run('8') })),
      by('ci', planned('2.0.0', { ...third, digest: artifact('b'), canaryShare: 0.1 })),
      by('ci', started(third)),
      decides(
        rollBackCarried({
          ...{ ...third, analysis: analysisOf(run('9')), carriedFrom: analysisOf(run('8')) },
        }),
      ),
    ],
    at(15),
  ],
  [
    'component_cap',
    'The component was rolled back as often as the policy allows.',
    [...rolledBackBefore(), decides(rollBackNext())],
    at(
      11,
      policy({ flap: { windowMs: 0, freeze: false }, caps: { perComponentHour: 1, perHour: 20 } }),
    ),
  ],
  [
    'hour_cap',
    'There were as many roll-backs in an hour as the policy allows.',
    [...rolledBackBefore(), decides(rollBackNext())],
    at(
      11,
      policy({ flap: { windowMs: 0, freeze: false }, caps: { perComponentHour: 3, perHour: 1 } }),
    ),
  ],
  ['approval_missing', 'It asks, and nobody has answered.', [...canary, decides(asks)]],
  [
    'approval_declined',
    'It asks, and somebody said no.',
    [...canary, decides(asks), by('ops', operated('decision-declined', { positions: [7] }))],
  ],
  [
    'approval_by_emitter',
    'It asks, and somebody without the role said yes.',
    [...canary, decides(asks), by('ci', operated('decision-approved', { positions: [7] }))],
  ],
  [
    'approval_of_elsewhere',
    'It asks, and somebody said yes who may act in staging only.',
    [
      trusts('stage', { roles: ['operator'], environments: ['staging'] }),
      ...canary,
      decides(asks),
      by('stage', operated('decision-approved', { positions: [8] })),
    ],
    at(8),
  ],
  [
    'approval_of_another',
    'Another decision was approved.',
    [
      ...canary,
      decides(decision('advance', { mode: 'ask' })),
      decides(later('roll-back', { mode: 'ask' })),
      by('ops', operated('decision-approved', { positions: [7] })),
    ],
    at(8),
  ],
  [
    'approval_lapsed',
    'Approved an hour ago; its renewals go on.',
    [
      ...canary,
      decides(asks),
      by('ops', operated('decision-approved', { positions: [7] })),
      by('ci', logged('0.1.0', { slot: place('staging') }), { at: 3600 }),
      decides(renewed(asks, { windowIndex: 700, windowEndedAt: openedAtMs + 3_600_000 })),
    ],
    at(7, after(3603)),
  ],
  [
    'approval_suspect',
    'Approved with a key that was found compromised.',
    [
      ...canary,
      decides(asks),
      by('ops', operated('decision-approved', { positions: [7] })),
      findsCompromised('ops', 8),
    ],
  ],
  [
    'approver_is_planner',
    'It asks, and who planned it approved it, though somebody else may.',
    [...plannedByOperator(['emitter', 'operator']), ...approvedBy('ci')],
    at(7),
  ],
  [
    'approver_is_planner_with_another_key',
    'It asks, and who planned it approved it with another key of theirs.',
    [
      ...plannedByOperator(['emitter']),
      trusts('ci#2', { roles: ['operator'] }),
      ...approvedBy('ci#2', 8),
    ],
    at(8),
  ],
  [
    'forged_roll_back',
    'A thief rolled back first, and the theft is found after the true roll-back: the forged one is not obeyed.',
    [...robbed, decides(forgedRollBack, 'thief'), decides(rollBack), theft],
    at(8),
  ],
  [
    'forged_renewal',
    'A thief renews a decision that the analyser let lapse.',
    [
      ...[...robbed, decides(rollBack), decides(renewed(rollBack, { windowIndex: 60 }), 'thief')],
      theft,
    ],
    at(8, after(309)),
  ],
  [
    'renewal_by_a_new_key_differs',
    'A new key renews what a thief said, and says something else.',
    [
      ...[...robbed, decides(rollBack, 'thief'), theft],
      decides(renewed(rollBack, { evidence: 999 })),
    ],
    at(10),
  ],
  [
    'roll_back_after_forged_and_true',
    'A second roll-back stays one behind the true one.',
    [
      ...[...robbed, decides(forgedRollBack, 'thief'), decides(rollBack)],
      ...[decides(later('roll-back', { evidenceDigest: 'd'.repeat(64) })), theft],
    ],
    at(10),
  ],
  [
    'hold_renewed_and_over',
    'A silence of a minute ago that was not said again: it is over.',
    [...canary, decides(silence), decides(renewed(silence))],
    at(8, after(59)),
  ],
  [
    'hold_renewed_of_nothing',
    'A silence is said again that nobody has said.',
    [...canary, decides(renewed(silence))],
  ],
  [
    'hold_lapsed',
    'A hold of an hour ago: the canary is judged on.',
    [...canary, decides(decision('hold'))],
    after(3600),
  ],
  [
    'already_obeyed',
    'It was obeyed here already.',
    [...canary, decides(rollBack)],
    { obeyed: [decisionIdOf(rollBack)] },
  ],
  [
    'renewal_of_obeyed',
    'What it renews was obeyed here already.',
    [...canary, decides(rollBack), decides(renewed(rollBack))],
    at(8, { obeyed: [decisionIdOf(rollBack)] }),
  ],
];

const obeyed: readonly Story[] = [
  [
    'promote_beside_what_was_restored',
    'A fix took the slot while the canary ran, and what the canary was compared with was deployed again after it.',
    [
      ...canary.slice(0, 3),
      by('ci', planned('1.9.5', { deployment: run('8') })),
      ...canary.slice(3),
      by('ci', started({ deployment: run('8') })),
      by('ci', succeeded({ deployment: run('8') })),
      by('ci', planned('1.9.4', { deployment: run('9'), digest: artifact('a') })),
      by('ci', started({ deployment: run('9') })),
      by('ci', succeeded({ deployment: run('9') })),
      decides(promote),
    ],
    at(13, after(20)),
  ],
  [
    'promote_of_an_analysis_that_was_opened_after_a_fix',
    'The fix had taken the slot before the analysis began, so the canary was compared with it.',
    [
      ...canary,
      by('ci', planned('1.9.5', { deployment: run('8') })),
      by('ci', started({ deployment: run('8') })),
      by('ci', succeeded({ deployment: run('8') })),
      decides(decision('promote', { windowEndedAt: openedAtMs + 40_000 })),
    ],
    at(10, after(60)),
  ],
  [
    'promote_beside_the_same_deployed_again',
    'What the canary was compared with was deployed once more while it ran.',
    [
      ...canary,
      by('ci', planned('1.9.4', { deployment: run('8'), digest: artifact('a') })),
      by('ci', started({ deployment: run('8') })),
      by('ci', succeeded({ deployment: run('8') })),
      decides(promote),
    ],
    at(10),
  ],
  [
    'planned_with_token_accepted',
    'A canary that a caller with a token planned, where the policy takes his word.',
    [...plannedWithToken, decides(promote)],
    at(8, policy({ onBehalf: 'accept' })),
  ],
  [
    'holder_said_with_token',
    'A caller with a token says that another version holds the slot: the way back is the one that a key has named.',
    [...releasedWithToken, decides(rollBack)],
    at(9),
  ],
  [
    'promote_with_a_metric_that_weighs_nothing',
    'What is told for show only does not count against a promotion.',
    [
      ...canary,
      decides(
        decision('promote', {
          metrics: [metricShownGood(), metricDecided({ id: 'latency', weight: 0 })],
        }),
      ),
    ],
  ],
  ['promote', 'A promotion.', [...canary, decides(promote)]],
  ['advance', 'An advance to a quarter of the traffic.', [...canary, decides(decision('advance'))]],
  ['hold', 'A hold of five minutes ago.', [...canary, decides(decision('hold'))], after(307)],
  [
    'advance_renewed_after_a_silence',
    'A step is said again behind a silence, and behind its renewal: nobody is silent any more.',
    [
      ...[...canary, decides(decision('advance')), decides(laterSilence)],
      ...[
        decides(renewed(laterSilence)),
        decides(renewed(decision('advance'), { windowIndex: 70 })),
      ],
    ],
    at(10, after(30)),
  ],
  [
    'hold_renewed',
    'A silence that lasts: a renewal leads to the hold that it renews.',
    [...canary, decides(silence), decides(renewed(silence))],
    at(8, after(57)),
  ],
  [
    'inconclusive',
    'That the time was over without a verdict does not lapse.',
    [...canary, decides(decision('hold', { stage: 'inconclusive', reason: 'deadline' }))],
    after(86_400),
  ],
  [
    'after_forged_roll_back',
    'A thief rolled back first; the theft is known before the true roll-back is decided.',
    [...robbed, decides(forgedRollBack, 'thief'), theft, decides(rollBack)],
    at(10),
  ],
  [
    'after_forged_roll_back_found_later',
    'A thief rolled back first; the theft is found after the true roll-back.',
    [...robbed, decides(forgedRollBack, 'thief'), decides(rollBack), theft],
    at(9),
  ],
  [
    'after_forged_roll_back_renewed',
    'A renewal of a true roll-back that came behind a forged one, before the theft was found.',
    [
      ...[...robbed, decides(forgedRollBack, 'thief'), decides(rollBack)],
      ...[decides(renewed(rollBack)), theft],
    ],
    at(10, after(308)),
  ],
  [
    'after_forged_roll_back_of_the_same_evidence',
    'A thief said what the analyser would say of a later window, with another way back.',
    [
      ...robbed,
      decides({ ...forgedRollBack, evidenceDigest: rollBack['evidenceDigest'] }, 'thief'),
      ...[decides(rollBack), theft],
    ],
    at(9),
  ],
  [
    'promote_after_forged_roll_back',
    'A thief rolled a good canary back; it is promoted.',
    [...robbed, decides(forgedRollBack, 'thief'), decides(promote), theft],
    at(9),
  ],
  [
    'promote_before_forged_hold',
    'A thief held a canary that was promoted.',
    [...robbed, decides(promote), decides(later('hold'), 'thief'), theft],
    at(8),
  ],
  [
    'not_ahead_of_forged',
    'A thief decided about a window that has not come yet.',
    [...robbed, decides(later('hold'), 'thief'), decides(rollBack), theft],
    at(9),
  ],
  [
    'forged_roll_back_freezes_nothing',
    'The roll-back of a thief neither freezes the slot for the true one, nor flaps with it.',
    [...robbed, decides(forgedRollBack, 'thief'), decides(rollBack), theft],
    at(9, policy({ flap: { windowMs: 3_600_000, freeze: true } })),
  ],
  [
    'renewed_by_a_new_key',
    'The key of the first was stolen since; a new key says the same.',
    [...robbed, decides(rollBack, 'thief'), decides(renewed(rollBack)), theft],
    at(9, after(308)),
  ],
  [
    'renewed_by_a_new_key_behind_the_theft',
    'The key of the first is known to be stolen; a new key says the same, twice.',
    [
      ...[...robbed, decides(rollBack, 'thief'), theft],
      ...[decides(renewed(rollBack)), decides(renewed(rollBack, { windowIndex: 60 }))],
    ],
    at(11, after(308)),
  ],
  [
    'approved_by_another_key',
    'It asks, and was approved by somebody else than who planned it.',
    [...plannedByOperator(['emitter', 'operator']), ...approvedBy('ops')],
    at(7),
  ],
  [
    'approved_in_a_house_of_one',
    'It asks, and who planned it approved it, where nobody else may.',
    [...plannedByOperator(['emitter', 'operator']).filter(isNotOf('ops')), ...approvedBy('ci', 6)],
    at(6),
  ],
  [
    'roll_back_of_a_retry',
    'What failed is tried again within the hour: it is rolled back by what the attempt before has shown.',
    [...triedAgain(), decides(rollBackCarried())],
    at(11),
  ],
  ['roll_back', 'A roll-back.', [...canary, decides(rollBack)]],
  [
    'roll_back_at_the_deadline',
    'Found by the one test at the deadline: its evidence is in deviations.',
    [
      ...canary,
      decides(
        decision('roll-back', { reason: 'worse-at-deadline', evidence: 3.1, evidenceNeeded: 2.8 }),
      ),
    ],
    policy({ alpha: 0.01 }),
  ],
  [
    'roll_back_of_silence',
    'The policy says that a silence rolls back.',
    [
      ...canary,
      decides(forSilence({ evidence: 1, ...metric({ canaryCount: 0, canaryEvents: 0 }, false) })),
    ],
    policy({ onSilence: 'roll-back' }),
  ],
  [
    'renewal',
    'A renewal leads to the act of the first.',
    [...canary, decides(rollBack), decides(renewed(rollBack))],
    at(8, after(307)),
  ],
  [
    'prolonged',
    'The first counts as long as its renewal.',
    [...canary, decides(rollBack), decides(renewed(rollBack))],
    after(308),
  ],
  [
    'approved',
    'It asks, and was approved.',
    [...canary, decides(asks), by('ops', operated('decision-approved', { positions: [7] }))],
  ],
  [
    'promote_then_roll_back',
    'A late regression: the roll-back after a promotion counts.',
    [...canary, decides(promote), decides(later('roll-back'))],
    at(8),
  ],
  [
    'lifted',
    'The freeze was lifted.',
    [
      ...rolledBackBefore(),
      by('ops', operated('freeze-lifted', { positions: [7] })),
      decides(promoteNext()),
    ],
    at(12, policy({ flap: { windowMs: 0, freeze: true } })),
  ],
  [
    'policy_in_force',
    'Judged by the policy that was in force, with digests.',
    [...canary, decides(rollBack)],
    policy({
      inForce: 'a'.repeat(64),
      known: ['a'.repeat(64)],
      act: 'decide',
      requiresDigest: true,
    }),
  ],
];

/** The canary below, planned by a key of those roles; the first decision stands at position 7. */
function plannedByOperator(roles: readonly Role[]): readonly Step[] {
  return [trusts('ci', { roles }), ...canary];
}
function approvedBy(name: string, position = 7): readonly (Step | Promise<Step>)[] {
  return [decides(asks), by(name, operated('decision-approved', { positions: [position] }))];
}
function isNotOf(name: string): (step: Step) => boolean {
  return (step) => !('trusts' in step && step.trusts === name);
}

/** The canary was rolled back, and the next version runs as the next canary; its decision is at position 11. */
function rolledBackBefore(): readonly (Step | Promise<Step>)[] {
  const next = { deployment: run('8') };
  return [
    ...canary,
    decides(rollBack),
    by('ci', failed({ reason: 'rolled back' })),
    by('ci', planned('2.0.1', { ...next, digest: artifact('c'), canaryShare: 0.1 })),
    by('ci', started(next)),
  ];
}
/** The canary was rolled back, and the same artifact runs as the next canary; its decision is at position 11. */
function triedAgain(): readonly (Step | Promise<Step>)[] {
  const next = { deployment: run('8') };
  return [
    ...canary,
    decides(rollBack),
    by('ci', failed({ reason: 'rolled back' })),
    by('ci', planned('2.0.0', { ...next, digest: artifact('b'), canaryShare: 0.1 })),
    by('ci', started(next)),
  ];
}
function rollBackNext(over: Body = {}): Said {
  return decision('roll-back', { ...aboutNext(), ...over });
}
/** By the evidence of the attempt before, and none of its own. */
function rollBackCarried(over: Body = {}): Said {
  const nothing = { canaryCount: 0, canaryEvents: 0, baselineCount: 0, baselineEvents: 0 };
  return decision('roll-back', {
    ...{ deployment: run('8'), analysis: analysisOf(run('8')) },
    carriedFrom: analysisOf(run('7')),
    ...metric({ ...nothing, canaryLevel: null, baselineLevel: null }),
    ...over,
  });
}
/** Beside 1.9.4 runs 2.0.0, as it is planned here, and fails. */
function firstAttempt(plan: Body): readonly Step[] {
  return [
    ...canary.slice(0, 3),
    by('ci', planned('2.0.0', { canaryShare: 0.1, attempt: 'one', ...plan })),
    by('ci', started({ attempt: 'one' })),
    by('ci', failed({ attempt: 'one' })),
  ];
}
/** It is tried again, perhaps with another artifact; its decision is at position 10. */
function secondAttempt(digest: string | null): readonly Step[] {
  return [
    by('ci', planned('2.0.0', { digest, canaryShare: 0.1, attempt: 'two' })),
    by('ci', started({ attempt: 'two' })),
  ];
}
function promoteOfSecond(over: Body = {}): Said {
  return decision('promote', {
    ...{ attempt: 'two', analysis: analysisOf(run('7'), 2), carriedFrom: analysisOf() },
    ...over,
  });
}
function promoteNext(): Said {
  return decision('promote', aboutNext());
}
function aboutNext(): Body {
  return {
    deployment: run('8'),
    analysis: analysisOf(run('8')),
    fromVersion: '2.0.1',
    fromDigest: artifact('c'),
  };
}

async function signedFor(other: string): Promise<Step> {
  const record = await decisionRecord(rollBack);
  return raw(
    await signedUnder(record, forged.digestOf('decision'), record.value, 'analyser', other),
  );
}

/** Well signed, with fields that no command lets through. */
async function withBody(says: Said, over: Body): Promise<Step> {
  const record = await decisionRecord(says);
  const marker = { ...markerOf('analyser', says, 'a decision'), marker: says['marker'], ...over };
  return raw(await signedBody(record, 'decision', marker, 'analyser'));
}

const write = async (
  side: 'obeyed' | 'refused',
  [name, about, steps, asked = {}]: Story,
): Promise<void> => {
  const file = join(goldenDecisionsFolder, side, `${name}.json`);
  if (existsSync(file)) return;
  const records = await recordsOf(...(await Promise.all(steps.map(async (step) => step))));
  const question: Asked = {
    position: firstPosition,
    nowMs: openedAtMs + 60_000,
    pinnedLogId: null,
    policy: {},
    obeyed: [],
    ...asked,
  };
  const answer = await askAbout(records, question);
  if (answer.ok !== (side === 'obeyed'))
    throw new Error(`${name}: ${answer.ok ? 'may be obeyed' : answer.problem.message}`);
  const golden = {
    about,
    audience,
    records: asGolden(records),
    asked: question,
    expect: answer.ok ? { act: actOf(answer.value) } : { code: answer.problem.code },
  };
  mkdirSync(join(goldenDecisionsFolder, side), { recursive: true });
  writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`, { flag: 'wx' });
  console.log(side, name, answer.ok ? '' : `${answer.problem.code}: ${answer.problem.message}`);
};

const actOf = ({ decision: _decision, ...act }: { readonly decision: unknown }): object => act;

for (const story of refused) await write('refused', story);
for (const story of obeyed) await write('obeyed', story);
