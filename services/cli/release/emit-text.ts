import type { Receipt } from '../../core/markers/http-wire.ts';
import { kinds } from '../../core/markers/kinds.ts';
import type { Emittable, Slot } from '../../core/markers/marker.ts';
import { plainText } from '../terminal/display.ts';

/** What became of a marker, in one line. */
export const receiptSentence = (receipt: Receipt, marker: Emittable): string => {
  const said = `${kinds[receipt.kind].headline}${subjectOf(marker)}`;
  const where = [
    ...(receipt.deployment === null ? [] : [`deployment ${receipt.deployment}`]),
    ...(receipt.attempt === null ? [] : [`attempt ${receipt.attempt}`]),
    ...(receipt.position === null ? [] : [`position ${receipt.position}`]),
  ].join(', ');
  return plainText(`${leadOf(receipt)}${said}${where === '' ? '' : ` (${where})`}`);
};

const leadOf = ({ delivery, code }: Receipt): string => {
  switch (delivery) {
    case 'stored':
      if (code === 'repeat') return 'stored, and the same as what runs there: ';
      return code === null ? '' : `stored (${code}): `;
    case 'spooled':
      return isKeptNowhere(code) ? 'only in the line plimsoll-marker:v1:…: ' : 'kept for later: ';
    case 'duplicate':
      return 'already so: ';
    case 'refused':
      return `refused (${code ?? 'no code'}): `;
  }
};

/** The spool's own code: it did not take it. */
const isKeptNowhere = (code: string | null): boolean => code?.startsWith('spool-') === true;

const placeOf = ({ environment, target }: Slot): string =>
  target === null ? environment : `${environment} (${target})`;

const subjectOf = (marker: Emittable): string => {
  switch (marker.kind) {
    case 'planned':
    case 'logged':
    case 'recorded':
    case 'released':
      return ` ${marker.slot.component} ${marker.version} to ${placeOf(marker.slot)}`;
    case 'undeployed':
    case 'support-ended': {
      const version = marker.version === '' ? '' : ` ${marker.version}`;
      return ` ${marker.slot.component}${version} in ${placeOf(marker.slot)}`;
    }
    case 'label': {
      const labels = marker.details.labels.map(({ name, value }) => `${name}:${value}`);
      return ` ${marker.slot.component} in ${placeOf(marker.slot)} with ${labels.join(', ')}`;
    }
    case 'freeze':
      return ` ${marker.slot.component} in ${placeOf(marker.slot)}: ${marker.reason}`;
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
    case 'migration-started':
    case 'migration-finished':
    case 'incident-opened':
    case 'incident-resolved': {
      const { name, slot, toVersion, outcome } = marker;
      const after = [toVersion === null ? [] : [`to ${toVersion}`], outcome ?? []].flat();
      return ` ${[name, ...after].join(' ')} (${slot.component} in ${placeOf(slot)})`;
    }
    case 'phase-advanced':
      return ` ${marker.phase}`;
    case 'traffic-shifted':
      return [
        marker.canaryShare === null ? '' : ` to a share of ${marker.canaryShare}`,
        marker.colour === null ? '' : ` to ${marker.colour}`,
      ].join('');
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return marker.reason === null ? '' : `: ${marker.reason}`;
  }
};
