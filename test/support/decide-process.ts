import { join } from 'node:path';
import { signMarker } from '../../services/core/markers/wire.ts';
import type { Marker } from '../../services/core/markers/marker.ts';
import { readKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { openFoundation } from '../../services/adapters/foundation/foundation.ts';
import { parseSettings } from '../../services/core/settings.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import { analysisOf, decision } from './decisions.ts';
import { markerOf, tools } from './given.ts';
import { value } from './records.ts';

// What an analyser would say: appended to the log of some settings, signed with the analyser's own key.

export type DecisionSaid = {
  readonly kind: 'promote' | 'advance' | 'hold' | 'roll-back';
  readonly deployment: string;
  readonly over?: Body;
};

/** Appends the decision as if its window had just ended; answers its position and its id. */
export const decideOn = async (
  env: { readonly [name: string]: string },
  folder: string,
  { kind, deployment, over = {} }: DecisionSaid,
): Promise<{ readonly position: number; readonly id: string }> => {
  const settings = value(parseSettings(env));
  const foundation = openFoundation(settings);
  try {
    const log = value(await foundation.stream('log'));
    const signer = value(await readKeyFile(join(folder, 'keys', 'analyser.json')));
    const says = decision(kind, {
      deployment,
      audience: settings.audience,
      analysis: analysisOf(deployment),
      windowEndedAt: Date.now(),
      fromDigest: null,
      ...(kind === 'roll-back' ? { toDigest: null } : {}),
      ...over,
    });
    const marker = {
      ...markerOf('analyser', says, 'a decision', Date.now()),
      marker: says['marker'],
    } as Marker;
    const record = await signMarker(tools.codec, tools.text, marker, signer);
    const [appended] = value(await log.append(0, [record]));
    return { position: appended?.position ?? -1, id: marker.marker };
  } finally {
    await foundation.close();
  }
};
