/** Why a file could not be read or written, in words: the path first. */
export const fileFault = (path: string, cause: unknown): string => {
  if (cause instanceof TypeError && 'code' in cause && cause.code === notText)
    return `${path} is no UTF-8 text (is it compressed, or UTF-16?)`;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = Object.hasOwn(words, code) ? words[code] : undefined;
  return known === undefined
    ? `${path}: ${cause instanceof Error ? cause.message : String(cause)}`
    : `${path} ${known}`;
};

const notText = 'ERR_ENCODING_INVALID_ENCODED_DATA';

const words: { readonly [code: string]: string } = {
  ENOENT: 'is not there',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'is in something that is no folder',
  EACCES: 'may not be opened by you',
  EROFS: 'is where nothing can be written',
};
