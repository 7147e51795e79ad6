// An analyser as a process of its own: settings from the environment; the lease in milliseconds, where it dies and
// whether it keeps snapshots all the time as its arguments. Its policy is the demo's, so that seconds suffice. Says what the analyser tells, a JSON line each.
import { writeSync } from 'node:fs';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import {
  openTelemetryReader,
  otlpContentTypeOf,
} from '../../../services/adapters/otlp/metrics-request.ts';
import { startAnalyser } from '../../../services/analyser/start.ts';
import { parsePolicyDocument } from '../../../services/core/canary/policy/parse-policy.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import { demoPolicy } from '../../../services/dev/demo/policy.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import { keyOf } from '../given.ts';
import { value } from '../records.ts';

const [leaseMs = '', dies = 'nowhere', snapshots = 'rarely'] = process.argv.slice(2);
const settings = value(parseSettings(process.env));
const die = (): boolean => process.kill(process.pid, 'SIGKILL');

/** All that an analyser appends to the log are decisions. */
const mortal = (log: RecordLog): RecordLog => ({
  ...log,
  append: async (partition, records) => {
    if (dies === 'before the decision') die();
    const appending = log.append(partition, records);
    if (dies === 'in the decision') setImmediate(die);
    const appended = await appending;
    if (dies === 'after the decision') die();
    return appended;
  },
});

const foundation = openFoundation(settings, { leaseMs: Number(leaseMs) });
startAnalyser({
  audience: settings.audience,
  log: mortal(value(await foundation.stream('log'))),
  metrics: value(await foundation.stream('otlp_metrics')),
  samples: value(await foundation.stream('samples')),
  store: value(await foundation.store()),
  signer: keyOf('analyser'),
  tools: foundation.tools,
  clock: foundation.clock,
  readTelemetry: openTelemetryReader(),
  otlpContentTypeOf,
  policyFile: value(parsePolicyDocument(demoPolicy)),
  ...(snapshots === 'often' ? { snapshotPace: { records: 5, ms: 1_000, msMin: 200 } } : {}),
  tell: (event) => writeSync(1, `${JSON.stringify({ ...event, atMs: Date.now() })}\n`),
});
