import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { deploymentSpan } from '../../services/core/telemetry/export/trace-context.ts';
import type { EmitterOptions } from '../../services/sdk/emitter-options.ts';
import type { Emitter } from '../../services/sdk/emitter.ts';
import { createEmitter } from '../../services/sdk/emitter.ts';
import type { ExportNote } from '../../services/sdk/export-marker.ts';
import { badGateways } from '../support/bad-gateways.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, trusts } from '../support/given.ts';
import { added, audience } from '../support/markers.ts';
import type { Receiver } from '../support/otlp/receiver.ts';
import { logsOf, spansOf, startReceiver } from '../support/otlp/receiver.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { serveGateway } from '../support/served-gateway.ts';

const folder = scratchFolder();
const closing: (() => Promise<unknown>)[] = [];
// Tests run beside one another here.
afterAll(async () => {
  for (const close of closing.splice(0)) await close();
});

type Desk = {
  readonly emitter: Emitter;
  readonly house: GatewayHouse;
  readonly notes: readonly ExportNote[];
};

/** An emitter before a gateway that trusts its key. */
const emitting = async (more: EmitterOptions): Promise<Desk> => {
  const key = join(folder, `${randomUUID()}.json`);
  const { signer } = value(await newKeyFile({ principal: 'service@checkout', path: key }));
  const house = await openGatewayHouse([trusts('ci'), by('admin', added(signer))], () => ({
    clock: createSystemClock(),
  }));
  const gateway = await serveGateway(house);
  closing.push(() => gateway.close());
  const notes: ExportNote[] = [];
  const emitter = await createEmitter({
    ...{ url: gateway.url, key, audience, source: 'checkout', timeoutMs: 20_000 },
    spool: join(folder, `spool-${randomUUID()}`),
    onNote: (note) => notes.push(note),
    ...more,
  });
  return { emitter: value(emitter), house, notes };
};

const receiving = async (): Promise<Receiver> => {
  const receiver = await startReceiver();
  closing.push(receiver.close);
  return receiver;
};

const place = { environment: 'production', component: 'checkout' };

describe('an emitter whose environment names an exporter', () => {
  test('tells of each marker, and of the deployment when it ends', async () => {
    const receiver = await receiving();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const { emitter, house, notes } = await emitting({ env });
    const run = 'release 7';
    await emitter.emit({ kind: 'planned', version: '2.0.0', run, ...place });
    await house.project();
    await emitter.emit({ kind: 'started', run });
    await house.project();
    const { deployment } = await emitter.emit({ kind: 'failed', run, reason: 'no pod' });
    expect(notes).toEqual([]);
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
    const { traceId, spanId } = deploymentSpan(digest, deployment ?? '', null, null);
    expect(spansOf(receiver)).toMatchObject([
      {
        ...{ traceId, spanId, name: 'deploy checkout' },
        status: { code: 2, message: 'no pod' },
        attributes: { 'plimsoll.start.from': 'running', 'plimsoll.attempt': '1' },
        resource: { 'service.version': '2.0.0', 'deployment.environment.name': 'production' },
      },
    ]);
    expect(logsOf(receiver)).toMatchObject(
      ['planned', 'started', 'failed'].map((word) => ({
        ...{ eventName: `plimsoll.deployment.${word}`, traceId, spanId },
        resource: { 'service.name': 'checkout', 'service.version': '2.0.0' },
      })),
    );
  });

  test('works in the trace that it was told', async () => {
    const receiver = await receiving();
    const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, TRACEPARENT };
    const { emitter } = await emitting({ env });
    await emitter.emit({ kind: 'logged', version: '2.0.0', ...place });
    expect(spansOf(receiver)).toMatchObject([
      { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7' },
    ]);
  });

  test('tells nothing of what was refused or is there already', async () => {
    const receiver = await receiving();
    const { emitter, house } = await emitting({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    const run = 'release 8';
    await emitter.emit({ kind: 'planned', version: '2.0.0', run, ...place });
    await house.project();
    expect((await emitter.emit({ kind: 'planned', version: '', run, ...place })).delivery).toBe(
      'refused',
    );
    await emitter.emit({ kind: 'succeeded', run });
    await house.project();
    expect((await emitter.emit({ kind: 'succeeded', run })).delivery).toBe('duplicate');
    expect(logsOf(receiver)).toHaveLength(2);
  });

  test.concurrent.each(Object.entries(badGateways))(
    'stores its marker all the same, and says so once, with a receiver that is %s',
    async (_fault, open) => {
      const receiver = await open();
      try {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
        const { emitter, notes } = await emitting({ env, timeoutMs: 6000 });
        const { delivery } = await emitter.emit({ kind: 'logged', version: '2.0.0', ...place });
        expect(delivery).toBe('stored');
        expect(notes.map(({ code }) => code)).toEqual(['telemetry-not-sent']);
      } finally {
        await receiver.close();
      }
    },
  );
});
