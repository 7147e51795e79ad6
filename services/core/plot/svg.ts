// The few elements of SVG that plots are drawn with. Text is escaped; there are no scripts, links or fonts in it.

/** What something is drawn in. Which colour that is depends on whether the reader's page is light or dark. */
export type Tone =
  | 'ground'
  | 'ink'
  | 'soft'
  | 'grid'
  | 'limit'
  | 'first'
  | 'second'
  | 'third'
  | 'fourth'
  | 'fifth'
  | 'sixth';

/** Okabe and Ito's colours, told apart by people who do not see all of them; brighter on dark. */
const colours: { readonly [Name in Tone]: readonly [light: string, dark: string] } = {
  ground: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  soft: ['#59636e', '#9198a1'],
  grid: ['#dfe3e8', '#2a3038'],
  limit: ['#c43c00', '#ff8f57'],
  first: ['#0072b2', '#56b4e9'],
  second: ['#b35c00', '#f0a94a'],
  third: ['#007a5a', '#2fc99a'],
  fourth: ['#a8487f', '#e79cc6'],
  fifth: ['#6a5acd', '#a99cf5'],
  sixth: ['#59636e', '#c9d1d9'],
};

const cycle: readonly Tone[] = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'];

/** The tone of the n-th of several things; from the seventh on they come again. */
export const toneAt = (index: number): Tone => cycle[index % cycle.length] ?? 'first';

export type Point = { readonly x: number; readonly y: number };
export type Stroke = { readonly tone: Tone; readonly width?: number; readonly dash?: string };
export type TextStyle = {
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Pixels. */
  readonly size?: number;
  readonly tone?: Tone;
  readonly isBold?: boolean;
  /** Lies over lines: with an edge in the colour of the ground. */
  readonly isOver?: boolean;
};

const textSize = 12;

/** A whole picture. `title` is what a screen reader says of it. */
export const svgDocument = (
  {
    width,
    height,
    title,
  }: { readonly width: number; readonly height: number; readonly title: string },
  parts: readonly string[],
): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="${textSize}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${rulesOf(0)}@media (prefers-color-scheme: dark){${rulesOf(1)}}</style>`,
    `<rect class="f-ground" width="${width}" height="${height}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');

const rulesOf = (which: 0 | 1): string =>
  Object.entries(colours)
    .map(([tone, pair]) => `.f-${tone}{fill:${pair[which]}}.s-${tone}{stroke:${pair[which]}}`)
    .join('');

export const svgText = (x: number, y: number, content: string, style: TextStyle = {}): string => {
  const { anchor = 'start', size = textSize, tone = 'ink', isBold = false, isOver = false } = style;
  const classes = isOver ? `f-${tone} s-ground` : `f-${tone}`;
  const edge = isOver ? ' stroke-width="4" stroke-linejoin="round" paint-order="stroke"' : '';
  const weight = isBold ? ' font-weight="600"' : '';
  return `<text class="${classes}" x="${short(x)}" y="${short(y)}" text-anchor="${anchor}" font-size="${size}"${weight}${edge}>${escaped(content)}</text>`;
};

export const svgLine = (from: Point, to: Point, stroke: Stroke): string =>
  `<line ${strokeOf(stroke)} x1="${short(from.x)}" y1="${short(from.y)}" x2="${short(to.x)}" y2="${short(to.y)}"/>`;

/** A line through the points; null is a gap in it. */
export const svgPath = (points: readonly (Point | null)[], stroke: Stroke): string => {
  let isPenDown = false;
  const steps = points.flatMap((point) => {
    if (point === null) {
      isPenDown = false;
      return [];
    }
    const step = `${isPenDown ? 'L' : 'M'}${short(point.x)} ${short(point.y)}`;
    isPenDown = true;
    return [step];
  });
  return steps.length === 0
    ? ''
    : `<path ${strokeOf(stroke)} fill="none" stroke-linejoin="round" d="${steps.join('')}"/>`;
};

/** The area between two lines over the same places. */
export const svgArea = (upper: readonly Point[], lower: readonly Point[], tone: Tone): string => {
  if (upper.length === 0) return '';
  const around = [...upper, ...lower.toReversed()].map(({ x, y }) => `${short(x)} ${short(y)}`);
  return `<path class="f-${tone}" fill-opacity="0.22" d="M${around.join('L')}Z"/>`;
};

export const svgDot = (
  { x, y }: Point,
  tone: Tone,
  { radius = 4, isHollow = false }: { readonly radius?: number; readonly isHollow?: boolean } = {},
): string =>
  isHollow
    ? `<circle class="f-ground s-${tone}" stroke-width="1.6" cx="${short(x)}" cy="${short(y)}" r="${radius}"/>`
    : `<circle class="f-${tone}" cx="${short(x)}" cy="${short(y)}" r="${radius}"/>`;

const strokeOf = ({ tone, width = 1, dash }: Stroke): string =>
  `class="s-${tone}" stroke-width="${width}"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}`;

/** Characters that XML forbids are left out, so that whatever a name holds the picture can be read. */
const escaped = (content: string): string =>
  content
    .toWellFormed()
    // oxlint-disable-next-line eslint/no-control-regex -- these are what XML 1.0 forbids
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const short = (value: number): string => String(Math.round(value * 10) / 10);

/** Of the font size, on average; wide enough for most fonts. */
const characterWidth = 0.56;

/** About how many pixels a text takes. */
export const textWidth = (content: string, size: number = textSize): number =>
  content.length * size * characterWidth;

/** As much of the text as fits into so many pixels, with an ellipsis where something was cut. */
export const fitted = (content: string, width: number, size: number = textSize): string => {
  const charactersMax = Math.max(1, Math.floor(width / (size * characterWidth)));
  return content.length <= charactersMax ? content : `${content.slice(0, charactersMax - 1)}…`;
};
