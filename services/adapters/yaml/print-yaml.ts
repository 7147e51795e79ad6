import { Document } from 'yaml';
import type { Json } from '../../core/canonical.ts';

const lineWidth = 98;

export const printYaml = (value: Json): string =>
  new Document(value, { version: '1.2', schema: 'core', aliasDuplicateObjects: false }).toString({
    lineWidth,
    indentSeq: true,
  });
