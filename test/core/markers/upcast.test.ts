import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';
import { expect, test } from 'vitest';
import { schemaDigest } from '../../../services/adapters/avro/canonical-form.ts';
import { schemasFolder } from '../../../services/adapters/avro/schema-files.ts';
import type { NewRecord } from '../../../services/core/log/record.ts';
import { upcast } from '../../../services/core/markers/upcast.ts';
import { headerNames } from '../../../services/core/markers/wire.ts';
import { signedUnder } from '../../support/forge.ts';
import { by, given, markerOf, raw, signed, trusts } from '../../support/given.ts';
import type { Said } from '../../support/markers.ts';
import { decided, metricDecided, planned, started, succeeded } from '../../support/markers.ts';
import { withHeader } from '../../support/spoil.ts';

const textOfVersion1 = readFileSync(join(schemasFolder, 'update.v1.avsc'), 'utf8');
const version1 = avsc.Type.forSchema(JSON.parse(textOfVersion1) as avsc.Schema, {
  wrapUnions: 'never',
});

/** The update as a release before version 2 of its shape has written it: avsc alone knows the file. */
const olderUpdate = async (says: Said, marker: string): Promise<NewRecord> => {
  const record = await signed('ci', says, marker);
  const { canaryShare, colour, ...body } = markerOf('ci', says, marker) as unknown as {
    readonly [field: string]: unknown;
  };
  expect([canaryShare, colour]).toEqual([null, null]);
  const older = await signedUnder(record, schemaDigest(textOfVersion1), version1.toBuffer(body));
  return withHeader(headerNames.type, `plimsoll.${says.kind}.v1`)(older);
};

test('an update of version 1 is lifted to version 2 and does what it always did', async () => {
  const older = await given(
    trusts('ci'),
    by('ci', planned('2.0.0')),
    raw(await olderUpdate(started(), 'start')),
    raw(await olderUpdate(succeeded(), 'end')),
  );
  expect(older.notes()).toEqual(['applied', 'applied', 'applied']);
  expect(await older.attempts()).toEqual(['1 2.0.0 succeeded']);
  const [attempt] = (await older.deployment()).attempts;
  expect(attempt?.entries.map(({ canaryShare, colour }) => [canaryShare, colour])).toEqual(
    Array.from({ length: 3 }, () => [null, null]),
  );
});

test('versions of one shape stand on one log, and either may repeat what the other has said', async () => {
  const mixed = await given(
    trusts('ci'),
    by('ci', planned('2.0.0')),
    raw(await olderUpdate(started(), 'start')),
    by('ci', started()),
    by('ci', succeeded()),
    raw(await olderUpdate(succeeded(), 'end')),
  );
  expect(mixed.notes()).toEqual(['applied', 'applied', 'repeat', 'applied', 'repeat']);
});

test('the header must name the version that the bytes have', async () => {
  const older = await olderUpdate(started(), 'start');
  const newer = withHeader(headerNames.type, 'plimsoll.started.v2')(older);
  const house = await given(trusts('ci'), by('ci', planned('2.0.0')), raw(newer));
  expect(house.notes()).toEqual(['applied', 'header-mismatch']);
});

test('a decision of version 1 is lifted to one metric', () => {
  const { metrics, stage, mode, onSilence, noiseDigest, carriedFrom, ...older } = decided(
    'roll-back',
    { ratioHigh: null },
  );
  expect(upcast('decision', 1, older)).toEqual({
    ...older,
    metrics: [metricDecided({ isBlamed: true, ratioHigh: null, tolerated: null })],
    ...{ stage: 'rolled-back', mode: 'decide' },
    ...{ onSilence: null, noiseDigest: null, carriedFrom: null },
  });
  expect(upcast('decision', 1, { ...older, kind: 'promote' })).toMatchObject({
    stage: 'promoted',
    metrics: [{ evidence: 1, promoteEvidence: 250 }],
  });
  expect(upcast('decision', 1, { ...older, kind: 'hold', reason: 'no-data' })).toMatchObject({
    stage: 'hold',
  });
  expect(upcast('decision', 1, { ...older, kind: 'hold', reason: 'deadline' })).toMatchObject({
    stage: 'inconclusive',
  });
});
