// What the prototype's simulations came to, by which the method was chosen: figures to be met. They were made by other
// code, with other random numbers, for the same traffic, rates and climates.

/** What was published of one judge: by cell, `share` or `share median` or `share median/p90` (per cent, seconds). */
export type Published = {
  readonly table: '4.1' | '4.2' | '4.4' | '4.6' | '4.6, deadline';
  /** Without its version. */
  readonly judge: string;
  readonly of: 'rolled back' | 'promoted';
  /** Runs behind each figure. */
  readonly goodRuns: number;
  readonly badRuns: number;
  readonly figures: Readonly<Record<string, string>>;
};

/** One row of a table: the same cells at each traffic. */
const at = (
  traffic: string,
  cells: readonly string[],
  figures: readonly string[],
  climate = 'iid',
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    figures.map((figure, index) => {
      const truth = cells[index] ?? '';
      return [`${climate} ${traffic}${truth === '' ? '' : `, ${truth}`}`, figure];
    }),
  );

const errors = ['', 'errors 1 %', 'errors 2 %', 'errors 5 %'];
const latency = ['', 'latency +10 %', 'latency +25 %', 'latency +100 %'];
const withTails = [...latency, 'tail +25 %', 'tail +100 %'];

const tests = { of: 'rolled back', goodRuns: 2_000, badRuns: 1_000 } as const;

const errorTables: readonly Published[] = [
  {
    ...tests,
    table: '4.1',
    judge: 'errors core strict',
    figures: {
      ...at('50/50', errors, ['0.9', '100 140/275', '100 25/45', '100 5/10']),
      ...at('50/450', errors, ['0.5', '100 75/145', '100 15/25', '100 5/5']),
      ...at('5/5', errors, ['0.6', '71 1275', '100 205/430', '100 50/85']),
      ...at('5/45', errors, ['0.5', '96.6 665/1425', '100 100/225', '100 20/45']),
      // Ranges over all tolerances; these are their worse ends.
      ...at('0.2/1.8', ['', 'errors 5 %', 'errors 20 %'], ['0.2', '94 710', '100 115']),
    },
  },
  {
    ...tests,
    table: '4.1',
    judge: 'errors core 1.1x',
    figures: {
      ...at('50/50', errors, ['0.2', '100 240/510', '100 30/60', '100 10/15']),
      ...at('50/450', errors, ['0.1', '100 135/285', '100 15/30', '100 5/10']),
      ...at('5/5', errors, ['0.1', '36', '100 255/545', '100 55/100']),
      ...at('5/45', errors, ['0.2', '73 1195', '100 120/275', '100 25/50']),
    },
  },
  {
    ...tests,
    table: '4.1',
    judge: 'errors core 1.25x',
    figures: {
      ...at('50/50', errors, ['0', '99.6 675/1095', '100 40/75', '100 10/15']),
      ...at('50/450', errors, ['0', '100 350/605', '100 20/40', '100 5/10']),
      ...at('5/5', errors, ['0', '11', '100 355/745', '100 60/120']),
      ...at('5/45', errors, ['0.1', '22', '100 170/370', '100 25/60']),
    },
  },
  {
    ...tests,
    table: '4.1',
    judge: 'kayenta errors at the end',
    figures: {
      ...at('50/50', errors, ['0.1', '100 1800', '100 1800', '100 1800']),
      ...at('50/450', errors, ['0.1', '100 1800', '100 1800', '100 1800']),
      ...at('5/5', errors, ['0', '57', '100', '100']),
      ...at('5/45', errors, ['0.1', '84.5', '100', '100']),
    },
  },
  {
    ...tests,
    table: '4.1',
    judge: 'kayenta errors from minute 2',
    figures: {
      ...at('50/50', errors, ['13.6', '100 120/120', '100 120/120', '100 120/120']),
      ...at('50/450', errors, ['13.2', '100 120/120', '100 120/120', '100 120/120']),
      ...at('5/5', errors, ['10.7', '77 840', '100 120', '100 120']),
      ...at('5/45', errors, ['13.7', '92 480', '100 120', '100 120']),
    },
  },
  {
    ...tests,
    table: '4.1',
    judge: 'kayenta errors from minute 5',
    figures: {
      ...at('50/50', errors, ['0.9', '100 300/420', '100 300/300', '100 300/300']),
      ...at('50/450', errors, ['1.1', '100 300/360', '100 300/300', '100 300/300']),
      ...at('5/5', errors, ['0.4', '70 1260', '100 360', '100 300']),
      ...at('5/45', errors, ['0.8', '90 900', '100 300', '100 300']),
    },
  },
  {
    ...tests,
    table: '4.1',
    judge: 'kayenta errors lookback 5',
    figures: {
      ...at('50/50', errors, ['1.9', '100 300/660', '100 300/300', '100 300/300']),
      ...at('50/450', errors, ['3.9', '100 300/420', '100 300/300', '100 300/300']),
    },
  },
];

const latencyTables: readonly Published[] = [
  {
    ...tests,
    table: '4.2',
    judge: 'latency core',
    figures: {
      ...at('50/50', withTails, [
        ...['0.3', '100 40/70', '100 10/15', '100 5/5'],
        ...['100 30/55', '100 10/15'],
      ]),
      ...at('50/450', latency, ['0.4', '100 25/40', '100 5/10', '100 5/5']),
      ...at('5/45', latency, ['0.2', '100 195/395', '100 40/70', '100 10/10']),
      ...at('5/5', latency, ['0.4', '100 365/700', '100 70/125', '100 10/20']),
    },
  },
  {
    ...tests,
    table: '4.2',
    judge: 'latency core 4.4 %',
    figures: {
      ...at('50/50', withTails, [
        ...['0.1', '100 125/245', '100 15/20', '100 5/5'],
        ...['100 55/95', '100 10/15'],
      ]),
      ...at('5/45', latency, ['0', '97.5 695', '100 55/105', '100 10/10']),
    },
  },
  {
    ...tests,
    table: '4.2',
    judge: 'latency core 9.05 %',
    figures: {
      ...at('50/50', withTails, [
        ...['0', '7.8', '100 20/35', '100 5/5'],
        ...['100 95/165', '100 10/15'],
      ]),
      ...at('5/45', latency, ['0', '0.8', '100 95/190', '100 10/15']),
    },
  },
  {
    ...tests,
    table: '4.2',
    judge: 'latency core, explicit bounds',
    figures: {
      ...at('50/50', withTails, [
        ...['0.2', '100 60/100', '100 15/20', '100 5/5'],
        ...['100 30/55', '100 10/15'],
      ]),
      ...at('5/45', latency, ['0.4', '100 310/570', '100 55/105', '100 10/15']),
    },
  },
  {
    ...tests,
    table: '4.2',
    judge: 'kayenta latency at the end',
    figures: {
      ...at('50/50', withTails, ['0.1', ...Array<string>(5).fill('100 1800')]),
      ...at('5/45', latency, ['0.1', '92.7', '100 1800', '100 1800']),
      'iid 5/5, latency +10 %': '68',
    },
  },
  {
    ...tests,
    table: '4.2',
    judge: 'kayenta latency from minute 2',
    figures: {
      ...at('50/50', withTails, ['11.9', '100 120/360', ...Array<string>(4).fill('100 120')]),
      ...at('5/45', latency, ['12.5', '97 120', '100 120', '100 120']),
    },
  },
  {
    ...tests,
    table: '4.2',
    judge: 'kayenta latency from minute 5',
    figures: {
      ...at('50/50', withTails, ['1.1', '100 300/420', ...Array<string>(4).fill('100 300')]),
      ...at('5/45', latency, ['1.5', '96 780', '100 300/480', '100 300']),
    },
  },
];

const traffics = ['50/450', '50/50', '5/45', '5/5'];

/** One row of a table whose columns are traffics. */
const across = (
  truth: string,
  figures: readonly string[],
  climate = 'iid',
  columns = traffics,
): Readonly<Record<string, string>> =>
  Object.assign(
    {},
    ...columns.map((traffic, index) => at(traffic, [truth], [figures[index] ?? ''], climate)),
  ) as Readonly<Record<string, string>>;

const promotion = { of: 'promoted', table: '4.4', goodRuns: 1_000, badRuns: 1_000 } as const;

const promotionTables: readonly Published[] = [
  {
    ...promotion,
    judge: 'errors promoted within 1.5x',
    figures: {
      ...across('', ['100 55/125', '100 95/225', '98 475/1200', '84 870']),
      ...across('errors 0.95 %', ['2.9', '3.3', '2.8', '2.3']),
    },
  },
  {
    ...promotion,
    judge: 'errors promoted within 1.25x',
    figures: {
      ...across('', ['100 170/450', '100 315/800', '57 1550', '33']),
      ...across('errors 0.725 %', ['3.4', '2.6', '2.4', '2.6']),
    },
  },
  {
    ...promotion,
    judge: 'latency promoted within 13.9 %',
    figures: {
      ...across('', ['100 95/200', '100 160/360', '88 870', '61 1435']),
      ...across('latency +13.9 %', ['0.1', '0', '0.1', '0']),
    },
  },
  {
    ...promotion,
    judge: 'latency promoted within 9.05 %',
    figures: {
      ...across('', ['100 180/430', '100 320/755', '52 1725', '27']),
      ...across('latency +9.05 %', ['0.1', '0', '0.1', '0']),
    },
  },
];

const whole = { of: 'rolled back', table: '4.6', goodRuns: 1_000, badRuns: 500 } as const;
const fewer = ['5/45', '5/5'];
const mannWhitney = ['50/50', ...fewer];

const standardFigures: Published['figures'] = {
  ...across('', ['0', '0', '0', '0']),
  ...across('', ['0', '0', '0', '0'], 'clusters'),
  ...across('', ['0', '0', '0', '0'], 'incident'),
  ...across('', ['0', '0', '0', '0'], 'cold-start'),
  ...across('', ['0', '0', '0', '0'], 'pod-noise'),
  ...across('errors 1 %', ['99.2 300/440', '98.6 430/715', '55 1655', '16']),
  ...across('errors 2 %', ['100 130/145', '100 140/170', '100 300/450', '100 450/740']),
  ...across('errors 5 %', ['100 120/125', '100 115/125', '100 140/170', '100 160/215']),
  ...across('latency +10 %', ['100 210/265', '98.8 285/380', '90 1005', '56 1685']),
  ...across('latency +25 %', ['100 125/130', '100 130/140', '100 190/240', '100 255/345']),
  ...across('latency +100 %', ['100 125/125', '100 125/125', '100 125/125', '100 125/130']),
  ...across('cpu +25 %', ['100 245/385', '100 240/400', '100 240/385', '100 240/380']),
  ...across('errors 2 %', ['100 255/370', '100 365/570', '66 1475', '27'], 'clusters'),
  ...across(
    'errors 2 %',
    ['100 185/315', '100 215/370', '100 365/635', '99.8 520/945'],
    'pod-noise',
  ),
  ...across(
    'latency +25 %',
    ['100 180/260', '100 190/260', '100 280/410', '100 325/510'],
    'pod-noise',
  ),
  ...at(
    '0.2/1.8',
    ['', 'errors 5 %', 'errors 20 %', 'errors 50 %', 'latency +100 %'],
    ['0', '87 1025', '100 240/370', '100 150/185', '100 290/410'],
  ),
};

const sensitiveFigures: Published['figures'] = {
  ...across('', ['0.2', '0.1'], 'iid', fewer),
  ...across('', ['0', '0.1'], 'clusters', fewer),
  ...across('', ['0.2', '0.1'], 'incident', fewer),
  ...across('', ['0', '0.1'], 'cold-start', fewer),
  ...across('', ['0.1', '0.2'], 'pod-noise', fewer),
  ...across('errors 1 %', ['89 1030', '45'], 'iid', fewer),
  ...across('errors 2 %', ['100 265/380', '100 375/590'], 'iid', fewer),
  ...across('errors 5 %', ['100 135/160', '100 155/200'], 'iid', fewer),
  ...across('latency +10 %', ['100 375/580', '99.8 595/905'], 'iid', fewer),
  ...across('latency +25 %', ['100 160/195', '100 205/260'], 'iid', fewer),
  ...across('latency +100 %', ['100 125/125', '100 125/130'], 'iid', fewer),
  ...across('cpu +25 %', ['100 240/385', '100 240/380'], 'iid', fewer),
  ...across('errors 2 %', ['79', '37'], 'clusters', fewer),
  ...across('errors 2 %', ['100 310/510', '100 410/760'], 'pod-noise', fewer),
  ...across('latency +25 %', ['100 215/295', '100 250/370'], 'pod-noise', fewer),
};

const promotedFigures = across('', ['100 305/305', '100 305/455', '83 1145', '43']);

const deadline = { ...tests, table: '4.6, deadline', badRuns: 2_000 } as const;

const wholeTables: readonly Published[] = [
  ...['three metrics standard', 'standard'].flatMap((judge): readonly Published[] => [
    { ...whole, judge, figures: standardFigures },
    { ...whole, judge, of: 'promoted', figures: promotedFigures },
  ]),
  ...['three metrics sensitive', 'sensitive'].map((judge): Published => ({
    ...whole,
    judge,
    figures: sensitiveFigures,
  })),
  ...['errors at half sensitive', 'sensitive'].map((judge): Published => ({
    ...deadline,
    judge,
    figures: {
      ...across('', ['0.15', '0.65'], 'iid', fewer),
      ...across('errors 1 %', ['99.4', '84.6'], 'iid', fewer),
    },
  })),
  ...['errors at half standard', 'standard'].map((judge): Published => ({
    ...deadline,
    judge,
    figures: {
      ...across('', ['0', '0'], 'iid', fewer),
      ...across('errors 1 %', ['89.8', '48.5'], 'iid', fewer),
    },
  })),
  {
    ...whole,
    judge: 'kayenta at the end',
    figures: {
      ...across('', ['0.2', '0.3', '0.2'], 'iid', mannWhitney),
      ...across('', ['0', '0', '0.5'], 'clusters', mannWhitney),
      ...across('', ['0.4', '0.1', '0'], 'incident', mannWhitney),
      ...across('', ['0.4', '0.2', '0.1'], 'cold-start', mannWhitney),
      ...across('', ['1.8', '0.4', '0.1'], 'pod-noise', mannWhitney),
      ...across('errors 1 %', ['100', '83', '54'], 'iid', mannWhitney),
      ...across('errors 2 %', ['100', '100', '100'], 'iid', mannWhitney),
      ...across('errors 5 %', ['100', '100', '100'], 'iid', mannWhitney),
      ...across('latency +10 %', ['100', '91', '74'], 'iid', mannWhitney),
      ...across('latency +25 %', ['100', '100', '100'], 'iid', mannWhitney),
      ...across('latency +100 %', ['100', '100', '100'], 'iid', mannWhitney),
      ...across('cpu +25 %', ['100', '100', '100'], 'iid', mannWhitney),
      ...across('errors 2 %', ['100', '32', '48'], 'clusters', mannWhitney),
      ...across('errors 2 %', ['100', '100', '100'], 'pod-noise', mannWhitney),
      ...across('latency +25 %', ['100', '100', '100'], 'pod-noise', mannWhitney),
      'iid 0.2/1.8, errors 5 %': '0.4',
    },
  },
  {
    ...whole,
    judge: 'kayenta from minute 5',
    figures: {
      ...across('', ['1.5', '2.9', '1.6', '3.4'], 'iid', [...mannWhitney, '50/450']),
      ...across('', ['1.5', '1.3', '2.1'], 'clusters', mannWhitney),
      ...across('', ['1.6', '1.9', '1.1'], 'incident', mannWhitney),
      ...across('', ['3.4', '5.1', '2.5'], 'cold-start', mannWhitney),
      ...across('', ['8.8', '3.4', '2.2', '10.4'], 'pod-noise', [...mannWhitney, '50/450']),
      ...across('errors 1 %', ['100 300', '89 900', '68 1380'], 'iid', mannWhitney),
      ...across('errors 2 %', ['100 300', '100 300', '100 360'], 'iid', mannWhitney),
      ...across('errors 5 %', ['100 300', '100 300', '100 300'], 'iid', mannWhitney),
      ...across('latency +10 %', ['100 300', '96 780', '81 1200'], 'iid', mannWhitney),
      ...across('latency +25 %', ['100 300', '100 300', '100 420'], 'iid', mannWhitney),
      ...across('latency +100 %', ['100 300', '100 300', '100 300'], 'iid', mannWhitney),
      ...across('cpu +25 %', ['100 300', '100 300', '100 300'], 'iid', mannWhitney),
      ...across('errors 2 %', ['100 300', '47', '62'], 'clusters', mannWhitney),
      ...across('errors 2 %', ['100 300', '100 360', '100 420'], 'pod-noise', mannWhitney),
      ...across('latency +25 %', ['100 300', '100 300', '100 420'], 'pod-noise', mannWhitney),
    },
  },
];

export const published: readonly Published[] = [
  ...errorTables,
  ...latencyTables,
  ...promotionTables,
  ...wholeTables,
];
