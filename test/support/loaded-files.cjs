'use strict';
// Required before a program: tells at its end, on stderr, each file that it asked for, and each part of Node that was read.
const { Module } = require('node:module');

const asked = new Set();
const load = Module._load;
Module._load = function (request, parent, isMain) {
  if (!request.startsWith('node:')) asked.add(Module._resolveFilename(request, parent, isMain));
  return load.call(this, request, parent, isMain);
};
process.on('exit', () => {
  const parts = process.moduleLoadList.filter((name) => name.startsWith('NativeModule '));
  for (const name of asked) process.stderr.write(`loaded ${name}\n`);
  for (const name of parts)
    process.stderr.write(`loaded ${name.replace('NativeModule ', 'node:')}\n`);
});
