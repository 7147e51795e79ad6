import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

test('that old telemetry cannot be removed is said', async () => {
  const folder = join(scratchFolder(), 'data');
  const foundation = openFoundation(value(parseSettings({ PLIMSOLL_LOG: `sqlite:${folder}` })));
  value(await foundation.stream('otlp_metrics'));
  await foundation.prune();
  await rename(join(folder, 'plimsoll.db'), join(folder, 'elsewhere.db'));
  await expect(foundation.prune()).rejects.toThrow('moved, removed or replaced');
  await foundation.close();
});
