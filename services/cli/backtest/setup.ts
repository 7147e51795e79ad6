import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { NamedCapture, SetupOf } from './asked.ts';
import { readMarkerSetups } from './markers.ts';
import { setupOfOptions } from './options.ts';
import { readNamedPolicy } from './named-policy.ts';
import { tellNotAsked } from './rollout-not-asked.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { utcForm } from '../../core/utc-time.ts';

// What a backtest is about, from its options or from markers.

/** `FILE`, or `FILE@TIME`. */
export const namedCapture = (written: string): NamedCapture => {
  const at = written.lastIndexOf('@');
  return at > 0 && utcForm.test(written.slice(at + 1))
    ? { path: written.slice(0, at), since: written.slice(at + 1) }
    : { path: written, since: null };
};

/** From markers where they are named, else from options. */
export const readSetups = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<SetupOf, CliProblem>> => {
  const path = given.value('markers');
  if (path !== null) return readMarkerSetups(ports, given, path);
  const told = new Set<string>();
  return ok(async ({ since }, named) => {
    const setup = setupOfOptions(ports, given, since ?? given.value('since'));
    if (!setup.ok) return setup;
    const policy = await readNamedPolicy(ports, named, setup.value);
    if (!policy.ok) return policy;
    // Of many captures the first tells it.
    if (!told.has(policy.value.name))
      tellNotAsked(ports, setup.value.comparison, policy.value.placed.policy);
    told.add(policy.value.name);
    return ok({ setup: setup.value, policy: policy.value });
  });
};
