import { loadSchemas } from '../../adapters/avro/schema-files.ts';
import { openShapeFields } from '../../adapters/avro/shape-fields.ts';
import type { FieldsOfShape } from '../../core/markers/shape-field.ts';
import type { Command } from '../commands.ts';
import { factCommands } from '../commands/facts.ts';
import { emitHelp } from '../facts/emit-help.ts';
import { flagsOfAll } from '../facts/emit-flags.ts';

// `emit`, whose flags are made from the schemas: nothing else reads them before it knows what it is to do.

let known: FieldsOfShape | undefined;

export const shapeFields = (): FieldsOfShape => (known ??= openShapeFields(loadSchemas()));

/** The commands of a table, that of facts, with all flags of `emit`. */
export const commandsWithFlags = (
  commands: readonly Command[] = factCommands,
): readonly Command[] =>
  commands.map((command) =>
    command.name === 'emit'
      ? { ...command, options: [...command.options, ...flagsOfAll(shapeFields())] }
      : command,
  );

/** The help about one kind, or undefined: none is named. */
export const kindHelp = (about: string, args: readonly string[]): string | undefined =>
  emitHelp(about, args, shapeFields());
