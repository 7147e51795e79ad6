// Imported before a program: writes the names of all modules that it resolved to the file that
// PLIMSOLL_TEST_LOADED names.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    loaded.add(resolved.url);
    return resolved;
  },
});
process.on('exit', () =>
  writeFileSync(process.env['PLIMSOLL_TEST_LOADED'] ?? '', [...loaded].join('\n')),
);
