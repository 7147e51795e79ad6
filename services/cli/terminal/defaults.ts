import type { Command } from '../commands.ts';
import type { SettingSources } from '../ports.ts';
import type { Given } from './arguments.ts';
import { isNamed } from './arguments.ts';

/**
 * What was written, and for a plan or a fact of a place what the settings file says where it was left out. What goes
 * on from a plan takes the place from it, and readers are asked for what they are asked for.
 */
export const withDefaults = (
  command: Command,
  given: Given,
  defaults: SettingSources['defaults'],
): Given => {
  const names = new Set(command.options.map(({ name }) => name));
  const isEmitting = names.has('no-fail') || command.program !== undefined;
  // What JSON tells would have to be worth more.
  const isPlain = command.name !== 'emit';
  const says = isEmitting && isPlain && (names.has('target-version') || names.has('version'));
  if (!says || Object.keys(defaults).length === 0) return given;
  const byOption = new Map(
    Object.entries(defaults).flatMap(([written, { value }]) => {
      const option = command.options.find((one) => isNamed(one, written));
      return option === undefined || given.has(option.name) ? [] : [[option.name, value] as const];
    }),
  );
  return {
    ...given,
    has: (name) => given.has(name) || byOption.has(name),
    value: (name) => given.value(name) ?? byOption.get(name) ?? null,
    values: (name) => {
      const other = byOption.get(name);
      return other === undefined ? given.values(name) : [other];
    },
  };
};
