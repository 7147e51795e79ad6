#!/usr/bin/env node
// The `plimsoll` command. The house is TypeScript that Node runs as it is, which needs 22.18 or
// newer; under an older Node this file hands over to the Node that `npm ci` put beside it.
// So it has to be read by any Node: plain JavaScript, nothing newer than 18.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const main = new URL('./main.ts', import.meta.url);
const quietWarnings = ['ExperimentalWarning', 'TimeoutNegativeWarning'];
const passedOnSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

function runsTypeScript(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** Does inside this process what --disable-warning does on a command line. */
function muteWarnings() {
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (quietWarnings.includes(warning.name)) return;
    for (const listener of listeners) listener.call(process, warning);
  });
}

function bundledNode() {
  const require = createRequire(import.meta.url);
  try {
    const folder = dirname(
      require.resolve(`node-${process.platform}-${process.arch}/package.json`),
    );
    const binary = join(folder, 'bin', 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever kills this process means the one that works: it ends when the channel between us is cut. */
const endWithUs =
  "data:text/javascript,process.on('disconnect',()=>process.kill(process.pid,'SIGTERM'));process.channel.unref()";

function handOver(node) {
  const flags = [
    ...quietWarnings.map((name) => `--disable-warning=${name}`),
    `--import=${endWithUs}`,
  ];
  const child = spawn(node, [...flags, fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of passedOnSignals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both of us; a second one would cut the child's ending short.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (cause) => {
    console.error(`plimsoll: could not start ${node}: ${cause.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 128 + constants.signals[signal] : code;
  });
}

/** The deploy goes on: its command is run as if we were not there, and nothing fails that was to fail nobody. */
function withoutPlimsoll(words) {
  const mark = words.indexOf('--');
  const ours = mark < 0 ? words : words.slice(0, mark);
  const [program, ...its] = mark < 0 ? [] : words.slice(mark + 1);
  process.exitCode = ours.includes('--no-fail') ? 0 : 1;
  if (ours[0] !== 'run' || program === undefined || ours.includes('--strict')) return;
  const child = spawn(program, its, { stdio: 'inherit' });
  for (const signal of passedOnSignals) process.on(signal, () => child.kill(signal));
  child.on('error', (cause) => {
    console.error(`plimsoll: ${program} could not be started: ${cause.message}`);
    process.exitCode = cause.code === 'ENOENT' ? 127 : 126;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 128 + constants.signals[signal] : code;
  });
}

if (runsTypeScript(process.versions.node)) {
  muteWarnings();
  await import(main.href);
} else {
  const node = bundledNode();
  if (node === undefined) {
    console.error(
      `plimsoll: this is Node ${process.versions.node}, and Plimsoll needs 22.18 or newer; no marker is made.\n` +
        'Install a newer Node, or (Linux on x64 or arm64) run `npm ci` in the folder of Plimsoll, which brings one along.',
    );
    withoutPlimsoll(process.argv.slice(2));
  } else {
    handOver(node);
  }
}
