import type { FoundSecret } from './found-secret.ts';
import { hiddenAt } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { isPasswordValue } from './values.ts';

// A Kubernetes Secret, as `kubectl get secret -o yaml` prints it: whatever stands under `data` and `stringData` is
// secret, and its names say nothing.

const isManifest = /\bkind["']?:\s{0,3}["']?Secret\b/;
const inYaml =
  /^([^\S\n]{0,40})(?:data|stringData):[^\S\n]*\n((?:\1[^\S\n][^\n]{0,8192}(?:\n|$)){1,200})/gm;
const pairInYaml = /^\s*[\w.-]{1,253}:[^\S\n]{1,9}["']?([^\s"'|>]{4,8192})/gm;
const inJson = /"(?:data|stringData)"\s{0,3}:\s{0,3}\{([^{}]{1,65536})\}/g;
const pairInJson = /:\s{0,3}"([^"\\\n]{4,8192})"/g;

export const findInManifests = ({ text }: TextReader): readonly FoundSecret[] =>
  isManifest.test(text)
    ? [...pairsOf(text, inYaml, pairInYaml), ...pairsOf(text, inJson, pairInJson)]
    : [];

const pairsOf = (text: string, blocks: RegExp, pairs: RegExp): readonly FoundSecret[] =>
  [...text.matchAll(blocks)].flatMap((block) => {
    const inside = block.at(-1) ?? '';
    const blockAt = block.index + block[0].lastIndexOf(inside);
    return [...inside.matchAll(pairs)].flatMap((pair) => {
      const value = pair[1] ?? '';
      const start = blockAt + pair.index + pair[0].lastIndexOf(value);
      return isPasswordValue(value) ? [hiddenAt('kubernetes-secret', start, value)] : [];
    });
  });
