import type { Position } from '../../core/log/record.ts';
import type { Line } from '../../core/views.ts';
import { plainText } from '../terminal/display.ts';
import { lineIn, textIn } from '../reading/line-fields.ts';

// What `decisions --exec` reads of an answer, and says of an act.

/** What a decision and its renewals have in common: the first of them counts as long as any key that says so does. */
export const evidenceOf = (answer: Line, position: Position): string => {
  const decision = lineIn(answer, 'decision');
  return decision === null
    ? String(position)
    : JSON.stringify(
        ['deployment', 'attempt', 'decision', 'evidenceDigest'].map((name) => decision[name]),
      );
};

/** `PLIMSOLL_DECISION_TO_VERSION` and so on; what is absent is empty. */
export const envOf = (act: Line): { readonly [name: string]: string } =>
  Object.fromEntries(
    Object.keys(act).map((name) => [
      `PLIMSOLL_DECISION_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      textIn(act, name),
    ]),
  );

export const sentence = (act: Line): string =>
  plainText(
    `obeyed  ${textIn(act, 'act')}  ${textIn(act, 'component')} ${textIn(act, 'fromVersion')} -> ${textIn(act, 'environment')}  (position ${textIn(act, 'position')})`,
  );
