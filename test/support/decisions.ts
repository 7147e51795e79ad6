import { analysisIdOf } from '../../services/core/canary/attempts/canary-attempts.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { Marker } from '../../services/core/markers/marker.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import { signMarker } from '../../services/core/markers/wire.ts';
import { uuidOfParts } from '../../services/core/uuid-v8.ts';
import type { Step } from './given.ts';
import { by, keyOf, markerOf, openedAtMs, raw, tools, trusts } from './given.ts';
import type { Said } from './markers.ts';
import { decided, logged, metricDecided, planned, run, started } from './markers.ts';

// Decisions as the analyser makes them, and a canary that they are about.

export const digestOf = (text: string): string =>
  tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

export const analysisOf = (deployment: string = run('7'), attempt = 1): string =>
  analysisIdOf(digestOf, deployment, attempt);

export const artifact = (letter: string): string => `sha256:${letter.repeat(64)}`;

type Kind = 'promote' | 'advance' | 'hold' | 'roll-back';

const usual: { readonly [Name in Kind]: Body } = {
  promote: {
    reason: 'within-promote-tolerance',
    evidence: 25,
    evidenceNeeded: 20,
    verdict: 'pass',
  },
  advance: {
    reason: 'within-promote-tolerance',
    evidence: 25,
    evidenceNeeded: 20,
    verdict: 'pass',
    share: 0.25,
  },
  hold: { reason: 'no-data', evidence: 1, verdict: 'inconclusive' },
  'roll-back': { reason: 'worse-than-tolerated', toVersion: '1.9.4', toDigest: artifact('a') },
};

/** As it is where the canary is no worse than what ran before. */
export const metricShownGood = (over: Body = {}): Body =>
  metricDecided({
    ...{ canaryEvents: 0, ratio: 1, ratioLow: 0.5, ratioHigh: 1.1 },
    ...{ evidence: 0.02, promoteEvidence: 25 },
    ...over,
  });

/** A decision about the canary below, with the id that its analysis gives it. */
export const decision = (kind: Kind, over: Body = {}): Said => {
  const isRollBack = kind === 'roll-back';
  const says: Said = decided(kind, {
    analysis: analysisOf(),
    windowEndedAt: openedAtMs + 5000,
    judge: '1',
    validForMs: 300_000,
    metric: isRollBack ? 'errors' : null,
    metrics: [isRollBack ? metricDecided({ isBlamed: true }) : metricShownGood()],
    fromVersion: '2.0.0',
    fromDigest: artifact('b'),
    toVersion: null,
    ...usual[kind],
    ...over,
  });
  return { marker: decisionIdOf(says), ...says };
};

export const decisionIdOf = ({ kind, ...body }: Said): string =>
  uuidOfParts(digestOf, [
    'decision',
    body['analysis'] as string,
    kind,
    String(body['windowIndex']),
  ]);

/** Its record, signed by the key of that name. */
export const decisionRecord = (says: Said, name = 'analyser'): Promise<NewRecord> => {
  const marker = { ...markerOf(name, says, 'a decision'), marker: says['marker'] } as Marker;
  return signMarker(tools.codec, tools.text, marker, keyOf(name));
};

/** The step that brings it. */
export const decides = async (says: Said, name = 'analyser'): Promise<Step> =>
  raw(await decisionRecord(says, name));

/**
 * 1.9.4 holds the slot, and 2.0.0 runs beside it with a tenth of the traffic. The next record is at position 7, a
 * second after the one before.
 */
export const canary: readonly Step[] = [
  trusts('analyser', { roles: ['analyser'] }),
  trusts('ops', { roles: ['operator'] }),
  by('ci', logged('1.9.4', { digest: artifact('a') })),
  by('ci', planned('2.0.0', { digest: artifact('b'), strategy: 'canary', canaryShare: 0.1 })),
  by('ci', started()),
];

/** Where the first decision about it stands. */
export const firstPosition = 7;
