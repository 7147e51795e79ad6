import { verifyArchive } from '../../adapters/archive/verify.ts';
import { writeArchive } from '../../adapters/archive/write.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { streamName } from '../../adapters/foundation/foundation.ts';
import type { Archives } from '../../ports/archive.ts';

export const archivesOn = ({ tools, settings, clock }: Foundation): Archives => {
  const ports = { tools, audience: settings.audience, nowMs: clock.nowMs };
  return {
    write: (request) => writeArchive(ports, request),
    verify: (request) =>
      verifyArchive(ports, { ...request, topic: streamName(settings.audience, 'log') }),
  };
};
