import { randomBytes } from 'node:crypto';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { BodyWriter } from '../avro/codec.ts';
import { openCodec } from '../avro/codec.ts';
import { loadSchemas } from '../avro/schema-files.ts';
import { createCrypto } from '../ed25519/crypto.ts';
import { createText } from '../ed25519/text.ts';
import { createSystemClock } from '../system/clock.ts';
import { createIds } from '../system/ids.ts';

/** What every command needs, whatever it stands on: pure tools, the time, ids. */
export type Basis = {
  readonly tools: CheckTools;
  readonly clock: Clock;
  readonly ids: Ids;
};

/** The pure tools that checking needs: codec of the published schemas, cryptography, text. */
export const openTools = (writer?: BodyWriter): CheckTools => ({
  codec: openCodec(loadSchemas(), writer),
  crypto: createCrypto(),
  text: createText(),
});

/** `writer`: what bodies are written with, where not a few but many are written. */
export const openBasis = (writer?: BodyWriter): Basis => {
  const clock = createSystemClock();
  return {
    tools: openTools(writer),
    clock,
    ids: createIds({ nowMs: clock.nowMs, randomBytes: (count) => randomBytes(count) }),
  };
};
