import { printYaml } from '../../adapters/yaml/print-yaml.ts';
import { readYaml } from '../../adapters/yaml/read-yaml.ts';
import type { Yaml } from '../../ports/yaml.ts';

export const yaml: Yaml = { read: readYaml, print: printYaml };
