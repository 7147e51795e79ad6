import type { Receipt } from '../../core/markers/http-wire.ts';
import { kinds } from '../../core/markers/kinds.ts';
import type { Logged, Planned, Update } from '../../core/markers/marker.ts';
import { plainText } from '../terminal/display.ts';

/** What became of a marker, in one line. */
export const receiptSentence = (receipt: Receipt, marker: Planned | Update | Logged): string => {
  const said = `${kinds[receipt.kind].headline}${subjectOf(marker)}`;
  const where = [
    ...(receipt.deployment === null ? [] : [`deployment ${receipt.deployment}`]),
    ...(receipt.attempt === null ? [] : [`attempt ${receipt.attempt}`]),
    ...(receipt.position === null ? [] : [`position ${receipt.position}`]),
  ].join(', ');
  return plainText(`${leadOf(receipt)}${said} (${where})`);
};

const leadOf = ({ delivery, code }: Receipt): string => {
  switch (delivery) {
    case 'stored':
      if (code === 'repeat') return 'stored, and the same as what runs there: ';
      return code === null ? '' : `stored (${code}): `;
    case 'spooled':
      return 'kept for later: ';
    case 'duplicate':
      return 'already so: ';
    case 'refused':
      return `refused (${code ?? 'no code'}): `;
  }
};

const subjectOf = (marker: Planned | Update | Logged): string => {
  switch (marker.kind) {
    case 'planned':
    case 'logged': {
      const { environment, component, target } = marker.slot;
      const place = target === null ? environment : `${environment} (${target})`;
      return ` ${component} ${marker.version} to ${place}`;
    }
    case 'traffic-shifted':
      return marker.canaryShare === null ? '' : ` to a share of ${marker.canaryShare}`;
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return marker.reason === null ? '' : `: ${marker.reason}`;
  }
};
