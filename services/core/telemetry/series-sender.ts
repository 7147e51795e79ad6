// What names the sender of a series may stand for several: a pod or a host that several workers run in, or nothing at all.
// Nobody downstream sees the resource any more, so the first digit of a series says it.

const severalBelow = 8;

/** 32 hex digits for resource, scope and metric, with the first one telling whether that is one sender: 8 to f; several: 0 to 7. */
export const withSenderDigit = (digest: string, isOneSender: boolean): string => {
  const digit = Number.parseInt(digest.slice(0, 1), 16) % severalBelow;
  return `${(isOneSender ? digit + severalBelow : digit).toString(16)}${digest.slice(1)}`;
};

/** What stands in a series for attributes that nobody could read. */
export const unreadAttributes: string = '0'.repeat(32);

/** Whether points of this series may be of several senders. */
export const maySeveralSend = (series: string): boolean => series < String(severalBelow);
