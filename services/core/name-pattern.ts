/** Whether a pattern takes a name: it is that name, or the beginning of it and `*`. */
export const takesName = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
