/** Every order of a few items. */
export const shuffled = <Item>(items: readonly Item[]): readonly (readonly Item[])[] =>
  items.length < 2
    ? [items]
    : items.flatMap((item, at) =>
        shuffled(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
      );
