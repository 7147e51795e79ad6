import type { PointAttribute } from '../../telemetry/telemetry-point.ts';
import type { AttributeFilter } from './policy.ts';

/** Whether the attributes of a point fulfil the condition. `attributes` has no name twice. */
export const attributeMatches = (
  { attribute, test }: AttributeFilter,
  attributes: readonly PointAttribute[],
): boolean => {
  const value = attributes.find(({ name }) => name === attribute)?.value;
  switch (test.kind) {
    case 'in':
      return value !== undefined && test.values.includes(value);
    case 'not-in':
      return value === undefined || !test.values.includes(value);
    case 'starts-with':
      return value !== undefined && value.startsWith(test.text);
    case 'present':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
};
