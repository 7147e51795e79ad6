import type { PolicySet } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import { appendOfOperator } from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import { digestShown, plainText } from '../terminal/display.ts';
import { envelopeOf, toMarker } from '../release/marker-fields.ts';
import { printLines, printText } from '../terminal/output.ts';
import { faultText, policyFileAt } from './file.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readAtHand } from '../reading/reader-at-hand.ts';

/** Signs the file's policies and appends them. What counts already is not said again. */
export const setPolicy = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const path = given.words[0] ?? '';
  const file = await policyFileAt(ports, path);
  if (!file.ok) return { ok: false, problem: file.problem.problem };
  for (const warning of file.value.warnings)
    ports.note({ code: warning.code, message: faultText(path, warning), hint: '' });
  const set = draftPolicySet(ports, file.value.text, given.value('reason') ?? '');
  if (!set.ok) return set;
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!atHand.ok) return atHand;
  const { log, state } = atHand.value;
  const current = await readAtHand(atHand.value, ports.clock.nowMs()).policy(null);
  if (!current.ok) return current;
  const { digest } = set.value;
  const { policies } = file.value.document;
  const told = (position: number, isNew: boolean): Result<void, CliProblem> => {
    const line: Line = { position, digest, policies: policies.length, isNew };
    if (isJson) printLines(ports.terminal, [line]);
    else
      printText(ports.terminal, [
        plainText(
          isNew
            ? `${path} (document ${digestShown(digest)}) counts from position ${position} on (${countText(policies.length)}); canaries that run keep theirs`
            : `${path} counts already, since position ${position}; nothing was appended`,
        ),
      ]);
    return ok(undefined);
  };
  if (current.value !== null && current.value['digest'] === digest)
    return told(Number(current.value['position']), false);
  const appended = await appendOfOperator(
    ports,
    { log, trust: state.trust },
    set.value,
    given.value('key'),
  );
  return appended.ok ? told(appended.value.position, true) : appended;
};

export const countText = (policies: number): string =>
  policies === 1 ? '1 policy' : `${policies} policies`;

const draftPolicySet = (
  ports: CliPorts,
  document: string,
  reason: string,
): Result<PolicySet, CliProblem> => {
  const kind = 'policy-set';
  const digest = ports.tools.crypto.sha256HexOfText(document);
  const marker = toMarker(
    kind,
    { ...envelopeOf(ports), kind, reason, document, digest },
    '--reason',
  );
  return marker.ok ? ok(marker.value as PolicySet) : marker;
};
