#!/usr/bin/env node
'use strict';
// The `plimsoll` command of a built package. Any Node must be able to read this file, to be told what is wanted.
const version = process.versions.node.split('.').map(Number);
if (version[0] > 22 || (version[0] === 22 && version[1] >= 18)) {
  module.exports = require('../lib/main.js');
} else {
  console.error(
    'plimsoll: this is Node ' + process.versions.node + ', and Plimsoll needs 22.18 or newer.',
  );
  process.exitCode = 1;
}
