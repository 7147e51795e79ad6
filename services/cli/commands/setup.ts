import type { CommandOf } from './command.ts';
import { option, repeatable } from './command.ts';

export type SetupCommand = 'init' | 'doctor' | 'config' | 'completion';

export const setupCommands: readonly CommandOf<SetupCommand>[] = [
  {
    name: 'init',
    summary: 'write what a pipeline needs: settings, scripts, snippets for the CI',
    words: [],
    options: [
      repeatable('ci', 'NAME', 'circleci, github, gitlab, jenkins, bash (default: as found)'),
      repeatable('environment-name', 'NAME', 'in this order (default: staging, production)'),
      option('component-name', 'NAME', 'what is deployed (default: name of the repository)'),
      repeatable('recipe', 'NAME', 'also a rollout: kubernetes, ecs, lambda or heroku'),
      option('dry-run', null, 'only say what would be written'),
      option('force', null, 'write files anew that were changed (plimsoll.yaml never)'),
    ],
    notes: [
      'It asks nobody and makes no keys: those that each environment needs are listed with the',
      'commands that make them. Called again, it changes nothing.',
    ],
    examples: ['', '--ci=github --environment-name=production --recipe=kubernetes'],
  },
  {
    name: 'doctor',
    summary: 'prove the set-up: a test marker there and back; each line says what to do',
    words: [],
    options: [
      option('offline', null, 'only what can be looked at without asking anybody'),
      option(
        'readiness',
        null,
        'also the checklists before production: met, not met, not to be seen',
      ),
      option('environment-name', 'NAME', 'where the test marker goes (default: plimsoll-doctor)'),
      option('key', 'FILE', 'key file to sign with (default: PLIMSOLL_KEY)'),
    ],
    notes: [
      'The test marker plans a deployment of the component plimsoll-doctor and cancels it: what',
      'runs where does not change. Exit code: 0, or that of the first check that failed.',
    ],
    examples: ['', '--offline', '--readiness --json'],
  },
  {
    name: 'config',
    summary: 'the settings in force, and where each comes from',
    words: [],
    options: [],
    notes: [
      'What counts, in this order: an option of the command line; a variable of the environment;',
      'the settings file (plimsoll.yaml here or in a folder above, up to the repository, or',
      'PLIMSOLL_CONFIG=FILE); what is built in. The file holds lines of the form name: value, such as',
      'url: https://plimsoll.example.com or component-name: checkout. Passwords are written over.',
    ],
    examples: ['', '--json'],
  },
  {
    name: 'completion',
    summary: 'completion of commands and options for a shell: bash, zsh or fish',
    words: [{ name: 'shell' }],
    options: [],
    notes: [
      'bash: source <(plimsoll completion bash)     in ~/.bashrc',
      'zsh:  source <(plimsoll completion zsh)      in ~/.zshrc, after compinit',
      'fish: plimsoll completion fish | source      in ~/.config/fish/config.fish',
    ],
    examples: ['bash', 'fish'],
  },
];
