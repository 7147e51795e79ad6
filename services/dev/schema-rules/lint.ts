import type { FieldNode, RecordNode, SchemaNode } from '../../adapters/avro/schema-tree.ts';

/**
 * Where a record may hold a double. A fold that adds or compares doubles gives other bytes in another
 * order, so each place is a decision and has its reason here.
 */
const doublesAllowed: { readonly [place: string]: string } = {
  'plimsoll.Plan.canaryShare': 'stated by people, compared with itself only',
  'plimsoll.Update.canaryShare': 'stated by people, compared with itself only',
  'plimsoll.Decision.ratio': 'shown; what counts are the integer counts beside it',
  'plimsoll.Decision.ratioLow': 'shown',
  'plimsoll.Decision.ratioHigh': 'shown',
  'plimsoll.Decision.evidence': 'the result of the judge, never added to',
  'plimsoll.Decision.evidenceNeeded': 'a setting of the policy',
  'plimsoll.Decision.toleranceRelative': 'a setting of the policy',
  'plimsoll.Decision.toleranceAbsolute': 'a setting of the policy',
  'plimsoll.Decision.share': 'a setting of the policy',
  'plimsoll.DecidedMetric.weight': 'a setting of the policy',
  'plimsoll.DecidedMetric.canaryLevel': 'shown',
  'plimsoll.DecidedMetric.baselineLevel': 'shown',
  'plimsoll.DecidedMetric.ratio': 'shown',
  'plimsoll.DecidedMetric.ratioLow': 'shown',
  'plimsoll.DecidedMetric.ratioHigh': 'shown',
  'plimsoll.DecidedMetric.tolerated': 'shown',
  'plimsoll.DecidedMetric.evidence': 'the result of the judge, never added to',
  'plimsoll.DecidedMetric.promoteEvidence': 'the result of the judge, never added to',
  'plimsoll.DecidedMetric.dispersion': 'shown',
  'plimsoll.AnalysisOpened.canaryShare': 'stated by people, compared with itself only',
  'plimsoll.Copy.canaryShare': 'stated by people, compared with itself only',
  'plimsoll.Point.level': 'a measurement; levels are added in the order of their series',
  'plimsoll.Bounds.seconds': 'compared with each other only',
};

/** What is wrong with one schema by itself, beyond what the codec refuses: one sentence each. */
export function lintFaults(schema: RecordNode): readonly string[] {
  return recordsIn(schema).flatMap((record) => [
    ...(hasText(record.doc) ? [] : [`the record ${record.name} has no doc`]),
    ...record.fields.flatMap((field) => fieldFaults(record, field)),
  ]);
}

function fieldFaults(record: RecordNode, field: FieldNode): readonly string[] {
  const place = `${record.name}.${field.name}`;
  return [
    ...(hasText(field.doc) ? [] : [`the field ${place} has no doc`]),
    ...(holdsDouble(field.node) && doublesAllowed[place] === undefined
      ? [`the field ${place} holds a double without a reason in services/dev/schema-rules/lint.ts`]
      : []),
  ];
}

/** The record and every record inside it, each once. */
export function recordsIn(schema: RecordNode): readonly RecordNode[] {
  const found = new Set<RecordNode>();
  const visit = (node: SchemaNode): void => {
    switch (node.type) {
      case 'record':
        if (found.has(node)) return;
        found.add(node);
        node.fields.forEach((field) => visit(field.node));
        return;
      case 'nullable':
        visit(node.value);
        return;
      case 'array':
        visit(node.items);
        return;
      case 'boolean':
      case 'int':
      case 'long':
      case 'double':
      case 'string':
      case 'bytes':
    }
  };
  visit(schema);
  return [...found];
}

function holdsDouble(node: SchemaNode): boolean {
  if (node.type === 'nullable') return holdsDouble(node.value);
  if (node.type === 'array') return holdsDouble(node.items);
  return node.type === 'double';
}

const hasText = (doc: string | undefined): boolean => doc !== undefined && doc.trim() !== '';
