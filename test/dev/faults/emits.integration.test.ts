import { expect, test } from 'vitest';
import { runEmitCampaign } from '../../../services/dev/faults/emits/campaign.ts';

const withinMs = 300_000;

test(
  'of forty emits under faults, a quarter of them killed, none that was reported is lost or doubled',
  { timeout: withinMs },
  async () => {
    const result = await runEmitCampaign({ emits: 40, atOnce: 8, seed: 4, say: () => undefined });
    expect(result).toMatchObject({ emits: 40, lost: 0, doubled: 0, failed: 0 });
    // Else nothing was tried.
    expect(result.stored + result.spooled).toBeGreaterThan(0);
    expect(result.killed).toBeGreaterThan(0);
  },
);
