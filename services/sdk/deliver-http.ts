import type { JsonFields } from '../core/json-text.ts';
import { jsonFieldsIn } from '../core/json-text.ts';
import type { NewRecord } from '../core/log/record.ts';
import type { Text } from '../core/markers/crypto.ts';
import type { Receipt } from '../core/markers/http-wire.ts';
import {
  codeHeader,
  logHeader,
  markersPath,
  toHttp,
  withinHeader,
} from '../core/markers/http-wire.ts';
import { isKind } from '../core/markers/kinds.ts';
import { labelOf } from '../core/spool/spooled-marker.ts';
import type { Deliver, Delivery } from '../ports/delivery.ts';
import type { HttpClient } from '../ports/http.ts';

/** Delivers to a gateway, of that log where one is named. Only what is surely a gateway's no is a refusal: proxies in between say no to anything. */
export const deliverByHttp =
  (gateway: HttpClient, text: Text, logId: string | null): Deliver =>
  async (record, withinMs) => {
    const { headers: own, body } = toHttp(text, record);
    const headers = {
      ...own,
      [withinHeader]: String(Math.floor(withinMs)),
      ...(logId === null ? {} : { [logHeader]: logId }),
    };
    const answer = await gateway({ method: 'POST', path: markersPath, headers, body }, withinMs);
    if (!answer.ok) {
      const { code, message } = answer.problem;
      return code === 'no-connection'
        ? away('unreachable', message, gatewayHint, false)
        : away('unreachable', message, mayBeHint, true);
    }
    const { status } = answer.value;
    const json = jsonFieldsIn(text.decodeUtf8(answer.value.body) ?? '');
    return status >= 200 && status < 300
      ? taken(text, record, json)
      : notTaken(status, answer.value.header(codeHeader), json ?? {});
  };

const gatewayHint = 'is the gateway up? See PLIMSOLL_URL';
const mayBeHint = 'it may have been stored; the same marker again does no harm';

const away = (code: string, message: string, hint: string, mayBeStored: boolean): Delivery => ({
  outcome: 'away',
  code,
  message,
  hint,
  mayBeStored,
});

const taken = (text: Text, record: NewRecord, json: JsonFields | undefined): Delivery => {
  const receipt = json === undefined ? undefined : readReceipt(json);
  // A proxy that gives an old answer again must not pass for one that took this marker.
  const isOurs =
    receipt !== undefined &&
    (receipt.delivery === 'duplicate' || receipt.marker === labelOf(text, record).marker);
  if (!isOurs)
    return away(
      'unreachable',
      json === undefined
        ? 'the answer is no JSON object'
        : 'the answer is not that of a gateway to this marker',
      'see PLIMSOLL_URL: is it a gateway?',
      true,
    );
  const warning = json?.['warning'];
  return { outcome: 'taken', receipt, warning: typeof warning === 'string' ? warning : null };
};

const tooManyRequests = 429;

/** A gateway says so of the request, not of the marker: another try, or another way to it, may do. */
const codesOfTheWay: ReadonlySet<string> = new Set([
  ...['host-unknown', 'not-found', 'method-not-allowed', 'body-cut-off'],
]);

const notTaken = (
  status: number,
  code: string | undefined,
  { code: coded, detail, hint }: JsonFields,
): Delivery => {
  // Other programs have codes in their JSON, too; the header is ours alone.
  const isGateways = code !== undefined && code === coded;
  const told = {
    code: isGateways ? code : `http-${status}`,
    message: typeof detail === 'string' ? detail : `the gateway answered ${status}`,
    hint: typeof hint === 'string' ? hint : 'see the log of the gateway',
  };
  const isRefusal =
    isGateways &&
    status >= 400 &&
    status < 500 &&
    status !== tooManyRequests &&
    !codesOfTheWay.has(code);
  if (isRefusal) return { outcome: 'refused', ...told, fault: faultOf(status) };
  // What a gateway could not append it may have appended; whoever else answers has not got that far.
  return { outcome: 'away', ...told, mayBeStored: code === 'append-unknown' };
};

const faultOf = (status: number): 'input' | 'rule' | 'unknown' | 'key' => {
  if (status === 401 || status === 403) return 'key';
  if (status === 404) return 'unknown';
  return status === 409 ? 'rule' : 'input';
};

const deliveries = ['stored', 'duplicate'];

const readReceipt = ({
  deployment,
  attempt,
  marker,
  kind,
  delivery,
  code,
  position,
}: JsonFields): Receipt | undefined => {
  const isNumberOrNull = (value: unknown): boolean => value === null || Number.isInteger(value);
  const isReceipt =
    (deployment === null || typeof deployment === 'string') &&
    typeof marker === 'string' &&
    typeof kind === 'string' &&
    isKind(kind) &&
    deliveries.includes(delivery as string) &&
    isNumberOrNull(attempt) &&
    isNumberOrNull(position) &&
    (code === null || typeof code === 'string');
  return isReceipt
    ? ({ deployment, attempt, marker, kind, delivery, code, position } as Receipt)
    : undefined;
};
