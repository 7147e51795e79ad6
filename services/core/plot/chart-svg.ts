import { shareOn } from './axis.ts';
import type { Axis } from './axis.ts';
import type { Chart, Moment, Panel, Series } from './chart.ts';
import type { Point } from './svg.ts';
import { fitted, svgArea, svgDocument, svgLine, svgPath, svgText, textWidth } from './svg.ts';

const width = 860;
const left = 78;
const right = 24;
const aboutSize = 12;
const titleSize = 16;
const panelHeight = 210;
/** Room above a panel, for its label. */
const panelGap = 34;
const legendLine = 20;
const swatch = 22;
/** A moment's name keeps this far from its line. */
const momentGap = 6;

/** The chart as a picture of its own: no scripts, no fonts, readable on light and dark pages. */
export const chartSvg = (chart: Chart): string => {
  const inner = width - left - right;
  const x = (value: number): number => left + shareOn(chart.time, value) * inner;
  const top = chart.about === '' ? 40 : 62;
  const parts: string[] = [
    svgText(left, 26, fitted(chart.title, inner, titleSize), { size: titleSize, isBold: true }),
  ];
  if (chart.about !== '')
    parts.push(svgText(left, 48, fitted(chart.about, inner, aboutSize), { tone: 'soft' }));
  let y = top;
  for (const panel of chart.panels) {
    y += panelGap;
    parts.push(...panelParts(panel, chart, x, y));
    y += panelHeight;
  }
  const firstTop = top + panelGap;
  parts.push(
    ...chart.moments.map(({ x: at, tone }) =>
      svgLine({ x: x(at), y: firstTop }, { x: x(at), y }, { tone, width: 1.5, dash: '2 3' }),
    ),
    ...momentNames(chart.moments, x, firstTop),
    ...timeParts(chart, x, y),
  );
  const legend = legendOf(chart);
  const legendTop = y + 62;
  parts.push(...legend.parts(legendTop));
  const height = legendTop + (legend.lines - 1) * legendLine + 18;
  return svgDocument({ width, height, title: chart.title }, parts);
};

const panelParts = (
  { axis, label, series }: Panel,
  { time }: Chart,
  x: (value: number) => number,
  top: number,
): readonly string[] => {
  const bottom = top + panelHeight;
  const y = (value: number): number => bottom - shareOn(axis, value) * panelHeight;
  const ends = [x(time.from), x(time.to)] as const;
  return [
    svgText(left, top - 10, label, { tone: 'soft' }),
    ...time.ticks.map(({ at }) =>
      svgLine({ x: x(at), y: top }, { x: x(at), y: bottom }, { tone: 'grid' }),
    ),
    ...axis.ticks.flatMap(({ at, text }) => [
      svgLine({ x: ends[0], y: y(at) }, { x: ends[1], y: y(at) }, { tone: 'grid' }),
      svgText(left - 8, y(at) + 4, text, { anchor: 'end' }),
    ]),
    ...series
      .toSorted((one, other) => layers[one.kind] - layers[other.kind])
      .map((each) => seriesPart(each, axis, x, y)),
    svgLine({ x: left, y: top }, { x: left, y: bottom }, { tone: 'soft' }),
    svgLine({ x: left, y: bottom }, { x: ends[1], y: bottom }, { tone: 'soft' }),
  ];
};

/** What lies over what. */
const layers: { readonly [Kind in Series['kind']]: number } = { band: 0, limit: 1, line: 2 };

const seriesPart = (
  series: Series,
  axis: Axis,
  x: (value: number) => number,
  y: (value: number) => number,
): string => {
  switch (series.kind) {
    case 'band': {
      const upper = series.points.map((point) => ({ x: x(point.x), y: y(point.high ?? axis.to) }));
      const lower = series.points.map((point) => ({ x: x(point.x), y: y(point.low ?? axis.from) }));
      return svgArea(upper, lower, series.tone);
    }
    case 'line':
    case 'limit': {
      const points = series.points.map((point): Point | null =>
        point.y === null ? null : { x: x(point.x), y: y(point.y) },
      );
      return svgPath(points, {
        tone: series.tone,
        width: series.kind === 'line' ? 2 : 1.6,
        ...(series.kind === 'limit' ? { dash: '7 4' } : {}),
      });
    }
  }
};

const timeParts = (
  { time, timeLabel }: Chart,
  x: (value: number) => number,
  bottom: number,
): readonly string[] => [
  ...time.ticks.map(({ at, text }) => svgText(x(at), bottom + 18, text, { anchor: 'middle' })),
  svgText((left + width - right) / 2, bottom + 36, timeLabel, { anchor: 'middle', tone: 'soft' }),
];

/** On the side of its line where there is room, and each a line lower than one that it would cover. */
const momentNames = (
  moments: readonly Moment[],
  x: (value: number) => number,
  top: number,
): readonly string[] => {
  const taken: { readonly from: number; readonly to: number; readonly row: number }[] = [];
  return moments.map(({ x: at, text, tone }) => {
    const place = x(at);
    const isLeft = place > (left + width - right) / 2;
    const room = (isLeft ? place - left : width - right - place) - momentGap;
    const shown = fitted(text, room);
    const [from, to] = isLeft
      ? [place - momentGap - textWidth(shown), place]
      : [place, place + momentGap + textWidth(shown)];
    let row = 0;
    while (taken.some((other) => other.row === row && from < other.to && to > other.from)) row += 1;
    taken.push({ from, to, row });
    return svgText(place + (isLeft ? -momentGap : momentGap), top + 14 + row * 16, shown, {
      tone,
      anchor: isLeft ? 'end' : 'start',
      isBold: true,
      isOver: true,
    });
  });
};

/** One entry for each name, in lines as wide as the picture. */
const legendOf = (
  chart: Chart,
): { readonly lines: number; readonly parts: (top: number) => readonly string[] } => {
  const named = new Map(
    chart.panels.flatMap(({ series }) => series.map((each) => [each.name, each] as const)),
  );
  let [line, x] = [0, left];
  const places = [...named.values()].map((series) => {
    const needed = swatch + 8 + textWidth(series.name) + 24;
    if (x > left && x + needed > width - right) [line, x] = [line + 1, left];
    const place = { series, line, x };
    x += needed;
    return place;
  });
  return {
    lines: places.length === 0 ? 0 : line + 1,
    parts: (top) =>
      places.flatMap(({ series, line: at, x: from }) => {
        const y = top + at * legendLine;
        const [start, end] = [
          { x: from, y: y - 4 },
          { x: from + swatch, y: y - 4 },
        ];
        const key =
          series.kind === 'band'
            ? svgArea(
                [start, end].map((point) => ({ ...point, y: point.y - 5 })),
                [start, end].map((point) => ({ ...point, y: point.y + 5 })),
                series.tone,
              )
            : svgLine(start, end, {
                tone: series.tone,
                width: 2,
                ...(series.kind === 'limit' ? { dash: '7 4' } : {}),
              });
        return [key, svgText(from + swatch + 8, y, fitted(series.name, width - from - 60))];
      }),
  };
};
