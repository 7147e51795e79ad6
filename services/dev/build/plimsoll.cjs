#!/usr/bin/env node
'use strict';
// The `plimsoll` command of a built package. Any Node must be able to read this file, to be told what is wanted.
const version = process.versions.node.split('.').map(Number);
if (version[0] > 22 || (version[0] === 22 && version[1] >= 18)) {
  // As the command in the repository: kafkajs sets timers in the past, and node:sqlite is called experimental.
  const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning'];
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (quiet.includes(warning.name)) return;
    for (const listener of listeners) listener.call(process, warning);
  });
  module.exports = require('../lib/main.js');
} else {
  console.error(
    'plimsoll: this is Node ' +
      process.versions.node +
      ', and Plimsoll needs 22.18 or newer; no marker is made.',
  );
  withoutPlimsoll(process.argv.slice(2));
}

// The deploy goes on: its command is run as if we were not there, and nothing fails that was to fail nobody.
function withoutPlimsoll(words) {
  const mark = words.indexOf('--');
  const ours = mark < 0 ? words : words.slice(0, mark);
  const program = mark < 0 ? undefined : words[mark + 1];
  process.exitCode = ours.includes('--no-fail') ? 0 : 1;
  if (ours[0] !== 'run' || program === undefined || ours.includes('--strict')) return;
  const child = require('child_process').spawn(program, words.slice(mark + 2), {
    stdio: 'inherit',
  });
  ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on('error', function (cause) {
    console.error('plimsoll: ' + program + ' could not be started: ' + cause.message);
    process.exitCode = cause.code === 'ENOENT' ? 127 : 126;
  });
  child.on('exit', function (code, signal) {
    process.exitCode = code === null ? 128 + require('os').constants.signals[signal] : code;
  });
}
