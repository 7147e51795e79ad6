import { describe, expect, test } from 'vitest';
import {
  baselineVersion,
  canaryVersion,
  captureSinceMs,
  everySeconds,
  lineOf,
  twoServers,
} from '../../../support/canary/capture-lines.ts';
import { judgedCapture, shortPolicy } from '../../../support/canary/backtests.ts';
import { everywhere, fullPolicy } from '../../../support/canary/sample-streams.ts';

// What nobody could count, and who nobody can tell apart, is no evidence: neither for nor against anybody.

const good = { canary: 2, baseline: 2 };
const bad = { canary: 80, baseline: 2 };
const requests = 400;
const seconds = 290;

/** Lines of a version whose failed requests cannot be counted. */
const hidden =
  (version: string, isHidden: (index: number) => boolean = () => true) =>
  (line: string, index: number): string =>
    line.includes(`"${version}"`) && isHidden(index)
      ? line.replace(/("500"\}\}\],[^{}]*"count":")/, '$1-')
      : line;
const outcomeOf = (lines: readonly string[]): string => judgedCapture(lines).result().outcome;
const lastLineOf = (lines: readonly string[]): string =>
  JSON.stringify(judgedCapture(lines).result());

describe('points of failed requests alone that cannot be taken', () => {
  test('without them the bad one is rolled back and the good one promoted', () => {
    expect(outcomeOf(twoServers(seconds, bad, requests))).toBe('roll-back');
    expect(outcomeOf(twoServers(seconds, good, requests))).toBe('promote');
  });

  test('of a bad canary promote nothing, and hide nothing', () => {
    const judged = judgedCapture(twoServers(seconds, bad, requests).map(hidden(canaryVersion)));
    expect(judged.result()).toMatchObject({
      outcome: 'inconclusive',
      excluded: { 'count-invalid': seconds / everySeconds },
    });
    const last = judged.readings().at(-1)?.verdict;
    expect(last).toMatchObject({
      outcome: 'inconclusive',
      missing: expect.arrayContaining([{ what: 'all-heard' }]),
    });
  });

  test('of the baseline roll nothing back', () => {
    const { outcome, excluded } = judgedCapture(
      twoServers(seconds, good, requests).map(hidden(baselineVersion)),
    ).result();
    expect({ outcome, excluded }).toStrictEqual({
      outcome: 'inconclusive',
      excluded: { 'count-invalid': seconds / everySeconds },
    });
  });

  test('every other time leave the rest: a bad canary is found, later', () => {
    const everyOther = (index: number): boolean => index % 4 < 2;
    const lines = twoServers(seconds, bad, requests);
    const late = judgedCapture(lines.map(hidden(canaryVersion, everyOther))).result();
    expect(late.outcome).toBe('roll-back');
    expect(late.secondsAfterStart).toBeGreaterThan(
      judgedCapture(lines).result().secondsAfterStart ?? 0,
    );
    const rest = twoServers(seconds, good, requests).map(hidden(canaryVersion, everyOther));
    expect(outcomeOf(rest)).toBe('inconclusive');
  });

  test('for a while delay a promotion, and no more', () => {
    const early = (index: number): boolean => index < 40;
    const lines = twoServers(seconds, good, requests);
    expect(outcomeOf(lines.map(hidden(canaryVersion, early)))).toBe('promote');
  });

  test('a sum that is none hides nothing', () => {
    for (const errors of [good, bad]) {
      const lines = twoServers(seconds, errors, requests);
      const spoilt = lines.map((line) => line.replaceAll(/"sum":[0-9.]+/g, '"sum":"NaN"'));
      expect(lastLineOf(spoilt)).toBe(lastLineOf(lines));
    }
  });
});

describe('failed requests that are told by another kind of metric', () => {
  const kinds = [
    ['gauge', '"gauge":{'],
    ['sum', '"sum":{"aggregationTemporality":2,'],
    ['sum that only grows', '"sum":{"aggregationTemporality":2,"isMonotonic":true,'],
    ['sum of changes', '"sum":{"aggregationTemporality":1,'],
    ['summary', '"summary":{'],
  ] as const;
  /** The second point of its histogram is one of that metric, under the same name. */
  const told =
    (version: string, kind: string) =>
    (line: string): string =>
      line.includes(`"${version}"`)
        ? line.replace(
            /,(\{"attributes":[^{}]*\{[^{}]*\{[^{}]*"500"\}\}\][^{}]*\})\],("aggregationTemporality":1\}\})/,
            `],$2,{"name":"http.server.request.duration","unit":"s",${kind}"dataPoints":[$1]}}`,
          )
        : line;

  test.each(kinds)(
    'a %s: a bad canary is not passed, nor is a good one rolled back',
    (_kind, of) => {
      const badOnes = twoServers(seconds, bad, requests).map(told(canaryVersion, of));
      expect(badOnes[0]).toContain(of);
      const failing = judgedCapture(badOnes).result();
      expect(failing.outcome).toBe('inconclusive');
      expect(failing.excluded).toStrictEqual({ 'metric-type-unsupported': seconds / everySeconds });
      const goodOnes = twoServers(seconds, { canary: 8, baseline: 40 }, requests);
      expect(outcomeOf(goodOnes.map(told(baselineVersion, of)))).toBe('inconclusive');
    },
  );
});

describe('of counters', () => {
  /** What both have counted at each export. */
  const counters = (errors: { readonly canary: number; readonly baseline: number }) =>
    Array.from({ length: seconds / everySeconds }, (_, index) =>
      [canaryVersion, baselineVersion].map((version) => {
        const at = (index + 1) * everySeconds - (version === canaryVersion ? 1 : 2);
        const failed = version === canaryVersion ? errors.canary : errors.baseline;
        return lineOf({
          ...{ version, at, from: 0, isCumulative: true },
          ...{ requests: requests * (index + 1), errors: failed * (index + 1) },
        });
      }),
    ).flat();

  test('what the next point catches up is not blamed on its window', () => {
    const everyOther = (index: number): boolean => index % 4 < 2;
    const oneInThree = (index: number): boolean => index % 6 < 2;
    for (const isHidden of [everyOther, oneInThree]) {
      const lines = counters({ canary: 10, baseline: 10 });
      expect(outcomeOf(lines)).toBe('promote');
      expect(outcomeOf(lines.map(hidden(canaryVersion, isHidden)))).toBe('inconclusive');
    }
  });
});

describe('a pod of two of whose points nobody knows the time', () => {
  const shares = [{ atMs: captureSinceMs, share: 0.5 }];
  const metrics = fullPolicy.metrics.filter(
    ({ judged }) => judged === 'errors' || judged === 'traffic',
  );
  const placed = everywhere({ ...shortPolicy, metrics });
  /** Lines of two pods of each version; of the canary the second one fails so many, and its lines are changed. */
  const fleet = (errors: number, change: (line: string) => string): readonly string[] =>
    Array.from({ length: seconds / everySeconds }, (_, index) =>
      [canaryVersion, baselineVersion].flatMap((version, place) =>
        ['pod-1', 'pod-2'].map((instance, pod) => {
          const isChanged = version === canaryVersion && pod === 1;
          const line = lineOf({
            ...{ version, instance, requests, errors: isChanged ? errors : 2 },
            ...{ at: (index + 1) * everySeconds - place - pod / 2, from: index * everySeconds },
          });
          return isChanged ? change(line) : line;
        }),
      ),
    ).flat();
  const timed = (time: string, more: (line: string) => string = (line) => line) => {
    return (line: string): string =>
      more(line.replaceAll(/"timeUnixNano":"[0-9]+"/g, `"timeUnixNano":"${time}"`));
  };
  const uncounted = (line: string): string => line.replaceAll('"count":"', '"count":"-');
  const judged = (errors: number, change: (line: string) => string) =>
    judgedCapture(fleet(errors, change), { placed }, { shares });

  test.each([
    ['none', timed('0')],
    ['a negative one', timed('-5')],
    ['text', timed('now')],
    ['none, without a unit', timed('0', (line) => line.replace('"unit":"s"', '"unit":""'))],
    ['none, as a summary', timed('0', (line) => line.replace('"histogram"', '"summary"'))],
    ['one that stands still, and no count', timed(`${captureSinceMs}000000`, uncounted)],
    ['one of another year, and no count', timed('1900000000000000000', uncounted)],
  ])('%s: the bad one is not passed, nor a good one missed', (_name, change) => {
    expect(judged(requests / 2, change).result().outcome).toBe('inconclusive');
    expect(judged(2, change).result().outcome).toBe('inconclusive');
  });

  test('if it were not heard at all the bad one would pass, and the good one seem to have lost what it has', () => {
    const gone = (line: string): string => line.replace('"checkout"', '"cart"');
    expect(judgedCapture(fleet(requests / 2, gone)).result().outcome).toBe('promote');
    expect(judged(2, gone).result().outcome).toBe('inconclusive');
    const same = (line: string): string => line;
    expect(judged(2, same).result().outcome).toBe('promote');
    expect(judged(requests / 2, same).result().outcome).toBe('roll-back');
  });

  test('every other time: the window in which it is missed is one that is not known', () => {
    const lines = fleet(2, (line) => line).map((line, index) =>
      line.includes(`"${canaryVersion}"`) && line.includes('pod-2') && index % 8 < 4
        ? timed('0')(line)
        : line,
    );
    const { outcome, excluded } = judgedCapture(lines, { placed }, { shares }).result();
    expect(outcome).toBe('inconclusive');
    expect(excluded['time-missing']).toBeGreaterThanOrEqual(seconds / everySeconds);
  });

  test('it is counted once, however often a line came', () => {
    const lines = fleet(2, timed('0'));
    const once = judgedCapture(lines);
    const twice = judgedCapture(lines.flatMap((line) => [line, line]));
    expect(twice.result()).toStrictEqual(once.result());
    expect(twice.duplicates()).toBeGreaterThan(20);
  });
});

describe('of several pods without an id, whose deltas end together', () => {
  const nameless = (line: string): string =>
    line.replace('{"key":"service.instance.id","value":{"stringValue":"pod-1"}},', '');
  const fleet = (errors: number) =>
    Array.from({ length: seconds / everySeconds }, (_, index) =>
      [canaryVersion, canaryVersion, canaryVersion, baselineVersion].map((version, pod) =>
        nameless(
          lineOf({
            version,
            at: (index + 1) * everySeconds,
            requests: 100 + ((index + pod) % 3),
            errors: version === canaryVersion ? errors : 1,
          }),
        ),
      ),
    ).flat();

  test.each([1, 30])('nothing is decided, however many fail (%i of 100)', (errors) => {
    const shares = [{ atMs: captureSinceMs, share: 0.5 }];
    const judged = judgedCapture(fleet(errors), {}, { shares }).result();
    expect(judged.outcome).toBe('inconclusive');
    expect(judged.excluded['start-shared']).toBeGreaterThan(100);
  });
});

describe('the last line does not tell', () => {
  const lines = twoServers(seconds, bad, requests);
  const result = lastLineOf(lines);

  test('of points of another service', () => {
    const cart = twoServers(seconds, bad, requests)
      .map((line) => line.replace('"checkout"', '"cart"'))
      .map(hidden(canaryVersion));
    const minutes = cart.map((line) => line.replace('"unit":"s"', '"unit":"min"'));
    expect(lastLineOf(lines.flatMap((line, at) => [line, cart[at] ?? '', minutes[at] ?? '']))).toBe(
      result,
    );
  });

  test('of points that came after the outcome', () => {
    const { secondsAfterStart } = judgedCapture(lines).result();
    const after = 2 * Math.ceil((secondsAfterStart ?? 0) / everySeconds + 4);
    expect(lines.length).toBeGreaterThan(after);
    expect(lastLineOf(lines.map(hidden(canaryVersion, (index) => index > after)))).toBe(result);
  });

  test('how often anything came, whatever became of it', () => {
    const early = lineOf({ version: canaryVersion, at: -20, requests, errors: 2 });
    const other = lineOf({ version: '3.0.0', at: 10, requests, errors: 2 });
    const nobody = early.replace('"service.name"', '"name"');
    const staleLevel = early.replace('"count"', '"flags":1,"count"');
    const sent = [
      early,
      other,
      nobody,
      staleLevel,
      ...lines.map(hidden(canaryVersion, (at) => at < 9)),
    ];
    const once = judgedCapture(sent).result();
    expect(Object.keys(once.excluded)).toStrictEqual([
      ...['before-opening', 'count-invalid', 'no-recorded-value', 'other-version'],
      'service-name-missing',
    ]);
    expect(lastLineOf(sent.flatMap((line) => [line, line]))).toBe(JSON.stringify(once));
  });

  test('but how many came twice is known', () => {
    expect(judgedCapture(lines).duplicates()).toBe(0);
    expect(judgedCapture(lines.flatMap((line) => [line, line])).duplicates()).toBeGreaterThan(20);
  });
});
