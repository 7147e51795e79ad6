'use strict';
// Required before a program: tells at its end, on stderr, each file and each part of Node that it asked for.
const { Module } = require('node:module');

const asked = new Set();
const load = Module._load;
Module._load = function (request, parent, isMain) {
  const name = request.startsWith('node:')
    ? request
    : Module._resolveFilename(request, parent, isMain);
  asked.add(name);
  return load.call(this, request, parent, isMain);
};
process.on('exit', () => {
  for (const name of asked) process.stderr.write(`loaded ${name}\n`);
});
